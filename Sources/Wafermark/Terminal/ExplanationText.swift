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
        var lines = wrapped("\(next.name) = \(value)  (\(next.title))", indent: indent, hanging: "    ")
        if let formula = next.formula { lines += wrapped("= " + formula, indent: indent + "    ", hanging: "  ") }
        if let source = next.source { lines += wrapped("from: " + source, indent: indent + "    ", hanging: "  ") }
        guard level < depth else { return lines }
        return lines + next.inputs.flatMap { self.lines($0, level: level + 1) }
    }

    private func wrapped(_ text: String, indent: String, hanging: String) -> [String] {
        var (lines, line) = ([String](), indent)
        for word in text.split(separator: " ") {
            if line.count > indent.count + hanging.count, line.count + 1 + word.count > 80 {
                lines.append(line)
                line = indent + hanging
            }
            line += (line.allSatisfy { $0 == " " } ? "" : " ") + word
        }
        return lines + [line]
    }

    private static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        let size = abs(value)
        return size >= 0.01 && size < 1e6 ? Figures.fixed(value, size >= 100 ? 2 : 5) : "\(Float(value))"
    }
}
