import Cluster
import Jobs

/// What went wrong in a run: it costs a worker, or ends the run.
package enum RunFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// A worker did not say hello in time.
    case workersMissing(arrived: Int, wanted: Int, missing: [WorkerRank], seconds: Double)
    /// A worker process ended too early.
    case workerEnded(rank: WorkerRank, exit: WorkerExit, step: StepNumber?, phase: String, lastWords: String?)
    /// A worker could not be started.
    case launch(rank: WorkerRank, reason: String)
    /// The process that holds the emulated network's links ended too early, or could not be started.
    case fabricEnded(exit: WorkerExit, lastWords: String?)
    case fabric(reason: String)
    /// A worker was silent for too long.
    case workerSilent(rank: WorkerRank, seconds: Double, step: StepNumber?, phase: String)
    /// A worker gave signs of life but got no further while others waited for it.
    case workerStuck(rank: WorkerRank, seconds: Double, step: StepNumber?, phase: String)
    /// A worker reported an error of its own.
    case workerFailed(rank: WorkerRank, step: StepNumber?, phase: String, reason: String)
    /// Workers that must agree did not.
    case disagreement(step: StepNumber, reason: String)
    /// All workers were lost, again and again, without a step in between.
    case noProgress(restarts: Int, cause: String)
    /// The text could not be turned into examples.
    case dataset(reason: String)
    /// Records could not be stored.
    case store(reason: String)

    package var description: String {
        switch self {
        case .workersMissing(let arrived, let wanted, let missing, let seconds):
            "\(arrived) of \(wanted) workers arrived within \(Int(seconds)) s; missing: "
                + missing.map(\.description).joined(separator: ", ")
        case .workerEnded(let rank, let exit, let step, let phase, let lastWords):
            "worker \(rank) ended \(Self.place(step, phase)): \(exit)" + (lastWords.map { ": \($0)" } ?? "")
        case .launch(let rank, let reason): "worker \(rank) could not be started: \(reason)"
        case .fabricEnded(let exit, let lastWords):
            "the fabric, the process that holds the emulated network's links, ended: \(exit)"
                + (lastWords.map { ": \($0)" } ?? "")
        case .fabric(let reason): "the fabric of the emulated network could not be started: \(reason)"
        case .workerSilent(let rank, let seconds, let step, let phase):
            "worker \(rank) was silent for \(Int(seconds)) s \(Self.place(step, phase))"
        case .workerStuck(let rank, let seconds, let step, let phase):
            "worker \(rank) made no progress for \(Int(seconds)) s \(Self.place(step, phase)), though it gave signs of life"
        case .workerFailed(let rank, let step, let phase, let reason):
            "worker \(rank) failed \(Self.place(step, phase)): \(reason)"
        case .disagreement(let step, let reason): "workers disagree about step \(step): \(reason)"
        case .noProgress(let restarts, let cause):
            "all workers were lost \(restarts + 1) times without a step in between, so the run was not started again; "
                + "what came first: \(cause)"
        case .dataset(let reason): reason
        case .store(let reason): "the run's records could not be stored: \(reason)"
        }
    }

    private static func place(_ step: StepNumber?, _ phase: String) -> String {
        step.map { "in step \($0) (\(phase))" } ?? "before the first step (\(phase))"
    }
}
