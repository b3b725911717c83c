/// The characters that bars and curves are drawn with.
package struct Glyphs: Hashable, Sendable {
    /// A full and an empty cell of a bar.
    package var full: Character
    package var empty: Character
    /// Cells of a curve, lowest first.
    package var levels: [Character]

    /// Block elements, for terminals that show UTF-8.
    package static let blocks = Glyphs(full: "█", empty: "░", levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"])
    /// ASCII, for all others.
    package static let ascii = Glyphs(full: "#", empty: ".", levels: ["_", ".", "-", "=", "+", "*", "#"])

    /// A bar of `width` cells that is filled to `fraction`.
    package func bar(_ fraction: Double, width: Int) -> String {
        let share = fraction.isFinite ? min(max(fraction, 0), 1) : 0
        let cells = Int((share * Double(width)).rounded(.down))
        return String(repeating: full, count: cells) + String(repeating: empty, count: width - cells)
    }

    /// A curve of at most `width` cells: each the mean of its stretch of `values`, scaled between the least and the most.
    /// Values that are not finite are left out.
    package func sparkline(_ values: [Double], width: Int) -> String {
        let values = values.filter(\.isFinite)
        guard !values.isEmpty, width > 0 else { return "" }
        let cells = min(width, values.count)
        let means = (0..<cells).map { cell in
            let range = cell * values.count / cells..<(cell + 1) * values.count / cells
            return values[range].reduce(0, +) / Double(range.count)
        }
        let low = means.min() ?? 0
        let high = means.max() ?? 0
        return String(
            means.map { mean in
                guard high > low else { return levels[0] }
                let level = Int(((mean - low) / (high - low) * Double(levels.count - 1)).rounded())
                return levels[min(max(level, 0), levels.count - 1)]
            })
    }
}
