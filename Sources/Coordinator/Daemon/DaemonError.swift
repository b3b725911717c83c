import Jobs

/// Why the daemon, or a request to it, failed.
public enum DaemonError: Error, Sendable, CustomStringConvertible {
    /// Another daemon holds the state directory.
    case alreadyRunning(state: String, processID: Int32?)
    /// No daemon answers for the state directory.
    case notRunning(state: String)
    /// The state directory can't be used.
    case unusableState(path: String, reason: String)
    /// A daemon holds the state directory and does not answer.
    case noAnswer(state: String, seconds: Double)
    /// The daemon refused a request.
    case refused(reason: String)
    /// This program's own file can't be found, so that it can't start workers.
    case noExecutable(reason: String)
    /// A daemon elsewhere did not answer, or refuses the client's key.
    case unreachable(endpoint: String, seconds: Double)
    case keyRefused(endpoint: String)

    public var description: String {
        switch self {
        case .alreadyRunning(let state, let processID):
            "a daemon already runs on \(state)\(processID.map { " (process \($0))" } ?? ""); "
                + "use it, stop it, or give another folder with --state"
        case .notRunning(let state):
            "no daemon runs on \(state); start one with 'wafermark serve', or use 'wafermark compare', which brings its own"
        case .unusableState(let path, let reason):
            "the state directory can't be used: \(path): \(reason); give another folder with --state"
        case .noAnswer(let state, let seconds):
            "the daemon on \(state) did not answer within \(seconds) s; see its log, or stop it and start it again"
        case .refused(let reason): reason
        case .noExecutable(let reason): "workers can't be started: this program's own file was not found: \(reason)"
        case .unreachable(let endpoint, let seconds):
            "the daemon at \(endpoint) did not answer within \(seconds) s: it may not run or not be reached, or it has another "
                + "key than the one that the key file names"
        case .keyRefused(let endpoint):
            "the daemon at \(endpoint) refuses this key: it was revoked, or was made for another daemon"
        }
    }
}
