import PerformanceModel

/// An explanation for people: a tree, each figure with its value, then its formula or source, in 80 columns.
struct ExplanationText {
    private let explanation: Explanation
    private let depth: Int

    /// The text of `explanation`, `depth` levels of inputs deep.
    init(_ explanation: Explanation, depth: Int) {
        self.explanation = explanation
        self.depth = depth
    }

    /// The whole text.
    var text: String { lines(explanation, level: 0).map { $0 + "\n" }.joined() }

    private func lines(_ next: Explanation, level: Int) -> [String] {
        let indent = String(repeating: "  ", count: level)
        let value = Self.number(next.value) + (next.unit.isEmpty ? "" : " \(next.unit)")
        var lines = TextWrapping.lines("\(next.name) = \(value)  (\(next.title))", indent: indent, hanging: "    ")
        if let formula = next.formula {
            lines += TextWrapping.lines("= " + formula, indent: indent + "    ", hanging: "  ")
        }
        if let source = next.source {
            lines += TextWrapping.lines("from: " + source, indent: indent + "    ", hanging: "  ")
        }
        guard level < depth else { return lines }
        return lines + next.inputs.flatMap { self.lines($0, level: level + 1) }
    }

    private static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        let size = abs(value)
        return size >= 0.01 && size < 1e6 ? Figures.fixed(value, size >= 100 ? 2 : 5) : "\(Float(value))"
    }
}
