import Foundation
import Jobs

/// Something that happened to a run and that its reader may want to know.
public struct RunEvent: Hashable, Sendable, Codable {
    /// What kind of thing.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        case stateChanged = "state_changed"
        case datasetPrepared = "dataset_prepared"
        case workerStarted = "worker_started"
        case workerJoined = "worker_joined"
        case workerLost = "worker_lost"
        case workerExited = "worker_exited"
        case membershipChanged = "membership_changed"
        case restarted
        case resumed
        case stalled
        case straggler
        case checkpointWritten = "checkpoint_written"
        case targetReached = "target_reached"
        case peerRefused = "peer_refused"
        case imported
        case warning
    }

    /// When, by the wall clock.
    public var time: Date
    /// What kind of thing.
    public var kind: Kind
    /// In words.
    public var message: String
    /// The worker concerned, if one is.
    public var rank: WorkerRank?
    /// The step concerned, if one is.
    public var step: StepNumber?

    /// An event of the given parts.
    public init(time: Date, kind: Kind, message: String, rank: WorkerRank? = nil, step: StepNumber? = nil) {
        self.time = time
        self.kind = kind
        self.message = message
        self.rank = rank
        self.step = step
    }
}
