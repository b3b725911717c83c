import Corpus
import Jobs

/// An example as lines of text, with what is to be predicted in colour, or marked where there is none.
struct ExamplePicture {
    /// The lines, the legend first.
    private(set) var lines: [String] = []

    /// The picture of `text` in a style.
    init(_ text: ExampleText, style: OutputStyle) {
        for (fate, words) in [
            (ExampleText.Fate.masked, "hidden by [MASK]"), (.replaced(by: "other"), "replaced by another"),
            (.kept, "left in place"),
        ] {
            var legend = StyledLine("  ")
            let piece = ExampleText.Piece(text: "word", isContinuation: false, fate: fate)
            for part in Self.parts(of: piece, colour: style.colour) { legend.add(part.text, part.style) }
            legend.add(" " + words)
            lines.append(legend.rendered(columns: .max, colour: style.colour))
        }
        lines.append("")
        var line = StyledLine()
        for word in Self.words(of: text) {
            let parts = word.flatMap { Self.parts(of: $0, colour: style.colour) }
            let width = parts.reduce(0) { $0 + $1.text.count }
            if line.width > 0, line.width + 1 + width > style.columns {
                lines.append(line.rendered(columns: .max, colour: style.colour))
                line = StyledLine()
            }
            if line.width > 0 { line.add(" ") }
            for part in parts { line.add(part.text, part.style) }
        }
        lines.append(line.rendered(columns: .max, colour: style.colour))
    }

    /// The pieces that stand together.
    private static func words(of text: ExampleText) -> [[ExampleText.Piece]] {
        var words: [[ExampleText.Piece]] = []
        for piece in text.pieces {
            if piece.isContinuation, !words.isEmpty {
                words[words.count - 1].append(piece)
            } else {
                words.append([piece])
            }
        }
        return words
    }

    private static func parts(of piece: ExampleText.Piece, colour: Bool) -> [(text: String, style: TextStyle?)] {
        let text = PrintableText.plain(piece.text)
        let isSpecial = text.hasPrefix("[") && text.hasSuffix("]") && text.count > 2
        switch piece.fate {
        case .plain: return [(text, isSpecial ? .dim : nil)]
        case .masked: return colour ? [(text, .red)] : [("[MASK:\(text)]", nil)]
        case .replaced(let other):
            let other = PrintableText.plain(other)
            return colour ? [(text, .yellow), (">" + other, .dim)] : [("[\(other):\(text)]", nil)]
        case .kept: return colour ? [(text, .green)] : [("[=:\(text)]", nil)]
        }
    }
}
