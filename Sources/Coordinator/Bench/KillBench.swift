import Foundation
import Jobs
import Runs
import Wire

/// Kills a daemon with SIGKILL again and again, at moments that a seed chooses, while a run is written and a client hands in
/// others; looks after every kill at the database as it was left, and at the end of every run whether anything shows.
public struct KillBench: Sendable {
    /// What was found.
    public struct Result: Sendable, Encodable {
        public var seed: UInt64
        public var hostSeconds = 0.0
        public var kills = 0
        /// Kills while the run made steps, each of which is a transaction; the others came while workers started.
        public var killsWhileWriting = 0
        /// Databases that SQLite's `integrity_check` found sound.
        public var soundDatabases = 0
        /// Steps and events that were on record just before a kill, and had to be afterwards.
        public var steps = 0
        public var events = 0
        /// Submissions that were answered, and those that a kill left without an answer and that were handed in again.
        public var acknowledged = 0
        public var unanswered = 0
        /// Runs that went on to the last step, with the losses and weights of one that was never disturbed.
        public var finishedRuns = 0
        /// What went wrong, in words.
        public var reasons: [String] = []
    }

    /// What was on record just before a kill.
    private struct Standing {
        var record: RunRecord
        var acknowledged: RunID?
        var key: String
    }

    private let seed: UInt64
    private let times: Int
    private let processes: ChaosProcesses
    private let aside: String
    private let report: @Sendable (String) -> Void

    private static let steps = 300
    private static let stillness = HostSeconds(300)

    /// - Parameters:
    ///   - folder: takes the state directory; short enough for sockets.
    ///   - report: takes a line for every kill.
    public init(
        seed: UInt64, times: Int, folder: String, executable: String, report: @escaping @Sendable (String) -> Void
    ) {
        self.seed = seed
        self.times = times
        self.report = report
        processes = ChaosProcesses(
            state: StateDirectory(path: folder + "/s"), executable: executable, serving: ["--no-dashboard"])
        aside = folder + "/killed"
    }

    /// Kills the daemon as often as it should be, and lets the last run come to its end.
    ///
    /// - Throws: what the store, the daemon and the launcher throw; `CancellationError`.
    public func run() async throws -> Result {
        try await ChaosDaemon.running(processes) { daemon, group in try await kills(of: &daemon, in: &group) }
    }

    private func kills(
        of daemon: inout ChaosDaemon, in group: inout ThrowingTaskGroup<Void, any Error>
    ) async throws -> Result {
        var result = Result(seed: seed)
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        let start = MonotonicInstant.now()
        let reference = try await launch(.wafer)
        let undisturbed = try await awaitEnd(of: reference)
        var active = try await launch(.cluster)
        while result.kills < times && result.reasons.isEmpty {
            try await awaitSteps(of: active)
            try await Task.sleep(for: .milliseconds(Int(2_000 * random.nextUnit())))
            let standing = try await kill(
                daemon, during: active, number: result.kills, after: random.nextIndex(below: 30))
            try await daemon.restart(kills: true, in: &group) { try inspect(standing, &result) }
            result.kills += 1
            try await handInAgain(standing, &result)
            if try RunStore(readingFrom: processes.state.path).run(active).state == .finished {
                judge(try await awaitEnd(of: active), beside: undisturbed, &result)
                active = try await launch(.cluster)
            } else {
                try await DaemonClient(state: processes.state).resume(active)
            }
            result.hostSeconds = MonotonicInstant.now().elapsed(since: start).seconds
            report(
                "kill \(result.kills) after \(standing.record.steps.count) steps of \(active)"
                    + (standing.acknowledged == nil ? ", a submission was under way" : ""))
        }
        if result.reasons.isEmpty { judge(try await awaitEnd(of: active), beside: undisturbed, &result) }
        result.hostSeconds = MonotonicInstant.now().elapsed(since: start).seconds
        return result
    }

    // MARK: A kill

    /// Notes what is on record, hands in another run, and kills the daemon a few milliseconds after that began: the answer has
    /// come by then or has not.
    private func kill(
        _ daemon: ChaosDaemon, during active: RunID, number: Int, after milliseconds: Int
    ) async throws -> Standing {
        let key = "kill-\(number)"
        let job = try job(steps: Self.steps)
        let client = DaemonClient(state: processes.state, deadline: HostSeconds(2))
        async let answer = try? client.launch(
            job, on: .wafer, workers: 1, hardware: nil, terms: SubmissionTerms(key: key))
        try await Task.sleep(for: .milliseconds(milliseconds))
        let record = try RunStore(readingFrom: processes.state.path).record(of: active)
        Foundation.kill(daemon.processID, SIGKILL)
        return Standing(record: record, acknowledged: await answer, key: key)
    }

    /// Looks at a copy of what the daemon left, so that the next one finds it as it was.
    private func inspect(_ standing: Standing, _ result: inout Result) throws {
        let files = FileManager.default
        try? files.removeItem(atPath: aside)
        try files.createDirectory(atPath: aside, withIntermediateDirectories: true)
        for suffix in ["", "-wal"] {
            let name = RunStore.fileName + suffix
            guard files.fileExists(atPath: processes.state.path + "/" + name) else { continue }
            try files.copyItem(atPath: processes.state.path + "/" + name, toPath: aside + "/" + name)
        }
        let number = result.kills + 1
        let store = try RunStore(directory: aside)
        let problems = try store.integrityProblems()
        if problems.isEmpty { result.soundDatabases += 1 }
        result.reasons += problems.map { "kill \(number): \($0)" }
        let known = standing.record
        let found = try store.record(of: known.run.id)
        if !found.events.starts(with: known.events) {
            result.reasons.append(
                "kill \(number): of \(known.events.count) events \(found.events.count) are left, or others")
        }
        if !found.steps.map(\.loss.bitPattern).starts(with: known.steps.map(\.loss.bitPattern)) {
            result.reasons.append(
                "kill \(number): of \(known.steps.count) steps \(found.steps.count) are left, or others")
        }
        result.steps += known.steps.count
        result.events += known.events.count
        if known.run.state == .running { result.killsWhileWriting += 1 }
        guard let id = standing.acknowledged else { return }
        result.acknowledged += 1
        if try store.run(submittedWith: standing.key)?.id != id {
            result.reasons.append("kill \(number): run \(id) was accepted and is not on record")
        }
    }

    /// Hands the run of a kill in once more by the same key: there must be one of it, whatever came of the first time. It is
    /// then cancelled and deleted.
    private func handInAgain(_ standing: Standing, _ result: inout Result) async throws {
        let client = DaemonClient(state: processes.state)
        let id = try await client.launch(
            try job(steps: Self.steps), on: .wafer, workers: 1, hardware: nil, terms: SubmissionTerms(key: standing.key)
        )
        if let known = standing.acknowledged {
            if id != known { result.reasons.append("the key '\(standing.key)' led to \(known), now to \(id)") }
        } else {
            result.unanswered += 1
        }
        let store = try RunStore(readingFrom: processes.state.path)
        if try !store.run(id).state.isFinal { try await client.cancel(id) }
        for _ in 0..<600 where try !store.run(id).state.isFinal { try await Task.sleep(for: .milliseconds(50)) }
        try await client.delete(id)
    }

    // MARK: Runs

    private func launch(_ backend: Backend) async throws -> RunID {
        try await DaemonClient(state: processes.state).launch(
            try job(steps: Self.steps), on: backend, workers: backend == .wafer ? 1 : 2, hardware: nil)
    }

    /// Waits until a run makes steps, or has ended.
    private func awaitSteps(of id: RunID) async throws {
        let store = try RunStore(readingFrom: processes.state.path)
        try await wait("steps of run \(id)") {
            let state = try store.run(id).state
            return state == .running || state.isFinal
        }
    }

    private func awaitEnd(of id: RunID) async throws -> RunRecord {
        let store = try RunStore(readingFrom: processes.state.path)
        var last = (steps: -1, at: MonotonicInstant.now())
        while true {
            let record = try store.record(of: id)
            if record.run.state.isFinal { return record }
            if record.steps.count != last.steps { last = (record.steps.count, .now()) }
            guard MonotonicInstant.now().elapsed(since: last.at) < Self.stillness else {
                throw DaemonError.refused(reason: "run \(id) stands still after \(record.steps.count) steps")
            }
            try await Task.sleep(for: .milliseconds(100))
        }
    }

    private func wait(_ what: String, until condition: () throws -> Bool) async throws {
        let start = MonotonicInstant.now()
        while try !condition() {
            guard MonotonicInstant.now().elapsed(since: start) < Self.stillness else {
                throw DaemonError.refused(reason: "waited five minutes for \(what)")
            }
            try await Task.sleep(for: .milliseconds(20))
        }
    }

    private func judge(_ record: RunRecord, beside undisturbed: RunRecord, _ result: inout Result) {
        guard record.run.state == .finished else {
            result.reasons.append("run \(record.run.id) is \(record.run.state) after \(record.steps.count) steps")
            return
        }
        guard record.run.outcome?.weightsDigest == undisturbed.run.outcome?.weightsDigest,
            record.steps.map(\.loss.bitPattern) == undisturbed.steps.map(\.loss.bitPattern)
        else {
            result.reasons.append("run \(record.run.id) has other weights or losses than undisturbed")
            return
        }
        result.finishedRuns += 1
    }

    private func job(steps: Int) throws -> Job {
        try JobFile.parse(
            """
            name: kills
            model: { layers: 2, hidden: 64, heads: 2, positions: 64 }
            corpus: { synthetic: { documents: 60, seed: 5 }, vocabulary: 600, held_out: 0.1 }
            lanes: 4
            seed: 11
            phases:
              - { sequence: 64, masked_positions: 10, global_batch: 8, steps: \(steps), learning_rate: 1.0e-3 }
            evaluation: { every_steps: 25, sequences: 16 }
            checkpoints: { every_steps: 5 }
            """, name: "the bench's job")
    }
}
