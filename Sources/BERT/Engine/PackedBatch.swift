import CKernels

/// A batch without its padding: rows of every `[tokens, …]` matrix are the real tokens, sequence after sequence.
///
/// The heads read only the masked tokens and, with a next-sentence head, the first ones. What the last encoder layer
/// computes for other tokens beyond their keys and values is used by nothing and has no gradient, so it is left out:
/// from its queries on, that layer has `[reads, …]` matrices.
struct PackedBatch {
    let tokenCount: Int
    /// First row of each sequence, and the end of the last.
    let starts: [Int]
    let ids: [Int32]
    let types: [UInt8]
    /// Number in the global batch of the example that each row belongs to, and the row's position in it.
    let examples: [UInt32]
    let positions: [UInt32]
    /// Rows that the heads read, ascending; first of each sequence among them, and the end of the last.
    let reads: [Int]
    let readStarts: [Int]
    let readExamples: [UInt32]
    let readPositions: [UInt32]
    /// Where among the reads each masked token is, and each sequence's first token.
    let maskedReads: [Int]
    let firstReads: [Int]

    var sequences: Int { starts.count - 1 }
    var longest: Int { (0..<sequences).reduce(0) { max($0, starts[$1 + 1] - starts[$1]) } }

    /// Checks `batch` against the model and packs it; throws `BERTError.batch`.
    init(_ batch: TokenBatch, configuration: BERTConfiguration, firstExample: UInt32) throws {
        try Self.check(batch, configuration)
        var starts = [0]
        var ids: [Int32] = []
        var types: [UInt8] = []
        var examples: [UInt32] = []
        var positions: [UInt32] = []
        let total = batch.tokenCount
        ids.reserveCapacity(total)
        types.reserveCapacity(total)
        examples.reserveCapacity(total)
        positions.reserveCapacity(total)
        for sequence in 0..<batch.sequences {
            let length = Int(batch.lengths[sequence])
            let range = sequence * batch.sequenceLength..<sequence * batch.sequenceLength + length
            ids.append(contentsOf: batch.inputIDs[range])
            types.append(contentsOf: batch.tokenTypes[range])
            examples.append(contentsOf: repeatElement(firstExample &+ UInt32(sequence), count: length))
            positions.append(contentsOf: 0..<UInt32(length))
            starts.append(starts[sequence] + length)
        }
        let reads = Reads(batch, starts, nextSentence: configuration.nextSentence)
        self.reads = reads.rows
        readStarts = reads.starts
        maskedReads = reads.masked
        firstReads = reads.first
        // One more than there are, so that an empty list has an address too.
        readExamples = reads.rows.map { examples[$0] } + [0]
        readPositions = reads.rows.map { positions[$0] } + [0]
        tokenCount = total
        self.starts = starts
        self.ids = ids
        self.types = types
        self.examples = examples
        self.positions = positions
    }

    /// Rows that the heads read, and where among them masked and first tokens are.
    private struct Reads {
        var rows: [Int] = []
        var starts = [0]
        var masked: [Int] = []
        var first: [Int] = []

        init(_ batch: TokenBatch, _ starts: [Int], nextSentence: Bool) {
            var next = 0
            for sequence in 0..<batch.sequences {
                if nextSentence {
                    first.append(rows.count)
                    rows.append(starts[sequence])
                }
                while next < batch.maskedPositions.count,
                    Int(batch.maskedPositions[next]) / batch.sequenceLength == sequence
                {
                    let row = starts[sequence] + Int(batch.maskedPositions[next]) % batch.sequenceLength
                    if rows.last != row { rows.append(row) }
                    masked.append(rows.count - 1)
                    next += 1
                }
                self.starts.append(rows.count)
            }
        }
    }

    private static func check(_ batch: TokenBatch, _ configuration: BERTConfiguration) throws {
        func require(_ condition: Bool, _ field: String, _ found: @autoclosure () -> String, _ allowed: String) throws {
            if !condition { throw BERTError.batch(field: field, found: found(), allowed: allowed) }
        }
        let (sequences, length) = (batch.sequences, batch.sequenceLength)
        try require(sequences >= 1, "sequences", "\(sequences)", "at least 1")
        try require(
            1...configuration.positions ~= length, "sequence_length", "\(length)", "1 to \(configuration.positions)")
        let room = sequences * length
        try require(batch.inputIDs.count == room, "input_ids", "\(batch.inputIDs.count) numbers", "\(room)")
        try require(batch.tokenTypes.count == room, "token_type_ids", "\(batch.tokenTypes.count) numbers", "\(room)")
        try require(batch.lengths.count == sequences, "lengths", "\(batch.lengths.count) numbers", "\(sequences)")
        for (sequence, count) in batch.lengths.enumerated() {
            try require(1...length ~= Int(count), "lengths[\(sequence)]", "\(count)", "1 to \(length)")
            let start = sequence * length
            for token in start..<start + Int(count) {
                let id = batch.inputIDs[token]
                try require(
                    id >= 0 && Int(id) < configuration.vocabularySize, "input_ids[\(token)]", "\(id)",
                    "0 to \(configuration.vocabularySize - 1)")
                let type = batch.tokenTypes[token]
                try require(
                    Int(type) < configuration.typeVocabulary, "token_type_ids[\(token)]", "\(type)",
                    "0 to \(configuration.typeVocabulary - 1)")
            }
        }
        try require(
            batch.maskedLabels.count == batch.maskedPositions.count, "mlm_labels",
            "\(batch.maskedLabels.count) numbers",
            "\(batch.maskedPositions.count), as many as masked positions")
        var last: Int32 = -1
        for (index, position) in batch.maskedPositions.enumerated() {
            let inside =
                position >= 0 && Int(position) < room
                && Int(position) % length < Int(batch.lengths[Int(position) / length])
            try require(
                inside && position > last, "mlm_positions[\(index)]", "\(position)", "ascending real tokens, none twice"
            )
            last = position
            let label = batch.maskedLabels[index]
            try require(
                label >= 0 && Int(label) < configuration.vocabularySize, "mlm_labels[\(index)]", "\(label)",
                "0 to \(configuration.vocabularySize - 1)")
        }
        let labels = configuration.nextSentence ? sequences : 0
        try require(
            batch.nextSentenceLabels.count == labels || (!configuration.nextSentence),
            "next_sentence_labels", "\(batch.nextSentenceLabels.count) numbers", "\(labels)")
        if configuration.nextSentence {
            for (sequence, label) in batch.nextSentenceLabels.enumerated() {
                try require(label == 0 || label == 1, "next_sentence_labels[\(sequence)]", "\(label)", "0 or 1")
            }
        }
    }

    /// Calls `body` with the kernels' view of all tokens, and of those that the heads read.
    func withTokens<Result>(_ body: (_ all: wm_tokens, _ reads: wm_tokens) throws -> Result) rethrows -> Result {
        try Self.view(examples, positions, tokenCount) { all in
            try Self.view(readExamples, readPositions, reads.count) { reads in try body(all, reads) }
        }
    }

    private static func view<Result>(
        _ examples: [UInt32], _ positions: [UInt32], _ count: Int, _ body: (wm_tokens) throws -> Result
    ) rethrows -> Result {
        try examples.withUnsafeBufferPointer { examples in
            try positions.withUnsafeBufferPointer { positions in
                guard let examples = examples.baseAddress, let positions = positions.baseAddress else {
                    preconditionFailure("neither list is ever empty")
                }
                return try body(wm_tokens(count: count, example: examples, position: positions))
            }
        }
    }
}
