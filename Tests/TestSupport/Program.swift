import Foundation

/// The program under test, started as a user would start it.
public struct Program: Sendable {
    /// What a finished process left.
    public struct Outcome: Sendable {
        /// The exit status, or 128 plus the signal that ended it.
        public var status: Int32
        /// What it wrote.
        public var standardOutput: String
        public var standardError: String

        /// The JSON document on standard output.
        public func json() throws -> [String: Any] {
            let value = try JSONSerialization.jsonObject(with: Data(standardOutput.utf8))
            guard let object = value as? [String: Any] else {
                throw ProgramError.notAnObject(standardOutput)
            }
            return object
        }
    }

    /// The program's file: beside the test bundle, where the build put both.
    public static func path() throws -> String {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
            .deletingLastPathComponent()
        if let link = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe"),
            !FileManager.default.isExecutableFile(atPath: folder.appendingPathComponent("wafermark").path)
        {
            folder = URL(fileURLWithPath: link).deletingLastPathComponent()
        }
        for _ in 0..<4 {
            let file = folder.appendingPathComponent("wafermark")
            if FileManager.default.isExecutableFile(atPath: file.path) { return file.path }
            folder.deleteLastPathComponent()
        }
        if let path = ProcessInfo.processInfo.environment["WAFERMARK_PROGRAM"] { return path }
        throw ProgramError.notBuilt
    }

    /// Runs the program with `arguments` and waits for its end, at most `seconds`.
    public static func run(
        _ arguments: [String], environment: [String: String] = [:], seconds: Double = 120
    ) throws -> Outcome {
        let running = try start(arguments, environment: environment)
        return try running.wait(seconds: seconds)
    }

    /// What another program prints, found in PATH.
    public static func command(_ name: String, _ arguments: [String], seconds: Double = 60) throws -> String {
        try RunningProgram(path: "/usr/bin/env", arguments: [name] + arguments, environment: [:])
            .wait(seconds: seconds).standardOutput
    }

    /// Starts the program with `arguments`; with `fileKibibytes`, no file that it writes may be larger (`ulimit -f`), with
    /// `descriptors`, no more of them may be open in each process (`ulimit -n`).
    public static func start(
        _ arguments: [String], environment: [String: String] = [:], fileKibibytes: Int? = nil, descriptors: Int? = nil
    ) throws -> RunningProgram {
        // POSIX counts in blocks of 512 bytes.
        let limits = [fileKibibytes.map { "ulimit -f \(2 * $0)" }, descriptors.map { "ulimit -n \($0)" }]
            .compactMap { $0 }
        if limits.isEmpty { return try RunningProgram(path: path(), arguments: arguments, environment: environment) }
        let script = (limits + ["exec \"$0\" \"$@\""]).joined(separator: " && ")
        return try RunningProgram(
            path: "/bin/sh", arguments: ["-c", script, try path()] + arguments, environment: environment)
    }
}

/// Why the program could not be used.
public enum ProgramError: Error, CustomStringConvertible {
    /// It isn't where the build puts it.
    case notBuilt
    /// It printed something else than one JSON object.
    case notAnObject(String)
    /// It did not end in time and was killed.
    case tooSlow(seconds: Double, standardError: String)
    /// No file system could be mounted for it.
    case noSmallDisk(String)

    public var description: String {
        switch self {
        case .notBuilt: "the program 'wafermark' was not found beside the tests; build it first"
        case .notAnObject(let text): "no JSON object: \(text.prefix(400))"
        case .tooSlow(let seconds, let text): "did not end within \(seconds) s; it said: \(text.suffix(2_000))"
        case .noSmallDisk(let text): "no small disk could be mounted: \(text)"
        }
    }
}
