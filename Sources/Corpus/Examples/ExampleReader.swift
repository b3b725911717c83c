import Jobs

/// Reads a dataset's examples as a job sees them: the masks and the random next segments that the dataset leaves open are
/// drawn from a seed.
///
/// Every example is a pure function of the dataset and the arguments, so any worker makes exactly its lanes' batches with
/// no state shared with others.
public struct ExampleReader: Sendable {
    /// What is read.
    public let dataset: Dataset
    private let seed: UInt64
    private let masking: Masking
    private let staticMasks: Int?

    /// - Parameters:
    ///   - seed: of what is drawn anew each epoch; where masks are static, the dataset's own seed counts instead.
    ///   - examples: the masks wanted, by default those that the dataset was made with. Throws `.unfitDataset` where the
    ///     dataset can't give them.
    public init(_ dataset: Dataset, seed: UInt64, examples: ExampleSettings? = nil) throws {
        self.dataset = dataset
        let examples = examples ?? dataset.manifest.settings.examples
        try dataset.check(sequences: [], examples: examples)
        staticMasks = examples.staticMasks
        self.seed = examples.staticMasks == nil ? seed : dataset.manifest.settings.seed
        masking = Masking(share: examples.maskedShare, kind: examples.masking, table: dataset.maskingTable)
    }

    /// Example `number` of `sequence` tokens at most, masked.
    ///
    /// What is drawn differs from `epoch` to epoch in training; held-out examples are always the same.
    /// - Parameter maskedPositions: masked positions at most; the masked share of a full sequence unless given.
    public func example(
        sequence: Int, split: Split, number: Int, epoch: UInt64 = 0, maskedPositions: Int? = nil
    ) throws -> Example {
        var text = try segments(sequence: sequence, split: split, number: number, epoch: epoch)
        Self.truncate(&text.segmentA, &text.segmentB, to: room(sequence), random: &text.random)

        var ids: [Int32] = []
        ids.reserveCapacity(sequence)
        ids.append(dataset.vocabulary.classifierID)
        try dataset[split].append(text.segmentA, of: text.home, to: &ids)
        ids.append(dataset.vocabulary.separatorID)
        var types = [UInt8](repeating: 0, count: ids.count)
        if hasPairs {
            try dataset[split].append(text.segmentB, of: text.other, to: &ids)
            ids.append(dataset.vocabulary.separatorID)
            types.append(contentsOf: repeatElement(1, count: ids.count - types.count))
        }
        var maskRandom = CounterRandom(
            seed: seed, purpose: .masking, step: drawing(split, epoch), example: UInt32(number))
        let limit = maskedPositions ?? masking.limit(ofSequence: sequence)
        let masked = masking.apply(to: &ids, limit: limit, random: &maskRandom)
        return Example(
            inputIDs: ids, tokenTypes: types, maskedPositions: masked.positions, maskedLabels: masked.labels,
            isNext: text.isNext)
    }

    /// The tokens of the example that `example` makes of the same arguments, without making it.
    public func length(sequence: Int, split: Split, number: Int, epoch: UInt64 = 0) throws -> Int {
        let text = try segments(sequence: sequence, split: split, number: number, epoch: epoch)
        return min(text.segmentA.count + text.segmentB.count, room(sequence)) + sequence - room(sequence)
    }

    private var hasPairs: Bool { dataset.manifest.settings.examples.nextSentence }

    /// Tokens of a sequence beside `[CLS]` and the `[SEP]`s.
    private func room(_ sequence: Int) -> Int { sequence - (hasPairs ? 3 : 2) }

    /// Where an example's text lies, before any of it is cut off.
    private struct Segments {
        var home: SideReader.Document
        var segmentA: Range<Int>
        var other: SideReader.Document
        var segmentB: Range<Int>
        var isNext: Bool
        /// The generator as drawing the text left it.
        var random: CounterRandom
    }

    private func segments(sequence: Int, split: Split, number: Int, epoch: UInt64) throws -> Segments {
        let side = dataset[split]
        let (entry, home) = try side.example(number, sequence: sequence)
        var random = CounterRandom(
            seed: seed, purpose: .sentencePairs, step: drawing(split, epoch), example: UInt32(number))
        let first = Int(entry.firstSentence)
        let segmentA = try side.tokens(of: home, sentences: first, count: max(1, Int(entry.sentencesA)))
        var (other, segmentB) = (home, 0..<0)
        if entry.isRandomNext {
            (other, segmentB) = try randomSegment(
                of: side, notFrom: side.number(of: entry, in: home), tokens: max(1, Int(entry.target) - segmentA.count),
                random: &random)
        } else if entry.sentencesB > 0 {
            segmentB = try side.tokens(of: home, sentences: first + Int(entry.sentencesA), count: Int(entry.sentencesB))
        }
        return Segments(
            home: home, segmentA: segmentA, other: other, segmentB: segmentB, isNext: !entry.isRandomNext,
            random: random)
    }

    /// What stands for the epoch in the counters of the generator.
    private func drawing(_ split: Split, _ epoch: UInt64) -> UInt64 {
        switch split {
        case .heldOut: .max
        case .training: staticMasks.map { epoch % UInt64($0) } ?? epoch
        }
    }

    /// Sentences of another document of the same side, from a random one on, until `tokens` are reached or it ends.
    private func randomSegment(
        of side: SideReader, notFrom document: Int, tokens: Int, random: inout CounterRandom
    ) throws -> (SideReader.Document, Range<Int>) {
        guard side.documentCount >= 2 else {
            throw CorpusError.badDataset(path: dataset.directory, reason: "a side has fewer than two documents")
        }
        // Drawing among the others: the last takes the place of the document itself.
        var chosen = random.nextIndex(below: side.documentCount - 1)
        if chosen == document { chosen = side.documentCount - 1 }
        let other = try side.document(chosen)
        let first = random.nextIndex(below: other.sentenceCount)
        var range = try side.tokens(of: other, sentences: first)
        var next = first + 1
        while range.count < tokens, next < other.sentenceCount {
            range = range.lowerBound..<(try side.tokens(of: other, sentences: next).upperBound)
            next += 1
        }
        return (other, range)
    }

    /// Takes tokens off the longer segment, at a random end each time, until both fit (`truncate_seq_pair`).
    private static func truncate(
        _ a: inout Range<Int>, _ b: inout Range<Int>, to room: Int, random: inout CounterRandom
    ) {
        func shorten(_ range: inout Range<Int>) {
            if random.nextUnit() < 0.5 {
                range = range.lowerBound + 1..<range.upperBound
            } else {
                range = range.lowerBound..<range.upperBound - 1
            }
        }
        while a.count + b.count > room {
            if a.count > b.count { shorten(&a) } else { shorten(&b) }
        }
    }
}
