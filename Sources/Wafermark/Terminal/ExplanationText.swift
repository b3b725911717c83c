import PerformanceModel
import Report

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
    var text: String { text(of: explanation, level: 0) }

    private func text(of next: Explanation, level: Int) -> String {
        func lines(_ content: String, deeper: Int, first: String) -> String {
            let margin = 2 * level + deeper
            return WrappedText.lines(
                content, indent: margin + first.count, first: String(repeating: " ", count: margin) + first)
        }
        let value = Self.number(next.value) + (next.unit.isEmpty ? "" : " \(next.unit)")
        var text = lines("\(next.name) = \(value)  (\(next.title))", deeper: 0, first: "")
        if let formula = next.formula { text += lines(formula, deeper: 4, first: "= ") }
        if let source = next.source { text += lines(source, deeper: 4, first: "from: ") }
        guard level < depth else { return text }
        return text + next.inputs.map { self.text(of: $0, level: level + 1) }.joined()
    }

    private static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        let size = abs(value)
        return size >= 0.01 && size < 1e6 ? Figures.fixed(value, size >= 100 ? 2 : 5) : "\(Float(value))"
    }
}
