import Jobs
import Synchronization

/// When a preparation came to its stages, and what it read.
final class Moments: Sendable {
    private struct State {
        var merging: MonotonicInstant?
        var textBytes = 0
        var kept = 0
    }

    private let state = Mutex(State())

    /// Notes a report of progress.
    func note(_ progress: PreparationProgress) {
        state.withLock { state in
            switch progress.stage {
            case .checking, .tokenizing: break
            case .countingWords: state.textBytes = progress.textBytes
            case .trainingVocabulary: if state.merging == nil { state.merging = .now() }
            }
        }
    }

    /// Keeps a result from being optimised away.
    func keep(_ value: Int) { state.withLock { $0.kept &+= value } }

    /// When the merging of pairs began.
    var merging: MonotonicInstant? { state.withLock { $0.merging } }
    /// Bytes of text that were counted.
    var textBytes: Int { state.withLock { $0.textBytes } }
}
