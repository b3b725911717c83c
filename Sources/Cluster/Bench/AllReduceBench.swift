import Foundation
import Jobs
import Messaging
import Synchronization

/// Measures all-reduces among worker processes of its own: starts them, tells them of each other, collects their times.
public struct AllReduceBench: Sendable {
    /// What a worker says: first where it listens, then what it measured.
    enum Report: Codable {
        case listening(rank: Int, endpoint: String)
        /// Every round, for each size.
        case measured(rank: Int, rounds: [[Round]])
    }

    /// What a round took a worker, on the host clock: from its begin to its end, and of processors' time.
    struct Round: Codable {
        var seconds: Double
        var processorSeconds: Double
    }

    /// What a worker is told once all listen.
    struct Start: Codable {
        var endpoints: [String]
        var settings: AllReduceSettings
    }

    private let settings: AllReduceSettings
    private let executable: String
    private let arguments: [String]

    /// - Parameters:
    ///   - settings: what to measure.
    ///   - executable: the program that each worker is.
    ///   - arguments: its arguments; `--folder`, `--rank` and `--transport` are added.
    public init(_ settings: AllReduceSettings, executable: String, arguments: [String]) {
        self.settings = settings
        self.executable = executable
        self.arguments = arguments
    }

    /// Runs all rounds. Cancelling the task ends the workers.
    ///
    /// - Returns: a result for each size, in order.
    /// - Throws: `AllReduceBenchError` where a worker fails, `LauncherError` where none can be started.
    public func run() async throws -> [AllReduceResult] {
        let folder = try ScratchFolder()
        defer { folder.remove() }
        let meeting = try Meeting(settings, folder: folder.path)
        defer { meeting.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            for rank in 0..<settings.workers { group.addTask { try await work(rank, in: folder.path) } }
            try await group.waitForAll()
        }
        return try await meeting.results()
    }

    private func work(_ rank: Int, in folder: String) async throws {
        let log = "\(folder)/\(rank).log"
        let command = WorkerCommand(
            rank: WorkerRank(rank), executable: executable,
            arguments: arguments + [
                "--folder", folder, "--rank", "\(rank)", "--transport", settings.transport.rawValue,
            ], environment: [:], log: log)
        let exit = try await LocalLauncher(grace: .seconds(1)).run(command) { _ in }
        guard case .status(0) = exit else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw AllReduceBenchError.worker(rank: rank, exit: exit, log: String(text.suffix(2_000)))
        }
    }
}

/// Where the workers of a benchmark find each other.
private final class Meeting: Sendable {
    fileprivate struct Notes {
        var endpoints: [Int: String] = [:]
        var names: [[UInt8]] = []
        var rounds: [Int: [[AllReduceBench.Round]]] = [:]
    }

    /// How long the last word of a worker that has ended may take.
    private static let lastWordDeadline = Duration.seconds(5)

    private let settings: AllReduceSettings
    private let notes: Shared<Notes>
    private let allMeasured: AsyncStream<Never>
    private let loop: MessageLoop

    init(_ settings: AllReduceSettings, folder: String) throws {
        let notes = Shared(Notes())
        let replies = Shared<MessageLoop?>(nil)
        let (allMeasured, measured) = AsyncStream<Never>.makeStream()
        loop = try MessageLoop(
            "meeting", MessageLoop.Setup(.router, bind: [try Endpoint("ipc://\(folder)/meeting")]),
            in: try Context()
        ) { frames in
            guard frames.count == 2,
                let report = try? JSONDecoder().decode(AllReduceBench.Report.self, from: Data(frames[1]))
            else { return }
            let (start, names, count) = notes.values.withLock { notes in
                (notes.take(report, settings, from: frames[0]), notes.names, notes.rounds.count)
            }
            func tellAll(_ bytes: [UInt8]) {
                replies.values.withLock { loop in
                    for name in names { loop?.send([name, bytes]) }
                }
            }
            if let start, let bytes = try? JSONEncoder().encode(start) { tellAll(Array(bytes)) }
            if count == settings.workers {
                // A worker that left earlier would take with it what a slower one has not read.
                tellAll([])
                measured.finish()
            }
        }
        self.notes = notes
        self.allMeasured = allMeasured
        self.settings = settings
        replies.values.withLock { $0 = loop }
    }

    func close() { loop.close() }

    /// A result for each size, once all workers have ended.
    func results() async throws -> [AllReduceResult] {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [allMeasured] in for await _ in allMeasured {} }
            group.addTask { try? await Task.sleep(for: Self.lastWordDeadline) }
            await group.next()
            group.cancelAll()
        }
        let measured = notes.values.withLock { $0.rounds }
        for rank in 0..<settings.workers where measured[rank]?.count != settings.sizes.count {
            throw AllReduceBenchError.silence(rank: rank)
        }
        return settings.sizes.enumerated().map { index, size in
            let ofWorkers = measured.values.map { $0[index] }
            let rounds = 0..<(ofWorkers.map(\.count).min() ?? 0)
            return AllReduceResult(
                size: size,
                seconds: rounds.map { round in
                    ofWorkers.reduce(0) { $0 + $1[round].seconds } / Double(ofWorkers.count)
                }, processorSeconds: rounds.map { round in ofWorkers.reduce(0) { $0 + $1[round].processorSeconds } },
                workers: settings.workers)
        }
    }
}

extension Meeting.Notes {
    /// Notes what the worker `name` says; once all listen, what to tell all of them.
    fileprivate mutating func take(
        _ report: AllReduceBench.Report, _ settings: AllReduceSettings, from name: [UInt8]
    ) -> AllReduceBench.Start? {
        switch report {
        case .measured(let rank, let rounds):
            self.rounds[rank] = rounds
            return nil
        case .listening(let rank, let endpoint):
            endpoints[rank] = endpoint
            names.append(name)
            guard endpoints.count == settings.workers else { return nil }
            return AllReduceBench.Start(
                endpoints: endpoints.sorted { $0.key < $1.key }.map(\.value), settings: settings)
        }
    }
}
