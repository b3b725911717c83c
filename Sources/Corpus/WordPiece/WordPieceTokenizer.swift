/// Turns text into WordPiece ids, identical to Hugging Face's `BertTokenizerFast` (uncased) with the same `vocab.txt`.
///
/// Any number of threads may use one tokenizer; each gives its own `Scratch`.
public final class WordPieceTokenizer: Sendable {
    /// The vocabulary.
    public let vocabulary: Vocabulary
    /// Whether `[CLS]`, `[MASK]` and the like in the text become the special tokens, as Hugging Face's do. Off where a
    /// corpus is prepared: text must not be able to end its own segment.
    public let recognisesSpecialTokens: Bool
    private let trie: PieceTrie
    private let unknownID: Int32
    private let specials: [(bytes: [UInt8], id: Int32)]

    /// The working memory of one thread.
    public struct Scratch {
        fileprivate var splitter = WordSplitter()
        /// Working memory with nothing in it.
        public init() {}
    }

    /// A tokenizer of `vocabulary`.
    public init(vocabulary: Vocabulary, recognisesSpecialTokens: Bool = true) {
        self.vocabulary = vocabulary
        self.recognisesSpecialTokens = recognisesSpecialTokens
        unknownID = vocabulary.unknownID
        trie = PieceTrie(tokens: vocabulary.tokens)
        specials = Vocabulary.Special.allCases.compactMap { special in
            vocabulary.id(of: special.rawValue).map { (Array(special.rawValue.utf8), $0) }
        }
    }

    /// The ids of `text`, without `[CLS]` and `[SEP]`.
    public func encode(_ text: String) -> [Int32] {
        var scratch = Scratch()
        var ids: [Int32] = []
        var text = text
        text.withUTF8 { encode(UnsafeRawBufferPointer($0), into: &ids, scratch: &scratch) }
        return ids
    }

    /// Appends the ids of `text`, valid UTF-8, to `ids`.
    public func encode(_ text: UnsafeRawBufferPointer, into ids: inout [Int32], scratch: inout Scratch) {
        guard recognisesSpecialTokens else {
            encodePlain(text, into: &ids, scratch: &scratch)
            return
        }
        var start = 0
        var index = 0
        while index < text.count {
            if text[index] == UInt8(ascii: "["),
                let special = specials.first(where: { Self.matches($0.bytes, text, index) })
            {
                encodePlain(UnsafeRawBufferPointer(rebasing: text[start..<index]), into: &ids, scratch: &scratch)
                ids.append(special.id)
                index += special.bytes.count
                start = index
            } else {
                index += 1
            }
        }
        encodePlain(UnsafeRawBufferPointer(rebasing: text[start...]), into: &ids, scratch: &scratch)
    }

    private static func matches(_ bytes: [UInt8], _ text: UnsafeRawBufferPointer, _ index: Int) -> Bool {
        index + bytes.count <= text.count && text[index..<index + bytes.count].elementsEqual(bytes)
    }

    private func encodePlain(_ text: UnsafeRawBufferPointer, into ids: inout [Int32], scratch: inout Scratch) {
        let states = trie.states
        let continuation = trie.continuation
        scratch.splitter.forEachWord(of: text) { word, scalars in
            append(word, scalars: scalars, states: states, continuation: continuation, to: &ids)
        }
    }

    /// Greedy longest match first; a word with a part that no entry matches is [UNK] whole.
    @inline(__always)
    private func append(
        _ word: UnsafeBufferPointer<UInt8>, scalars: Int, states: UnsafeBufferPointer<PieceTrie.State>,
        continuation: Int32, to ids: inout [Int32]
    ) {
        let before = ids.count
        var start = 0
        var root: Int32 = 0
        if scalars > WordSplitter.longestWord {
            ids.append(unknownID)
            return
        }
        while start < word.count {
            var state = root
            var found: Int32 = -1
            var end = start
            var index = start
            while index < word.count, state >= 0 {
                let next = Int(states[Int(state)].base) ^ Int(word[index])
                guard next < states.count, states[next].parent == state else { break }
                state = Int32(next)
                index += 1
                if states[next].id >= 0 {
                    found = states[next].id
                    end = index
                }
            }
            guard found >= 0 else {
                ids.removeLast(ids.count - before)
                ids.append(unknownID)
                return
            }
            ids.append(found)
            start = end
            root = continuation
        }
    }
}
