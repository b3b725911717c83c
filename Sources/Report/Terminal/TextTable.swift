import Jobs

/// A table of plain text that keeps within a terminal's width: columns are as wide as what they hold, and the one that
/// may give way is cut, with an ellipsis, where the line would be too long.
public struct TextTable: Sendable {
    /// A column.
    public struct Column: Sendable {
        var title: String
        var isNumeric: Bool
        var mayShrink: Bool

        /// - Parameters:
        ///   - title: the heading.
        ///   - isNumeric: whether its cells are aligned to the right.
        ///   - mayShrink: whether its cells are cut where the line would be too long.
        public init(_ title: String, isNumeric: Bool = false, mayShrink: Bool = false) {
            self.title = title
            self.isNumeric = isNumeric
            self.mayShrink = mayShrink
        }
    }

    private let columns: [Column]
    private let rows: [[String]]

    /// A table of `rows`, each with a cell a column; missing cells are empty.
    public init(_ columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = rows.map { row in
            columns.indices.map { $0 < row.count ? Self.plain(row[$0]) : "" }
        }
    }

    /// The lines, each at most `width` characters where shrinking allows it.
    public func text(width: Int = 80) -> String {
        let gap = 2
        var widths = columns.indices.map { index in
            max(columns[index].title.count, rows.map { Self.width(of: $0[index]) }.max() ?? 0)
        }
        var excess = widths.reduce(0, +) + gap * (columns.count - 1) - width
        for index in columns.indices where columns[index].mayShrink && excess > 0 {
            let least = min(widths[index], max(columns[index].title.count, 8))
            let cut = min(excess, widths[index] - least)
            widths[index] -= cut
            excess -= cut
        }
        return ([columns.map(\.title)] + rows).map { cells in
            var line = ""
            for (index, cell) in cells.enumerated() {
                let text = Self.cut(cell, to: widths[index])
                let room = String(repeating: " ", count: widths[index] - Self.width(of: text))
                line += (index == 0 ? "" : "  ") + (columns[index].isNumeric ? room + text : text + room)
            }
            while line.utf8.last == 0x20 { line.removeLast() }
            return line + "\n"
        }.joined()
    }

    /// `text` with control characters escaped. Most has none, which is told faster: lists have many cells.
    private static func plain(_ text: String) -> String {
        text.utf8.allSatisfy { (0x20..<0x7F).contains($0) } ? text : PrintableText.plain(text)
    }

    /// The characters of `text`: its bytes where all are ASCII (no cell holds a control character), which is told faster.
    private static func width(of text: String) -> Int {
        text.utf8.allSatisfy { $0 < 0x80 } ? text.utf8.count : text.count
    }

    private static func cut(_ text: String, to width: Int) -> String {
        Self.width(of: text) <= width ? text : text.prefix(max(0, width - 1)) + "…"
    }
}
