/// An example as people read it: its pieces in order, and what became of those that are to be predicted.
public struct ExampleText: Sendable {
    /// What became of a piece.
    public enum Fate: Hashable, Sendable {
        /// It isn't predicted.
        case plain
        /// It is predicted from `[MASK]`.
        case masked
        /// It is predicted from another piece that stands in its place.
        case replaced(by: String)
        /// It is predicted and was left in place.
        case kept
    }

    /// A piece.
    public struct Piece: Hashable, Sendable {
        /// What stood there before masking, without `##`.
        public var text: String
        /// Whether it goes on with the word before it.
        public var isContinuation: Bool
        /// What became of it.
        public var fate: Fate

        /// A piece of the given parts.
        public init(text: String, isContinuation: Bool, fate: Fate) {
            self.text = text
            self.isContinuation = isContinuation
            self.fate = fate
        }
    }

    /// The pieces, special tokens among them.
    public private(set) var pieces: [Piece] = []

    /// The pieces of `example` by `vocabulary`.
    public init(_ example: Example, vocabulary: Vocabulary) {
        var label = 0
        for (position, found) in example.inputIDs.enumerated() {
            var original = found
            var fate = Fate.plain
            if label < example.maskedPositions.count, Int(example.maskedPositions[label]) == position {
                original = example.maskedLabels[label]
                label += 1
                // A random entry may be the very one that it replaces; nobody can tell that from one that was kept.
                fate =
                    found == vocabulary.maskID
                    ? .masked : found == original ? .kept : .replaced(by: vocabulary.token(found) ?? "[\(found)]")
            }
            let token = vocabulary.token(original) ?? "[\(original)]"
            let isContinuation = token.utf8.starts(with: "##".utf8) && position > 0
            pieces.append(
                Piece(
                    text: isContinuation ? String(token.unicodeScalars.dropFirst(2)) : token,
                    isContinuation: isContinuation, fate: fate))
        }
    }
}
