import BERT

/// Puts examples of different lengths side by side, padded to one length.
struct TokenBatchBuilder {
    /// The examples so far.
    private(set) var batch: TokenBatch

    /// An empty batch of sequences of `sequenceLength`, with room for `capacity` of them.
    init(sequenceLength: Int, capacity: Int) {
        batch = TokenBatch(
            sequences: 0, sequenceLength: sequenceLength, inputIDs: [], tokenTypes: [], lengths: [],
            maskedPositions: [],
            maskedLabels: [], nextSentenceLabels: [])
        batch.inputIDs.reserveCapacity(capacity * sequenceLength)
        batch.tokenTypes.reserveCapacity(capacity * sequenceLength)
    }

    /// Adds an example of at most `sequenceLength` tokens; masked positions count from its start.
    mutating func append(
        inputIDs: [Int32], tokenTypes: [UInt8], maskedPositions: [Int32], maskedLabels: [Int32],
        nextSentenceLabel: Int32?
    ) {
        let start = batch.sequences * batch.sequenceLength
        let padding = batch.sequenceLength - inputIDs.count
        batch.inputIDs += inputIDs
        batch.inputIDs += repeatElement(0, count: padding)
        batch.tokenTypes += tokenTypes
        batch.tokenTypes += repeatElement(0, count: padding)
        batch.lengths.append(Int32(inputIDs.count))
        batch.maskedPositions += maskedPositions.map { Int32(start) + $0 }
        batch.maskedLabels += maskedLabels
        if let nextSentenceLabel { batch.nextSentenceLabels.append(nextSentenceLabel) }
        batch.sequences += 1
    }

    /// Notes that the example of that checksum is in the batch.
    mutating func count(_ checksum: UInt64) { batch.examplesChecksum &+= checksum }
}
