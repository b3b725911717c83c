import Jobs

/// Why a worker ends before its run is complete.
public enum WorkerEnd: Error, Hashable, Sendable, CustomStringConvertible {
    /// The coordinator asked it to.
    case stopped(String)
    /// The coordinator won't have it.
    case refused(String)
    /// The coordinator had declared it lost.
    case fenced(String)
    /// The coordinator said nothing in time.
    case silence(what: String, seconds: Double)

    public var description: String {
        switch self {
        case .stopped(let reason): "the coordinator asked to stop: \(reason)"
        case .refused(let reason): "the coordinator refused this worker: \(reason)"
        case .fenced(let reason): "the coordinator had declared this worker lost: \(reason)"
        case .silence(let what, let seconds): "the coordinator did not send \(what) within \(Int(seconds)) s"
        }
    }
}

/// The membership that a worker belonged to is over: it stops where it is and says how far it came.
struct MembershipOver: Error, Hashable, Sendable, CustomStringConvertible {
    /// The membership to come.
    var next: Int
    var description: String { "membership \(next) is being formed" }
}
