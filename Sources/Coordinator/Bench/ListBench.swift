import Cluster
import Foundation
import Jobs
import Runs

/// Measures how long `wafermark runs list` takes where many runs are stored, as whole commands.
public struct ListBench: Sendable {
    /// One way to ask for the list.
    public struct Row: Sendable, Encodable {
        /// What follows `wafermark`.
        public var arguments: [String]
        /// Host milliseconds from the process's start to its end: the median, and the most.
        public var medianMilliseconds: Double
        public var mostMilliseconds: Double
        /// Bytes that it wrote.
        public var outputBytes: Int
    }

    /// What was found.
    public struct Result: Sendable, Encodable {
        public var storedRuns: Int
        /// How often each command was run.
        public var repetitions: Int
        public var rows: [Row]
    }

    private let runs: Int
    private let repetitions: Int
    private let state: StateDirectory
    private let log: String
    private let executable: String

    /// - Parameter folder: takes the state directory.
    public init(runs: Int, repetitions: Int, folder: String, executable: String) {
        self.runs = runs
        self.repetitions = repetitions
        self.executable = executable
        state = StateDirectory(path: folder + "/s")
        log = folder + "/output"
    }

    /// Stores the runs and lists them. Cancelling the task ends the commands.
    ///
    /// - Throws: what the store and the launcher throw; `DaemonError.refused` where a command fails.
    public func run() async throws -> Result {
        try state.create()
        try RunStore(directory: state.path).insert(try stored())
        let commands = [["runs", "list"], ["runs", "list", "--all"], ["runs", "list", "--json"]]
        var times = commands.map { _ in [Double]() }
        var sizes = commands.map { _ in 0 }
        // In turn, so that what else the machine does falls on all alike.
        for _ in 0..<repetitions {
            for (index, command) in commands.enumerated() {
                let start = MonotonicInstant.now()
                sizes[index] = try await run(command)
                times[index].append(MonotonicInstant.now().elapsed(since: start).seconds * 1_000)
            }
        }
        let rows = commands.indices.map { index in
            let spread = Quantiles(times[index])
            return Row(
                arguments: commands[index], medianMilliseconds: spread.median ?? 0,
                mostMilliseconds: spread.maximum ?? 0, outputBytes: sizes[index])
        }
        return Result(storedRuns: runs, repetitions: repetitions, rows: rows)
    }

    /// Runs of every fate, a second apart.
    private func stored() throws -> [Run] {
        let job = try JobExample.demo.job()
        let now = Date()
        return (0..<runs).map { number in
            var run = Run(
                id: RunID.random(), job: job, backend: number.isMultiple(of: 3) ? .wafer : .cluster,
                workers: number.isMultiple(of: 3) ? 1 : 2, hardware: nil,
                submitted: now.addingTimeInterval(Double(number - runs)))
            run.state = [.finished, .failed(reason: "a worker was lost"), .cancelled, .interrupted][number % 4]
            run.started = run.submitted
            run.ended = run.submitted.addingTimeInterval(1)
            return run
        }
    }

    /// Runs a command to its end; the bytes that it wrote.
    private func run(_ arguments: [String]) async throws -> Int {
        try? FileManager.default.removeItem(atPath: log)
        let exit = try await LocalLauncher().run(
            WorkerCommand(
                rank: nil, executable: executable, arguments: arguments + ["--state", state.path], environment: [:],
                log: log)
        ) { _ in }
        let output = FileManager.default.contents(atPath: log) ?? Data()
        guard exit == .status(0) else {
            throw DaemonError.refused(
                reason:
                    "'\(arguments.joined(separator: " "))' failed: \(String(decoding: output.suffix(1_000), as: UTF8.self))"
            )
        }
        return output.count
    }
}
