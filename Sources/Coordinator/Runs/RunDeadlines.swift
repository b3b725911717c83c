/// Limits of time of a run, in seconds of the host's monotonic clock.
public struct RunDeadlines: Hashable, Sendable, Codable {
    /// From the start of the processes until all workers have said hello.
    public var join = 60.0
    /// Between two signs of life of a worker.
    public var heartbeat = 10.0
    /// Within which a worker must get on while others wait for it; at least twenty of the longest steps so far, so that one
    /// that is merely slow is not taken for lost.
    public var collective = 60.0
    /// Within which a worker must stop where it is, when asked to.
    public var halt = 60.0
    /// From a request to end until the last checkpoint is written.
    public var save = 60.0
    /// Without any progress, after which it is said who waits for whom.
    public var stall = 10.0

    /// The usual limits.
    public init() {}
}
