import Jobs

/// Starts worker processes where they are to run: on this host, or through a site's scheduler.
public protocol WorkerLauncher: Sendable {
    /// Starts one worker and returns when it has ended. Cancelling the task ends the worker: asked first, then killed.
    ///
    /// - Parameter started: called once with the worker's process id, as soon as there is one.
    /// - Throws: `LauncherError` where it could not be started.
    func run(_ worker: WorkerCommand, started: @escaping @Sendable (Int32) -> Void) async throws -> WorkerExit
}

/// What a launcher needs to know of a worker.
public struct WorkerCommand: Sendable, Hashable {
    /// The worker's number, nil for a process that is none; the run that it is to join; and how its gradients travel.
    public var rank: WorkerRank?
    public var run: RunID?
    public var transport: Transport
    /// The TCP port at which workers of other hosts are taken; nil where there is none.
    public var port: Int?
    /// The files of the run's folder that hold a worker's key and the run's secret; nil where none travels by file.
    public var keyFile: String?
    public var tokenFile: String?
    /// Cores that it computes on.
    public var cores = 1
    /// The program and its arguments.
    public var executable: String
    public var arguments: [String]
    /// Variables added to the launcher's own environment. The run's secret travels here, not in the arguments, which
    /// every user of the host can read.
    public var environment: [String: String]
    /// The file that takes its standard output and error.
    public var log: String

    /// A command of the given parts.
    public init(
        rank: WorkerRank?, run: RunID? = nil, transport: Transport = .ipc, port: Int? = nil, executable: String,
        arguments: [String], environment: [String: String], log: String
    ) {
        self.rank = rank
        self.run = run
        self.transport = transport
        self.port = port
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.log = log
    }
}

/// How a worker process ended.
public enum WorkerExit: Hashable, Sendable, CustomStringConvertible {
    /// By itself, with a status.
    case status(Int32)
    /// By a signal.
    case signal(Int32)
    /// By a site's scheduler, in its own words.
    case scheduler(String)

    public var description: String {
        switch self {
        case .status(137): "exit status 137, as after a kill for want of memory"
        case .status(let code): "exit status \(code)"
        case .scheduler(let state): "ended by the scheduler (\(state))"
        case .signal(let number): "signal \(number)\(Self.names[number].map { " (\($0))" } ?? "")"
        }
    }

    private static let names: [Int32: String] = [
        1: "SIGHUP", 2: "SIGINT", 4: "SIGILL", 6: "SIGABRT", 7: "SIGBUS", 8: "SIGFPE", 9: "SIGKILL", 11: "SIGSEGV",
        13: "SIGPIPE", 15: "SIGTERM",
    ]
}

/// Why a worker could not be started.
public enum LauncherError: Error, Sendable, CustomStringConvertible {
    /// Its log can't be written.
    case log(path: String, reason: String)
    /// The process could not be made.
    case spawn(executable: String, reason: String)
    /// A site's scheduler did not do what it was asked for.
    case scheduler(program: String, reason: String)

    public var description: String {
        switch self {
        case .log(let path, let reason): "the worker's log can't be written: \(path): \(reason)"
        case .spawn(let executable, let reason): "the worker could not be started: \(executable): \(reason)"
        case .scheduler(let program, let reason): "the worker could not be started: \(program): \(reason)"
        }
    }
}
