/// What a run may take of its machine at most. Nil stands for no limit.
public struct RunLimits: Hashable, Sendable, Codable {
    /// Memory of all its processes together.
    public var memory: Bytes?
    /// Its files: checkpoints, the model, logs. Prepared text, which runs share, is not counted.
    public var disk: Bytes?
    /// From when it is begun, or gone on with, to its end: text, start and evaluations included.
    public var time: HostSeconds?
    /// Worker processes, those that join later included.
    public var workers: Int?

    /// The given limits.
    public init(memory: Bytes? = nil, disk: Bytes? = nil, time: HostSeconds? = nil, workers: Int? = nil) {
        self.memory = memory
        self.disk = disk
        self.time = time
        self.workers = workers
    }

    /// Whether there is no limit.
    public var isEmpty: Bool { self == RunLimits() }

    /// The narrower of both limits, each by itself.
    public func tightened(by other: RunLimits) -> RunLimits {
        func least<Value: Comparable>(_ one: Value?, _ two: Value?) -> Value? {
            guard let one else { return two }
            return two.map { min(one, $0) } ?? one
        }
        return RunLimits(
            memory: least(memory, other.memory), disk: least(disk, other.disk), time: least(time, other.time),
            workers: least(workers, other.workers))
    }
}
