import Foundation

/// A comma-separated table with a header, quoted fields allowed, read with line numbers so that errors say where.
struct CSVTable {
    /// One record, and the line where it starts.
    struct Row {
        let line: Int
        let fields: [String]
    }

    let file: String
    let header: [String]
    let rows: [Row]

    /// Reads the file at `path`, which must have the columns `required`.
    init(contentsOf path: String, required: [String]) throws(PerformanceModelError) {
        let text: String
        do {
            text = try String(contentsOfFile: path, encoding: .utf8)
        } catch {
            throw .unreadable(file: path, reason: error.localizedDescription)
        }
        try self.init(parsing: text, file: path, required: required)
    }

    /// Reads `text`; `file` names it in errors.
    init(parsing text: String, file: String, required: [String]) throws(PerformanceModelError) {
        self.file = file
        var records = try Self.records(text, file: file)
        guard !records.isEmpty else { throw .syntax(file: file, line: 1, reason: "the file is empty") }
        header = records.removeFirst().fields
        rows = records
        for column in required where !header.contains(column) {
            throw .missingKey(place: .init(file: file, line: 1, key: "column '\(column)'"))
        }
        for row in rows where row.fields.count != header.count {
            throw .syntax(
                file: file, line: row.line, reason: "\(row.fields.count) fields; the header has \(header.count)")
        }
    }

    private static func records(_ text: String, file: String) throws(PerformanceModelError) -> [Row] {
        var rows: [Row] = []
        var fields: [String] = []
        var field = ""
        var (line, start, quoted) = (1, 1, false)
        var previous: Character = "\n"
        for character in text {
            switch (character, quoted) {
            case ("\"", true): quoted = false
            case ("\"", false):
                if previous == "\"" { field.append("\"") }
                quoted = true
            case (",", false):
                fields.append(field)
                field = ""
            case ("\n", false), ("\r\n", false):
                fields.append(field)
                if fields != [""] { rows.append(Row(line: start, fields: fields)) }
                (field, fields) = ("", [])
            default: field.append(character)
            }
            if character.isNewline {
                line += 1
                if !quoted { start = line }
            }
            previous = character
        }
        if quoted { throw .syntax(file: file, line: start, reason: "a quote isn't closed") }
        fields.append(field)
        if fields != [""] { rows.append(Row(line: start, fields: fields)) }
        return rows
    }

    /// The text in `column` of `row`; empty where the table has no such column.
    func text(_ column: String, _ row: Row) -> String {
        header.firstIndex(of: column).map { row.fields[$0].trimmingCharacters(in: .whitespaces) } ?? ""
    }

    /// The whole number in `column`, at least `least`.
    func integer(_ column: String, _ row: Row, atLeast least: Int = 1) throws(PerformanceModelError) -> Int {
        guard let value = Int(text(column, row)), value >= least, value < 1 << 40 else {
            throw .invalid(
                place: place(column, row), found: "'\(text(column, row))'", allowed: "a whole number from \(least)")
        }
        return value
    }

    /// The positive number in `column`.
    func number(_ column: String, _ row: Row) throws(PerformanceModelError) -> Double {
        guard let value = Double(text(column, row)), value.isFinite, value > 0 else {
            throw .invalid(
                place: place(column, row), found: "'\(text(column, row))'", allowed: "a number greater than 0")
        }
        return value
    }

    /// The case that the text in `column` names.
    func choice<Choice: RawRepresentable & CaseIterable>(_ column: String, _ row: Row, _: Choice.Type)
        throws(PerformanceModelError) -> Choice where Choice.RawValue == String
    {
        guard let value = Choice(rawValue: text(column, row)) else {
            throw .invalid(
                place: place(column, row), found: "'\(text(column, row))'",
                allowed: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    /// Where `column` of `row` stands.
    func place(_ column: String, _ row: Row) -> PerformanceModelError.Place {
        .init(file: file, line: row.line, key: column)
    }
}
