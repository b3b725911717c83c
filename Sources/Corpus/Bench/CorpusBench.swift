import Foundation
import Jobs

/// What this machine reaches on a corpus. All times are on the host clock.
public enum CorpusBench {
    /// Where a bench's text comes from.
    public enum Source: Sendable {
        /// Text files, plain or `.gz`, read so many times.
        case files([String], times: Int)
        /// Synthetic abstracts.
        case synthetic(documents: Int)
    }

    /// How fast text becomes word pieces, from memory to memory.
    public struct Tokenizer: Sendable, Encodable {
        /// The text's size in bytes.
        public var textBytes: Int
        /// Word pieces of it.
        public var tokens: Int
        /// Entries of the vocabulary.
        public var vocabularySize: Int
        /// Threads of the second measurement.
        public var threads: Int
        /// Rounds measured; the rates are of the median round.
        public var rounds: Int
        /// Text a second on one thread, in units of 10^6 bytes.
        public var megabytesPerSecondOneThread: Double
        /// Text a second on all threads together.
        public var megabytesPerSecondAllThreads: Double
    }

    /// How fast a vocabulary is learned, from files to the finished vocabulary.
    public struct VocabularyTraining: Sendable, Encodable {
        /// The text's size in bytes, unpacked.
        public var textBytes: Int
        /// Entries learned.
        public var vocabularySize: Int
        /// Threads that count words.
        public var threads: Int
        /// Reading and counting words.
        public var countingSeconds: Double
        /// Merging pairs.
        public var mergingSeconds: Double
        /// Both together.
        public var seconds: Double
        /// Text a second of both together, in units of 10^6 bytes.
        public var megabytesPerSecond: Double
        /// The process's largest resident memory.
        public var peakRssBytes: Int
    }

    /// How fast examples are made from a dataset.
    public struct Examples: Sendable, Encodable {
        /// Tokens of a sequence at most.
        public var sequence: Int
        /// Examples that were made in each measurement.
        public var examples: Int
        /// Threads of the second measurement.
        public var threads: Int
        /// One example on one thread.
        public var microsecondsPerExample: Double
        /// Examples a second on one thread.
        public var examplesPerSecondOneThread: Double
        /// Examples a second on all threads together.
        public var examplesPerSecondAllThreads: Double
        /// The process's largest resident memory.
        public var peakRssBytes: Int
    }

    // MARK: - Measuring

    /// Measures the tokenizer on `source`, at most `limit` bytes of it, with the vocabulary at `path` or one learned from
    /// the text.
    public static func tokenizer(
        _ source: Source, vocabulary path: String?, limit: Int, threads: Int, rounds: Int
    ) throws -> Tokenizer {
        let documents = try texts(source, limit: limit)
        let bytes = documents.reduce(0) { $0 + $1.bytes.count }
        let vocabulary: Vocabulary
        if let path {
            vocabulary = try Vocabulary(path: path)
        } else {
            var trainer = VocabularyTrainer(VocabularyTrainer.Settings(size: 8192))
            for document in documents { trainer.add(document) }
            do {
                vocabulary = try trainer.train()
            } catch CorpusError.vocabularyTooLarge(_, let possible) {
                var trainer = VocabularyTrainer(VocabularyTrainer.Settings(size: possible))
                for document in documents { trainer.add(document) }
                vocabulary = try trainer.train()
            }
        }
        let tokenizer = WordPieceTokenizer(vocabulary: vocabulary, recognisesSpecialTokens: false)
        @Sendable func encode(_ range: Range<Int>) -> Int {
            var scratch = WordPieceTokenizer.Scratch()
            var ids: [Int32] = []
            var tokens = 0
            for document in documents[range] {
                ids.removeAll(keepingCapacity: true)
                document.bytes.withUnsafeBytes { bytes in
                    for sentence in 0..<document.sentenceCount {
                        tokenizer.encode(
                            UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: sentence)]), into: &ids,
                            scratch: &scratch)
                    }
                }
                tokens += ids.count
            }
            return tokens
        }
        let tokens = encode(documents.indices)
        let alone = median(rounds) { _ = encode(documents.indices) }
        let together = try median(rounds) {
            try WorkerThreads.runInOrder(jobs: threads, threads: threads) { thread in
                encode(documents.count * thread / threads..<documents.count * (thread + 1) / threads)
            } take: { _, _ in
            }
        }
        return Tokenizer(
            textBytes: bytes, tokens: tokens, vocabularySize: vocabulary.count, threads: threads, rounds: rounds,
            megabytesPerSecondOneThread: Double(bytes) / 1e6 / alone,
            megabytesPerSecondAllThreads: Double(bytes) / 1e6 / together)
    }

    /// Measures the learning of a vocabulary of `size` entries.
    public static func vocabulary(_ source: Source, size: Int, threads: Int) throws -> VocabularyTraining {
        let moments = Moments()
        let monitor = PreparationMonitor(report: { moments.note($0) }, isCancelled: { false })
        let text = try InputText(request(source), monitor: monitor)
        let start = MonotonicInstant.now()
        let vocabulary = try VocabularyPass(text: text, heldOut: 0, seed: 1, monitor: monitor)
            .train(VocabularyTrainer.Settings(size: size), threads: threads)
        let end = MonotonicInstant.now()
        let merging = moments.merging ?? end
        let seconds = end.elapsed(since: start).seconds
        return VocabularyTraining(
            textBytes: moments.textBytes, vocabularySize: vocabulary.count, threads: threads,
            countingSeconds: merging.elapsed(since: start).seconds, mergingSeconds: end.elapsed(since: merging).seconds,
            seconds: seconds, megabytesPerSecond: Double(moments.textBytes) / 1e6 / seconds,
            peakRssBytes: HostProcess.peakResidentBytes)
    }

    /// Measures the reading of training examples in a job's shuffled order.
    public static func examples(
        _ dataset: Dataset, sequence: Int, examples settings: ExampleSettings? = nil, count: Int, threads: Int
    ) throws -> Examples {
        let reader = try ExampleReader(dataset, seed: 1, examples: settings)
        let sink = Moments()
        @Sendable func read(_ range: Range<Int>) throws -> Int {
            var tokens = 0
            for position in range {
                let (number, epoch) = try dataset.number(at: UInt64(position), sequence: sequence, seed: 1)
                tokens += try reader.example(
                    sequence: sequence, split: .training, number: number, epoch: epoch
                ).inputIDs.count
            }
            return tokens
        }
        // The first pass brings the files into memory.
        _ = try read(0..<min(count, dataset.exampleCount(sequence: sequence, split: .training)))
        let alone = try median(3) { sink.keep(try read(0..<count)) }
        let together = try median(3) {
            try WorkerThreads.runInOrder(jobs: threads, threads: threads) { thread in
                try read(count * thread / threads..<count * (thread + 1) / threads)
            } take: { _, tokens in
                sink.keep(tokens)
            }
        }
        return Examples(
            sequence: sequence, examples: count, threads: threads, microsecondsPerExample: alone / Double(count) * 1e6,
            examplesPerSecondOneThread: Double(count) / alone, examplesPerSecondAllThreads: Double(count) / together,
            peakRssBytes: HostProcess.peakResidentBytes)
    }

    // MARK: - Parts

    private static func request(_ source: Source) -> DatasetRequest.Text {
        switch source {
        case .files(let paths, let times):
            .files((0..<max(1, times)).flatMap { _ in paths.map { DatasetRequest.TextFile(path: $0) } })
        case .synthetic(let documents): .synthetic(documents: documents, seed: 1)
        }
    }

    private static func texts(_ source: Source, limit: Int) throws -> [TextDocument] {
        let monitor = PreparationMonitor(report: { _ in }, isCancelled: { false })
        let text = try InputText(request(source), monitor: monitor)
        var documents: [TextDocument] = []
        var bytes = 0
        struct Enough: Error {}
        do {
            for group in text.groups {
                _ = try text.forEachDocument(of: group, monitor: monitor) { document in
                    documents.append(document)
                    bytes += document.bytes.count
                    if bytes >= limit { throw Enough() }
                }
            }
        } catch is Enough {}
        return documents
    }

    private static func median(_ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
        var seconds: [Double] = []
        for _ in 0..<max(1, rounds) {
            let start = MonotonicInstant.now()
            try body()
            seconds.append(MonotonicInstant.now().elapsed(since: start).seconds)
        }
        return Quantiles(seconds).median ?? 0
    }
}
