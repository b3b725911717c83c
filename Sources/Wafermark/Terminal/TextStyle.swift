/// How a piece of text stands out on a terminal.
package enum TextStyle: String {
    case bold = "1"
    case dim = "2"
    case red = "31"
    case green = "32"
    case yellow = "33"
}

/// A line of a display: pieces of text with their styles, so that its width can be known before it is coloured.
package struct StyledLine: Equatable {
    package private(set) var pieces: [(text: String, style: TextStyle?)] = []

    /// A line that starts with `text`.
    package init(_ text: String = "", _ style: TextStyle? = nil) { add(text, style) }

    /// Adds `text`.
    package mutating func add(_ text: String, _ style: TextStyle? = nil) {
        if !text.isEmpty { pieces.append((text, style)) }
    }

    /// Fills with spaces so that what follows starts at `column`, with at least two spaces between.
    package mutating func fill(to column: Int) { add(String(repeating: " ", count: max(2, column - width))) }

    /// Columns that the line takes.
    package var width: Int { pieces.reduce(0) { $0 + $1.text.count } }

    /// The line cut to `columns`, with or without colour.
    package func rendered(columns: Int, colour: Bool) -> String {
        var result = ""
        var left = columns
        for (text, style) in pieces where left > 0 {
            let shown = text.prefix(left)
            left -= shown.count
            if colour, let style {
                result += "\u{1B}[\(style.rawValue)m\(shown)\u{1B}[0m"
            } else {
                result += shown
            }
        }
        return result
    }

    package static func == (left: Self, right: Self) -> Bool {
        left.pieces.elementsEqual(right.pieces) { $0.text == $1.text && $0.style == $1.style }
    }
}
