import Foundation

/// A process of the program under test. It is killed, if it still runs, when this goes away.
///
/// Its output goes to files, so that no pipe can fill up and block it.
public final class RunningProgram: @unchecked Sendable {
    // Sendable: `process` is only started in `init` and asked for its state afterwards, which Foundation allows from any
    // thread; everything else is immutable.
    private let process = Process()
    private let folder: TemporaryFolder

    /// Starts `path`.
    init(path: String, arguments: [String], environment: [String: String]) throws {
        folder = try TemporaryFolder()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { _, new in new }
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try Self.file(folder.path + "/out")
        process.standardError = try Self.file(folder.path + "/err")
        try process.run()
    }

    deinit {
        if process.isRunning { kill(process.processIdentifier, SIGKILL) }
    }

    private static func file(_ path: String) throws -> FileHandle {
        let url = URL(fileURLWithPath: path)
        try Data().write(to: url)
        return try FileHandle(forWritingTo: url)
    }

    /// The process's number.
    public var processID: Int32 { process.processIdentifier }
    /// Whether it still runs.
    public var isRunning: Bool { process.isRunning }
    /// What it has written so far.
    public var standardOutput: String { (try? String(contentsOfFile: folder.path + "/out", encoding: .utf8)) ?? "" }
    /// What it has written to its standard error so far.
    public var standardError: String { (try? String(contentsOfFile: folder.path + "/err", encoding: .utf8)) ?? "" }

    /// Sends a signal.
    public func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// Waits for its end, at most `seconds`.
    public func wait(seconds: Double) throws -> Program.Outcome {
        guard Eventually.holds(within: seconds, { !process.isRunning }) else {
            kill(process.processIdentifier, SIGKILL)
            process.waitUntilExit()
            throw ProgramError.tooSlow(seconds: seconds, standardError: standardError)
        }
        process.waitUntilExit()
        let status =
            process.terminationReason == .uncaughtSignal
            ? 128 + process.terminationStatus : process.terminationStatus
        return Program.Outcome(status: status, standardOutput: standardOutput, standardError: standardError)
    }
}

/// Bounded waiting for what another process does.
public enum Eventually {
    /// Looks every 10 ms whether `condition` holds, for at most `seconds`; the answer is whether it came to hold.
    public static func holds(within seconds: Double, _ condition: () -> Bool) -> Bool {
        let end = DispatchTime.now() + seconds
        while DispatchTime.now() < end {
            if condition() { return true }
            usleep(10_000)
        }
        return condition()
    }
}
