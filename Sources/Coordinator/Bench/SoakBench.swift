import Foundation
import Jobs
import Runs

/// Has a daemon of its own queue, finish, fail, cancel and delete runs, round after round, and looks between the rounds,
/// when it has nothing to do, at what its process holds.
public struct SoakBench: Sendable {
    /// How a run of a round is to end.
    enum Fate: String, CaseIterable {
        /// Two workers, then the wafer, to the last step.
        case finishedCluster = "finished_cluster"
        case finishedWafer = "finished_wafer"
        /// In the training: its workers are killed until the daemon gives it up.
        case failed
        /// Before the first step: there is nothing in its text.
        case failedPreparing = "failed_preparing"
        /// While it makes steps, and while it waits for its turn.
        case cancelledRunning = "cancelled_running"
        case cancelledQueued = "cancelled_queued"
    }

    /// What was found.
    public struct Result: Sendable, Encodable {
        public var hostSeconds = 0.0
        /// Rounds, and runs by how they ended.
        public var rounds = 0
        public var runs: [String: Int] = [:]
        /// Runs on record at the end; the rest was deleted.
        public var storedRuns = 0
        /// What the daemon's process held between rounds: medians of the first, the middle and the last tenth of the rounds
        /// after the warm-up.
        public var start: ProcessFootprint?
        public var middle: ProcessFootprint?
        public var end: ProcessFootprint?
        /// What went wrong, in words.
        public var reasons: [String] = []
    }

    private let minutes: Double
    private let processes: ChaosProcesses
    private let emptyText: String
    private let report: @Sendable (String) -> Void

    /// The rounds of this share of the time are not looked at: caches and pools fill.
    private static let warmUpShare = 0.1
    /// How long nothing at all may happen to a round's runs.
    private static let stillness = HostSeconds(300)
    /// - Parameters:
    ///   - folder: takes the state directory; short enough for sockets.
    ///   - report: takes a line for every round.
    public init(minutes: Double, folder: String, executable: String, report: @escaping @Sendable (String) -> Void) {
        self.minutes = minutes
        self.report = report
        processes = ChaosProcesses(
            state: StateDirectory(path: folder + "/s"), executable: executable, serving: ["--no-dashboard"])
        emptyText = folder + "/empty.txt"
    }

    /// Makes rounds until the time is up, one at least. Cancelling the task ends all processes.
    ///
    /// - Throws: what the store, the daemon and the launcher throw; `CancellationError`.
    public func run() async throws -> Result {
        try Data("\n".utf8).write(to: URL(fileURLWithPath: emptyText))
        return try await ChaosDaemon.running(processes) { daemon, _ in try await rounds(daemon.processID) }
    }

    private func rounds(_ daemon: Int32) async throws -> Result {
        var result = Result()
        var prints: [ProcessFootprint] = []
        let start = MonotonicInstant.now()
        repeat {
            try await round(&result)
            let print = try await idleFootprint(of: daemon, &result)
            result.rounds += 1
            result.hostSeconds = MonotonicInstant.now().elapsed(since: start).seconds
            if result.hostSeconds >= Self.warmUpShare * minutes * 60 { prints.append(print) }
            report(
                String(
                    format: "round %d, %.0f s: %.1f MiB, ", result.rounds, result.hostSeconds, print.residentMebibytes)
                    + "\(print.descriptors) descriptors, \(print.sockets) sockets, \(print.threads) threads, "
                    + "\(print.children) children")
        } while result.hostSeconds < minutes * 60 && result.reasons.isEmpty
        result.storedRuns = try RunStore(readingFrom: processes.state.path).list().count
        let tenth = max(1, prints.count / 10)
        let middle = (prints.count - tenth) / 2
        result.start = ProcessFootprint(medianOf: Array(prints.prefix(tenth)))
        result.middle = ProcessFootprint(medianOf: Array(prints[middle..<middle + tenth]))
        result.end = ProcessFootprint(medianOf: Array(prints.suffix(tenth)))
        if let first = result.start, let last = result.end { result.reasons += last.leaks(since: first) }
        return result
    }

    // MARK: A round

    /// Hands in a run of every fate, asks about them while they are under way, and deletes all but one.
    private func round(_ result: inout Result) async throws {
        let client = DaemonClient(state: processes.state)
        var runs: [(fate: Fate, id: RunID)] = []
        for fate in Fate.allCases {
            let job = try JobFile.parse(job(fate), name: "the bench's job", directory: "/", files: .fileSystem)
            let backend: Backend = fate == .finishedWafer ? .wafer : .cluster
            runs.append(
                (fate, try await client.launch(job, on: backend, workers: backend == .wafer ? 1 : 2, hardware: nil)))
        }
        for run in runs where run.fate == .cancelledQueued { try await client.cancel(run.id) }
        try await follow(runs, client)
        let store = try RunStore(readingFrom: processes.state.path)
        for (fate, id) in runs {
            let state = try store.run(id).state
            if Self.isMet(fate, by: state) {
                result.runs[fate.rawValue, default: 0] += 1
            } else {
                result.reasons.append("run \(id), to be \(fate.rawValue), is \(state)")
            }
        }
        guard result.reasons.isEmpty else { return }
        for run in runs where run.fate != .finishedCluster { try await client.delete(run.id) }
    }

    /// Asks for documents and cancels what is to be cancelled, until all runs have ended.
    private func follow(_ runs: [(fate: Fate, id: RunID)], _ client: DaemonClient) async throws {
        let store = try RunStore(readingFrom: processes.state.path)
        var last = (happened: -1, at: MonotonicInstant.now())
        var isCancelled = false
        while true {
            let states = try runs.map { ($0.fate, $0.id, try store.run($0.id).state) }
            if states.allSatisfy(\.2.isFinal) { return }
            for (fate, id, state) in states where fate == .cancelledRunning && state == .running && !isCancelled {
                try await client.cancel(id)
                isCancelled = true
            }
            if states.contains(where: { $0.0 == .failed && $0.2 == .running }) {
                for worker in processes.workers() { kill(worker, SIGKILL) }
            }
            let happened = try runs.reduce(0) { count, run in
                let record = try store.record(of: run.id)
                return count + record.events.count + record.steps.count
            }
            if happened != last.happened { last = (happened, .now()) }
            guard MonotonicInstant.now().elapsed(since: last.at) < Self.stillness else {
                let open = states.filter { !$0.2.isFinal }.map { "\($0.1) \($0.2.name)" }
                throw DaemonError.refused(
                    reason: "nothing has happened for five minutes to \(open.joined(separator: ", "))")
            }
            _ = try await client.document(.list)
            _ = try await client.document(.events(runs[0].id.text))
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    /// What the daemon holds once the round's processes and sockets are gone, and half a second later.
    private func idleFootprint(of daemon: Int32, _ result: inout Result) async throws -> ProcessFootprint {
        func left() -> [String] { processes.workers().map { "process \($0)" } + processes.leftSockets() }
        for _ in 0..<100 where !left().isEmpty { try await Task.sleep(for: .milliseconds(100)) }
        if !left().isEmpty { result.reasons.append("ten seconds after the round there is still \(left())") }
        try await Task.sleep(for: .milliseconds(500))
        return ProcessFootprint(of: daemon)
    }

    private static func isMet(_ fate: Fate, by state: RunState) -> Bool {
        switch (fate, state) {
        case (.finishedCluster, .finished), (.finishedWafer, .finished), (.failed, .failed),
            (.failedPreparing, .failed),
            (.cancelledRunning, .cancelled), (.cancelledQueued, .cancelled):
            true
        default: false
        }
    }

    private func job(_ fate: Fate) -> String {
        let text = "text: \(emptyText)"
        let synthetic = "synthetic: { documents: 60, seed: 5 }"
        let isLong = fate == .cancelledRunning || fate == .failed
        return """
            name: soak
            model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
            corpus: { \(fate == .failedPreparing ? text : synthetic), vocabulary: 600, held_out: 0.1 }
            lanes: 2
            seed: 11
            phases:
              - { sequence: 64, masked_positions: 10, global_batch: 4, steps: \(isLong ? 100_000 : 10),
                  learning_rate: 1.0e-3 }
            evaluation: { every_steps: 5, sequences: 16 }
            checkpoints: { every_steps: 5 }
            """
    }
}
