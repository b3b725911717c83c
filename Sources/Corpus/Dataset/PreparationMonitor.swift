import Jobs
import Synchronization

/// How far a preparation has come.
public struct PreparationProgress: Sendable, Hashable {
    /// What is being done.
    public enum Stage: String, Sendable, Hashable, CaseIterable {
        /// Digests of the files, to see what is there already.
        case checking
        /// Reading the text and counting its words.
        case countingWords = "counting words"
        /// Merging pairs into the vocabulary.
        case trainingVocabulary = "training the vocabulary"
        /// Reading the text, writing its tokens, and packing them into examples.
        case tokenizing
    }

    /// What is being done.
    public var stage: Stage
    /// How much of this stage is done, in [0, 1].
    public var fraction: Double
    /// Documents read in this stage.
    public var documents: Int
    /// Bytes of text read in this stage, unpacked.
    public var textBytes: Int
}

/// Collects the progress of all threads of a preparation, and tells them to stop.
final class PreparationMonitor: Sendable {
    private let state: Mutex<(progress: PreparationProgress, parts: Double)>
    private let report: @Sendable (PreparationProgress) -> Void
    private let isCancelled: @Sendable () -> Bool

    /// - Parameters:
    ///   - report: called now and then, by one thread at a time.
    ///   - isCancelled: asked now and then, by any thread.
    init(report: @escaping @Sendable (PreparationProgress) -> Void, isCancelled: @escaping @Sendable () -> Bool) {
        state = Mutex((PreparationProgress(stage: .checking, fraction: 0, documents: 0, textBytes: 0), 1))
        self.report = report
        self.isCancelled = isCancelled
    }

    /// Throws `.cancelled` where that is wished.
    func check() throws {
        if isCancelled() { throw CorpusError.cancelled }
    }

    /// Begins a stage of `parts` parts in all, in whatever unit.
    func begin(_ stage: PreparationProgress.Stage, parts: Int) {
        state.withLock { state in
            state = (
                PreparationProgress(stage: stage, fraction: 0, documents: 0, textBytes: 0), Double(max(1, parts))
            )
            report(state.progress)
        }
    }

    /// Adds to what is done. Throws `.cancelled` where that is wished.
    func advance(parts: Int, documents: Int = 0, textBytes: Int = 0) throws {
        try check()
        state.withLock { state in
            state.progress.fraction = min(1, state.progress.fraction + Double(parts) / state.parts)
            state.progress.documents += documents
            state.progress.textBytes += textBytes
            report(state.progress)
        }
    }
}
