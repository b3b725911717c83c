/// What the program's exit code says.
enum ExitStatus: Int32 {
    /// What was asked for is done.
    case done = 0
    /// It was tried and failed.
    case failed = 1
    /// The command line or a file that it names is wrong; nothing was started.
    case wrongUsage = 2
    /// A worker ended because its coordinator has gone or has been silent for too long.
    case coordinatorLost = 3
    /// A run was given up: all its workers were lost again and again without a step in between.
    case noProgress = 4
    /// The user interrupted it.
    case interrupted = 130
}

/// Why a command ends without having done what was asked for, where no library's error says it.
enum CommandFailure: Error, CustomStringConvertible {
    /// It was tried and failed.
    case failed(String)
    /// The command line or a file that it names is wrong.
    case wrongUsage(String)
    /// It failed, and what it printed says why.
    case alreadyReported
    /// A run was given up for want of progress, and what was printed says why.
    case gaveUp

    var description: String {
        switch self {
        case .failed(let reason), .wrongUsage(let reason): reason
        case .alreadyReported, .gaveUp: ""
        }
    }
}
