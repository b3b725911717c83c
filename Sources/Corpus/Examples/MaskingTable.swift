/// What masking needs to know of a vocabulary's entries.
struct MaskingTable: Sendable {
    /// What replaces a masked token.
    let maskID: Int32
    /// The ids that a random replacement is drawn from: every entry but the special ones.
    let replacements: [Int32]
    /// For each entry, whether it goes on with the word before it (`##`).
    private let continues: [Bool]
    private let vocabulary: (padding: Int32, classifier: Int32, separator: Int32)

    init(_ vocabulary: Vocabulary) {
        maskID = vocabulary.maskID
        replacements = (0..<Int32(vocabulary.count)).filter { !vocabulary.isSpecial($0) }
        continues = vocabulary.tokens.map { $0.utf8.starts(with: "##".utf8) }
        self.vocabulary = (vocabulary.paddingID, vocabulary.classifierID, vocabulary.separatorID)
    }

    /// Whether the token may be chosen for prediction.
    @inline(__always)
    func isCandidate(_ id: Int32) -> Bool {
        id != vocabulary.separator && id != vocabulary.classifier && id != vocabulary.padding
    }

    /// Whether the token goes on with the word before it.
    @inline(__always)
    func isContinuation(_ id: Int32) -> Bool { continues[Int(id)] }
}
