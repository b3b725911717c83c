/// A sentence with figures in it, each of which knows its unrounded value and where the JSON document has it, so that
/// every format shows the same numbers.
public struct Phrase: Hashable, Sendable, ExpressibleByStringInterpolation {
    /// A figure: an unrounded value, how it is shown, and its place in the JSON document (RFC 6901, JSON Pointer).
    public struct Figure: Hashable, Sendable {
        /// The unrounded value; nil where it is not known.
        public var value: Double?
        /// How it is shown.
        public var format: FigureFormat
        /// A JSON Pointer into the report's JSON document.
        public var key: String

        /// A figure of the given parts.
        public init(_ value: Double?, _ format: FigureFormat, _ key: String) {
            self.value = value
            self.format = format
            self.key = key
        }

        /// As it is shown.
        public var text: String { format.text(value) }
    }

    /// A stretch of a sentence.
    public enum Part: Hashable, Sendable {
        case text(String)
        case figure(Figure)
    }

    /// The stretches, in order.
    public var parts: [Part]

    /// A sentence of `parts`.
    public init(_ parts: [Part]) { self.parts = parts }
    /// A sentence without figures.
    public init(stringLiteral value: String) { parts = [.text(value)] }
    /// A sentence with figures.
    public init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

    /// The sentence as plain text.
    public var plain: String {
        parts.map {
            switch $0 {
            case .text(let text): text
            case .figure(let figure): figure.text
            }
        }.joined()
    }

    /// One sentence after the other.
    public static func + (left: Phrase, right: Phrase) -> Phrase { Phrase(left.parts + right.parts) }

    /// Collects a sentence from a literal: `"\(text)"`, `"\(seconds, .duration, key)"`, `"\(phrase: other)"`.
    public struct StringInterpolation: StringInterpolationProtocol {
        var parts: [Part] = []

        /// Begins an empty sentence.
        public init(literalCapacity: Int, interpolationCount: Int) {}

        /// Text between figures.
        public mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        /// Plain text.
        public mutating func appendInterpolation(_ text: String) { parts.append(.text(text)) }

        /// A figure and its place in the JSON document.
        public mutating func appendInterpolation(_ value: Double?, _ format: FigureFormat, _ key: String) {
            parts.append(.figure(Figure(value, format, key)))
        }

        /// A sentence within this one.
        public mutating func appendInterpolation(phrase: Phrase) { parts += phrase.parts }
    }
}
