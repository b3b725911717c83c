/// One document: its sentences' UTF-8 one after the other, and where each ends. Reused from document to document so that
/// reading allocates nothing.
public struct TextDocument: Sendable, Equatable {
    /// The sentences' valid UTF-8, with nothing between them.
    public var bytes: [UInt8] = []
    /// The end of each sentence in `bytes`, ascending; no sentence is empty.
    public var sentenceEnds: [Int] = []

    /// An empty document.
    public init() {}

    /// A document of `sentences`; empty ones are left out.
    public init(sentences: [String]) {
        for sentence in sentences { append(sentence) }
    }

    /// The number of sentences.
    public var sentenceCount: Int { sentenceEnds.count }

    /// The bytes of sentence `index`.
    public func range(ofSentence index: Int) -> Range<Int> {
        (index == 0 ? 0 : sentenceEnds[index - 1])..<sentenceEnds[index]
    }

    /// The sentences as strings.
    public var sentences: [String] {
        (0..<sentenceCount).map { String(decoding: bytes[range(ofSentence: $0)], as: UTF8.self) }
    }

    /// Adds a sentence, unless it is empty.
    public mutating func append(_ sentence: String) {
        guard !sentence.isEmpty else { return }
        bytes.append(contentsOf: sentence.utf8)
        sentenceEnds.append(bytes.count)
    }

    /// Empties the document and keeps its memory.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        sentenceEnds.removeAll(keepingCapacity: true)
    }

    /// A 64-bit digest of the sentences (FNV-1a over bytes and sentence ends): equal for equal documents wherever they
    /// stand, so that copies of one document fall on the same side of the held-out split.
    public var contentHash: UInt64 {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        var next = 0
        for end in sentenceEnds {
            while next < end {
                hash = (hash ^ UInt64(bytes[next])) &* 0x0000_0100_0000_01b3
                next += 1
            }
            hash = (hash ^ 0x0a) &* 0x0000_0100_0000_01b3
        }
        return hash
    }
}

/// Where documents come from, one after the other.
public protocol DocumentSource: AnyObject {
    /// Puts the next document into `document` and returns true, or returns false at the end.
    func next(into document: inout TextDocument) throws -> Bool
    /// How much of the source has been read, in [0, 1], for progress.
    var fractionRead: Double { get }
}
