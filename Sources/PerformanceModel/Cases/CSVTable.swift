import Foundation
import Jobs

/// A comma-separated table with a header (RFC 4180: quoted fields may hold commas, quotes and line ends), read with line
/// numbers so that errors say where.
struct CSVTable {
    /// One record, and the line where it starts.
    struct Row {
        let line: Int
        let fields: [String]
    }

    /// The most records that a table may have.
    static let rowLimit = 100_000

    let file: String
    let header: [String]
    let rows: [Row]
    private let columns: [String: Int]

    /// Reads the file at `path`, which must have the columns `required`.
    init(contentsOf path: String, required: [String]) throws(PerformanceModelError) {
        try self.init(parsing: try InputFile.text(of: path), file: path, required: required)
    }

    /// Reads `text`; `file` names it in errors.
    init(parsing text: String, file: String, required: [String]) throws(PerformanceModelError) {
        self.file = file
        var records = try Self.records(text, file: file)
        guard !records.isEmpty else { throw .syntax(file: file, line: 1, reason: "the file is empty") }
        header = records.removeFirst().fields.map { $0.trimmingCharacters(in: .whitespaces) }
        rows = records
        var columns: [String: Int] = [:]
        for (index, name) in header.enumerated() {
            guard columns.updateValue(index, forKey: name) == nil else {
                throw .syntax(file: file, line: 1, reason: "the column \(PrintableText.quoted(name)) is there twice")
            }
        }
        self.columns = columns
        for column in required where columns[column] == nil {
            throw .missingColumn(
                file: file, column: column, found: header.map { PrintableText.quoted($0, limit: 40) })
        }
        for row in rows where row.fields.count != header.count {
            throw .syntax(
                file: file, line: row.line,
                reason: "\(row.fields.count) fields; the header has \(header.count) (a field with a comma is quoted)")
        }
        guard !rows.isEmpty else { throw .syntax(file: file, line: 1, reason: "there are no rows below the header") }
    }

    private static func records(_ text: String, file: String) throws(PerformanceModelError) -> [Row] {
        var reader = RecordReader(file: file)
        for byte in text.utf8 { try reader.take(byte) }
        return try reader.finished()
    }

    /// The text in `column` of `row`; empty where the table has no such column.
    func text(_ column: String, _ row: Row) -> String {
        columns[column].map { row.fields[$0].trimmingCharacters(in: .whitespaces) } ?? ""
    }

    /// The text in `column`, which may not be empty.
    func name(_ column: String, _ row: Row) throws(PerformanceModelError) -> String {
        let text = text(column, row)
        guard !text.isEmpty, text.utf8.count <= 200 else {
            throw .invalid(place: place(column, row), found: quoted(column, row), allowed: "1 to 200 characters")
        }
        return text
    }

    /// The whole number in `column`, within `range`.
    func integer(_ column: String, _ row: Row, in range: ClosedRange<Int> = 1...1_000_000)
        throws(PerformanceModelError) -> Int
    {
        let text = text(column, row)
        guard text.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }), let value = Int(text),
            range.contains(value)
        else {
            throw .invalid(
                place: place(column, row), found: quoted(column, row),
                allowed: "a whole number from \(range.lowerBound) to \(range.upperBound), digits alone")
        }
        return value
    }

    /// The positive number in `column`: digits, a point, an exponent.
    func number(_ column: String, _ row: Row) throws(PerformanceModelError) -> Double {
        let text = text(column, row)
        guard text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let value = Double(text),
            value.isFinite, (1e-12...1e15).contains(value)
        else {
            throw .invalid(
                place: place(column, row), found: quoted(column, row),
                allowed: "a number greater than 0, with a decimal point and no separators")
        }
        return value
    }

    /// The case that the text in `column` names.
    func choice<Choice: RawRepresentable & CaseIterable>(_ column: String, _ row: Row, _: Choice.Type)
        throws(PerformanceModelError) -> Choice where Choice.RawValue == String
    {
        guard let value = Choice(rawValue: text(column, row)) else {
            throw .invalid(
                place: place(column, row), found: quoted(column, row),
                allowed: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return value
    }

    /// Refuses a table in which two rows have the same text in `column`.
    func requireUnique(_ column: String) throws(PerformanceModelError) {
        var lines: [String: Int] = [:]
        for row in rows {
            if let first = lines.updateValue(row.line, forKey: text(column, row)) {
                throw .invalid(
                    place: place(column, row), found: "\(quoted(column, row)), which line \(first) has too",
                    allowed: "each once")
            }
        }
    }

    /// Where `column` of `row` stands.
    func place(_ column: String, _ row: Row) -> PerformanceModelError.Place {
        .init(file: file, line: row.line, key: column)
    }

    /// What stands in `column` of `row`, fit to be printed.
    func quoted(_ column: String, _ row: Row) -> String { PrintableText.quoted(text(column, row)) }
}

/// Cuts text into records, byte by byte.
private struct RecordReader {
    let file: String
    private var rows: [CSVTable.Row] = []
    private var fields: [String] = []
    private var field: [UInt8] = []
    private var (line, start) = (1, 1)
    private var state = State.unquoted

    private enum State {
        case unquoted
        case quoted
        /// After a quote within a quoted field: the end, or the first half of an escaped quote.
        case afterQuote
    }

    init(file: String) { self.file = file }

    mutating func take(_ byte: UInt8) throws(PerformanceModelError) {
        switch (state, byte) {
        case (.quoted, UInt8(ascii: "\"")): state = .afterQuote
        case (.quoted, _):
            field.append(byte)
            if byte == UInt8(ascii: "\n") { line += 1 }
        case (.afterQuote, UInt8(ascii: "\"")):
            field.append(byte)
            state = .quoted
        case (_, UInt8(ascii: ",")): endField()
        case (_, UInt8(ascii: "\n")): try endRecord()
        case (_, UInt8(ascii: "\r")): break
        case (.afterQuote, _):
            throw .syntax(file: file, line: line, reason: "text after a closing quote; a quote within is written twice")
        case (.unquoted, UInt8(ascii: "\"")) where field.isEmpty: state = .quoted
        case (.unquoted, UInt8(ascii: "\"")):
            throw .syntax(file: file, line: line, reason: "a quote within a field that does not start with one")
        case (.unquoted, _): field.append(byte)
        }
    }

    private mutating func endField() {
        fields.append(String(decoding: field, as: UTF8.self))
        field.removeAll(keepingCapacity: true)
        state = .unquoted
    }

    private mutating func endRecord() throws(PerformanceModelError) {
        endField()
        if fields != [""] { rows.append(.init(line: start, fields: fields)) }
        fields = []
        line += 1
        start = line
        guard rows.count <= CSVTable.rowLimit else {
            throw .syntax(file: file, line: line, reason: "more than \(CSVTable.rowLimit) rows")
        }
    }

    mutating func finished() throws(PerformanceModelError) -> [CSVTable.Row] {
        if state == .quoted { throw .syntax(file: file, line: start, reason: "a quote isn't closed") }
        try endRecord()
        return rows
    }
}
