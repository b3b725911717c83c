/// Rows under headings, in columns two spaces apart.
struct TextTable {
    /// How a column's cells stand.
    enum Alignment {
        case left
        case right
    }

    private let columns: [(heading: String, alignment: Alignment)]
    private var rows: [[String]] = []

    /// A table of the given columns.
    init(_ columns: [(heading: String, alignment: Alignment)]) { self.columns = columns }

    /// Adds a row with a cell for each column.
    mutating func add(_ row: [String]) { rows.append(row) }

    /// The table's lines, headings first.
    var lines: [String] {
        let all = [columns.map(\.heading)] + rows
        let widths = columns.indices.map { column in all.map { $0[column].count }.max() ?? 0 }
        return all.map { row in
            let cells = columns.indices.map { column in
                let pad = String(repeating: " ", count: widths[column] - row[column].count)
                return columns[column].alignment == .left ? row[column] + pad : pad + row[column]
            }
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }
}
