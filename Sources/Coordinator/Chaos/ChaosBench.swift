import Foundation
import Jobs
import Runs

/// Trains a small job again and again while workers and the coordinator are killed, stopped, delayed, ended and added, and
/// connections between them delayed, cut and made deaf, at moments that a seed chooses; and looks at the end of every run
/// whether anything shows of it.
public struct ChaosBench: Sendable {
    /// What was found.
    public struct Result: Sendable, Encodable {
        /// The seed, and the time that it took.
        public var seed: UInt64
        public var hostSeconds = 0.0
        /// Runs that were disturbed, and the steps that they made.
        public var runs = 0
        public var steps = 0
        /// Faults by their kind.
        public var faults: [String: Int] = [:]
        /// Runs that did not get on for a minute, that ended otherwise than finished, whose weights or losses differ from
        /// the undisturbed run's, and whose examples were not each used once a pass.
        public var hangs = 0
        public var failures = 0
        public var wrongDigests = 0
        public var wrongExamples = 0
        /// Processes and sockets that were left.
        public var orphans = 0
        public var leftSockets = 0
        /// What went wrong, in words.
        public var reasons: [String] = []

        /// Whether nothing showed.
        public var isClean: Bool { reasons.isEmpty }
    }

    private let seed: UInt64
    private let minutes: Double
    private let steps: Int
    private let processes: ChaosProcesses
    private let aside: String
    private let report: @Sendable (String) -> Void

    /// How long a run may stand still.
    private static let hangDeadline = HostSeconds(60)
    private static let workers = 4

    /// - Parameters:
    ///   - folder: takes the state directory; short enough for sockets.
    ///   - steps: of each run.
    ///   - report: takes a line for every fault and run.
    public init(
        seed: UInt64, minutes: Double, steps: Int, folder: String, executable: String,
        report: @escaping @Sendable (String) -> Void
    ) {
        self.seed = seed
        self.minutes = minutes
        self.steps = steps
        self.report = report
        processes = ChaosProcesses(state: StateDirectory(path: folder + "/s"), executable: executable)
        aside = folder + "/n"
    }

    /// Disturbs runs until the time is up. Cancelling the task ends all processes.
    ///
    /// - Throws: what the store, the daemon and the launcher throw; `CancellationError`.
    public func run() async throws -> Result {
        var result = Result(seed: seed)
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        let start = MonotonicInstant.now()
        func elapsed() -> Double { MonotonicInstant.now().elapsed(since: start).seconds }
        let network = try ChaosNetwork(between: processes.state.sockets, aside: aside)
        do {
            try await disturbRuns(network, &result, &random, elapsed: elapsed)
        } catch {
            await network.close()
            throw error
        }
        await network.close()
        result.hostSeconds = elapsed()
        let orphans = processes.workers()
        result.orphans += orphans.count
        if !orphans.isEmpty { result.reasons.append("processes \(orphans) are left") }
        return result
    }

    /// Trains undisturbed, then disturbed until the time is up.
    private func disturbRuns(
        _ network: ChaosNetwork, _ result: inout Result, _ random: inout CounterRandom, elapsed: () -> Double
    ) async throws {
        try await ChaosDaemon.running(processes) { daemon, group in
            let reference = try await launch(.wafer)
            let undisturbed = try await follow(reference) { _ in }
            report("undisturbed: \(undisturbed.run.outcome?.weightsDigest.prefix(16) ?? "none")")
            while elapsed() < minutes * 60 {
                let id = try await launch(.cluster)
                let record = try await disturb(
                    id, &daemon, network, in: &group, &random, &result, end: { elapsed() >= minutes * 60 })
                judge(record, beside: undisturbed, &result)
            }
        }
    }

    private func launch(_ backend: Backend) async throws -> RunID {
        let job = try JobFile.parse(Self.job(steps: steps), name: "the bench's job")
        return try await DaemonClient(state: processes.state).launch(
            job, on: backend, workers: backend == .wafer ? 1 : Self.workers, hardware: nil)
    }

    private static func job(steps: Int) -> String {
        """
        name: chaos
        model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
        corpus: { synthetic: { documents: 300, seed: 5 }, vocabulary: 600, held_out: 0.1 }
        lanes: 8
        seed: 11
        phases: [{ sequence: 64, masked_positions: 10, global_batch: 32, steps: \(steps), learning_rate: 1.0e-3 }]
        evaluation: { every_steps: 25, sequences: 32 }
        checkpoints: { every_steps: 20 }
        """
    }

    /// Looks at a run until it has ended or stands still for too long, calling `meanwhile` in between.
    private func follow(
        _ id: RunID, meanwhile: (RunRecord) async throws -> Void
    ) async throws -> RunRecord {
        let store = try RunStore(readingFrom: processes.state.path)
        var last = (steps: -1, events: -1, at: MonotonicInstant.now())
        while true {
            try await Task.sleep(for: .milliseconds(50))
            let record = try store.record(of: id)
            if record.run.state == .finished { return record }
            if case .failed = record.run.state { return record }
            if (record.steps.count, record.events.count) != (last.steps, last.events) {
                last = (record.steps.count, record.events.count, .now())
            }
            if MonotonicInstant.now().elapsed(since: last.at) > Self.hangDeadline { return record }
            try await meanwhile(record)
        }
    }

    /// Has faults at random moments while the run is under way.
    private func disturb(
        _ id: RunID, _ daemon: inout ChaosDaemon, _ network: ChaosNetwork,
        in group: inout ThrowingTaskGroup<Void, any Error>, _ random: inout CounterRandom, _ result: inout Result,
        end isOver: () -> Bool
    ) async throws -> RunRecord {
        var next = MonotonicInstant.now().advanced(by: HostSeconds(0.5))
        return try await follow(id) { record in
            guard MonotonicInstant.now() > next, !isOver(), record.run.state == .running else { return }
            let fault = ChaosFault.next(&random)
            if try await apply(fault, to: id, &daemon, network, in: &group) {
                result.faults[fault.kind, default: 0] += 1
                report("run \(id) after \(record.steps.count) steps: \(fault)")
            }
            next = MonotonicInstant.now().advanced(by: HostSeconds(0.1 + 1.4 * Double(random.nextUnit())))
        }
    }

    /// Applies a fault; false where there is nobody to have it.
    private func apply(
        _ fault: ChaosFault, to id: RunID, _ daemon: inout ChaosDaemon, _ network: ChaosNetwork,
        in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> Bool {
        let workers = processes.workers()
        func signal(_ number: Int32, _ choice: Int) -> Int32? {
            guard workers.count > 1 else { return nil }
            let process = workers[choice % workers.count]
            return kill(process, number) == 0 ? process : nil
        }
        switch fault {
        case .kill(let choice): return signal(SIGKILL, choice) != nil
        case .terminate(let choice): return signal(SIGTERM, choice) != nil
        case .suspend(let choice, let seconds):
            guard let process = signal(SIGSTOP, choice) else { return false }
            group.addTask {
                try? await Task.sleep(for: .seconds(seconds))
                kill(process, SIGCONT)
            }
            return true
        case .join:
            guard workers.count < 8 else { return false }
            group.addTask { [processes] in try await processes.join(id) }
            return true
        case .killCoordinator, .endCoordinator:
            try await daemon.restart(kills: fault == .killCoordinator, in: &group)
            // It may have come to its end, or to that of the run, before the signal.
            try? await DaemonClient(state: processes.state).resume(id)
            return true
        case .suspendCoordinator(let seconds): return daemon.suspend(seconds: seconds, in: &group)
        case .network(let fault, let link, let choice): return await network.apply(fault, to: link, choice: choice)
        }
    }

    /// Looks whether anything shows.
    private func judge(_ record: RunRecord, beside undisturbed: RunRecord, _ result: inout Result) {
        let run = record.run
        result.runs += 1
        result.steps += record.steps.count
        func blame(_ count: WritableKeyPath<Result, Int>, _ reason: String) {
            result[keyPath: count] += 1
            result.reasons.append("run \(run.id): \(reason)")
        }
        guard run.state == .finished else {
            if case .failed(let reason) = run.state {
                blame(\.failures, reason)
            } else {
                blame(\.hangs, "stands still after \(record.steps.count) steps: \(record.events.last?.message ?? "")")
            }
            return
        }
        if run.outcome?.weightsDigest != undisturbed.run.outcome?.weightsDigest
            || record.steps.map(\.loss.bitPattern) != undisturbed.steps.map(\.loss.bitPattern)
        {
            blame(\.wrongDigests, "other weights or losses than undisturbed")
        }
        if run.outcome?.examples?.isProved != true { blame(\.wrongExamples, "not every example was used once a pass") }
        let left = processes.leftSockets()
        if !left.isEmpty { blame(\.leftSockets, "sockets are left: \(left)") }
        report("run \(run.id): finished, \(record.events.count) events")
    }
}
