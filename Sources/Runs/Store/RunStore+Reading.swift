import Foundation
import GRDB
import Jobs

extension RunStore {
    /// Runs, newest first, without decoding their jobs.
    ///
    /// - Parameter limit: the most that are returned; nil for all.
    public func list(limit: Int? = nil) throws -> [RunSummary] {
        try read(absent: []) { database in
            // All columns are in the index `runs_listed`, which is in this order.
            let rows = try Row.fetchCursor(
                database,
                sql: """
                    SELECT id, job_name, backend, workers, hardware, state, failure, submitted, started, ended,
                        steps_made, steps_planned, training_host_seconds, time_to_target_host_seconds, is_pinned
                    FROM runs ORDER BY submitted DESC, number DESC LIMIT ?
                    """, arguments: [limit ?? -1])
            var summaries: [RunSummary] = []
            while let row = try rows.next() { summaries.append(try Self.summary(from: row)) }
            return summaries
        }
    }

    /// How many runs there are.
    public func count() throws -> Int {
        try read(absent: 0) { try Int.fetchOne($0, sql: "SELECT count(*) FROM runs") ?? 0 }
    }

    /// The id of the one run whose id starts with `prefix`; capitals count as small letters.
    public func id(startingWith prefix: String) throws -> RunID {
        let prefix = prefix.lowercased()
        let padded = prefix + String(repeating: "0", count: max(0, RunID.length - prefix.count))
        guard !prefix.isEmpty, RunID(padded) != nil else { throw RunStoreError.notAnID(prefix) }
        let ids = try read(absent: [String]()) { database in
            // A prefix that holds digits and letters alone needs no escaping in a pattern.
            try String.fetchAll(
                database, sql: "SELECT id FROM runs WHERE id GLOB ? ORDER BY submitted DESC, number DESC LIMIT 4",
                arguments: [prefix + "*"])
        }.compactMap { RunID($0) }
        guard let first = ids.first else { throw RunStoreError.noRun(prefix: prefix) }
        guard ids.count == 1 else { throw RunStoreError.severalRuns(prefix: prefix, ids: ids) }
        return first
    }

    /// The one run whose id starts with `prefix`.
    public func find(_ prefix: String) throws -> Run { try run(id(startingWith: prefix)) }

    /// What was asked for and how it stands.
    public func run(_ id: RunID) throws -> Run {
        try read(absent: nil) { try Self.fetchRun(id, in: $0)?.run }.orThrow(.noRun(prefix: id.text))
    }

    /// The runs after which another comes that has not finished, and may yet want them finished.
    public func followed() throws -> Set<RunID> {
        try read(absent: []) { database in
            // Few runs follow others; only their documents are decoded.
            let rows = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, document FROM runs
                    WHERE state <> 'finished' AND instr(document, CAST('"after":["' AS BLOB)) > 0
                    """)
            return Set(try rows.flatMap { try Self.run(from: $0).terms?.after ?? [] })
        }
    }

    /// The newest run that was submitted with `key`; nil where there is none.
    public func run(submittedWith key: String) throws -> Run? {
        try read(absent: nil) { database in
            try Row.fetchOne(
                database,
                sql:
                    "SELECT id, document FROM runs WHERE submission_key = ? ORDER BY submitted DESC, number DESC LIMIT 1",
                arguments: [key]
            ).map { try Self.run(from: $0) }
        }
    }

    /// All that is known of a run, at one moment.
    ///
    /// - Parameter first: the first step wanted of the two step series; a watcher asks for what it has not seen yet.
    public func record(of id: RunID, stepsFrom first: StepNumber = StepNumber(0)) throws -> RunRecord {
        let record = try read(absent: RunRecord?.none) { database in
            guard let (run, number) = try Self.fetchRun(id, in: database) else { return nil }
            return RunRecord(
                run: run,
                steps: try Row.fetchAll(
                    database, sql: "SELECT * FROM steps WHERE run = ? AND step >= ? ORDER BY step",
                    arguments: [number, first.index]
                ).map(Self.step),
                workerSteps: try Row.fetchAll(
                    database, sql: "SELECT * FROM worker_steps WHERE run = ? AND step >= ? ORDER BY step, rank",
                    arguments: [number, first.index]
                ).map(Self.workerStep),
                evaluations: try Row.fetchAll(
                    database, sql: "SELECT * FROM evaluations WHERE run = ? ORDER BY steps_made", arguments: [number]
                ).map(Self.evaluation),
                events: try Row.fetchAll(
                    database, sql: "SELECT * FROM events WHERE run = ? ORDER BY number", arguments: [number]
                ).map(Self.event))
        }
        return try record.orThrow(.noRun(prefix: id.text))
    }

    private static func fetchRun(_ id: RunID, in database: Database) throws -> (run: Run, number: Int64)? {
        try Row.fetchOne(database, sql: "SELECT id, number, document FROM runs WHERE id = ?", arguments: [id.text])
            .map { (try run(from: $0), $0["number"]) }
    }

    static func run(from row: Row) throws -> Run {
        do {
            return try JSONDecoder().decode(Run.self, from: row["document"] as Data)
        } catch {
            throw RunStoreError.unreadableRun(row["id"], detail: String(describing: error))
        }
    }

    // Rows are read by position where there can be many, by name where that reads better.

    private static func summary(from row: Row) throws -> RunSummary {
        let idText: String = row[0]
        let backendText: String = row[2]
        guard let id = RunID(idText), let backend = Backend(rawValue: backendText) else {
            throw RunStoreError.unreadableRun(idText, detail: "backend '\(backendText)'")
        }
        let started: Double? = row[8]
        let ended: Double? = row[9]
        let trainingTime: Double? = row[12]
        let timeToTarget: Double? = row[13]
        return RunSummary(
            id: id, jobName: row[1], backend: backend, workers: row[3], hardware: row[4],
            state: try state(named: row[5], failure: row[6], of: idText),
            submitted: Date(timeIntervalSince1970: row[7]), started: started.map(Date.init(timeIntervalSince1970:)),
            ended: ended.map(Date.init(timeIntervalSince1970:)), stepsMade: row[10], stepsPlanned: row[11],
            trainingTime: trainingTime.map { HostSeconds($0) }, timeToTarget: timeToTarget.map { HostSeconds($0) },
            isPinned: row[14])
    }

    private static func state(named name: String, failure: String?, of id: String) throws -> RunState {
        switch name {
        case "queued": .queued
        case "preparing": .preparing
        case "running": .running
        case "finished": .finished
        case "failed": .failed(reason: failure ?? "")
        case "cancelled": .cancelled
        case "interrupted": .interrupted
        default: throw RunStoreError.unreadableRun(id, detail: "state '\(name)'")
        }
    }

    private static func step(from row: Row) -> StepRecord {
        let (counted, zero, skipped): (Int?, Int?, Int?) = (row[14], row[15], row[16])
        let (emulated, dilation, lateness): (Double?, Double?, Double?) = (row[17], row[18], row[19])
        return StepRecord(
            step: StepNumber(row[1]), loss: number(row[2]), maskedLoss: number(row[3]),
            nextSentenceLoss: number(row[4]), maskedAccuracy: number(row[5]), learningRate: number(row[6]),
            gradientNorm: number(row[7]), sequences: row[8], tokens: row[9], elapsed: HostSeconds(row[10]),
            duration: HostSeconds(row[11]), examplesChecksum: UInt64(bitPattern: row[12]),
            laneGradientSquaredNorm: row[13],
            activationZeros: counted.flatMap {
                ActivationZeros(counted: $0, zero: zero ?? 0, skipped: skipped ?? 0)
            },
            emulated: emulated.flatMap { seconds in
                dilation.map {
                    EmulatedStep(
                        duration: EmulatedSeconds(seconds), dilation: $0, lateness: HostSeconds(lateness ?? 0))
                }
            })
    }

    private static func workerStep(from row: Row) -> WorkerStepRecord {
        let uncompressed: Int? = row[11]
        return WorkerStepRecord(
            step: StepNumber(row[1]), rank: WorkerRank(row[2]), input: HostSeconds(row[3]),
            compute: HostSeconds(row[4]), exposedCommunication: HostSeconds(row[5]), waiting: HostSeconds(row[6]),
            optimizer: HostSeconds(row[7]), duration: HostSeconds(row[9]), sent: Bytes(row[8]),
            uncompressed: uncompressed.map { Bytes($0) }, lanes: row[10], timeline: timeline(from: row))
    }

    private static func timeline(from row: Row) -> WorkerStepRecord.Timeline? {
        let times: [Double] = (12..<18).compactMap { row[$0] as Double? }
        guard times.count == 6 else { return nil }
        return WorkerStepRecord.Timeline(
            started: HostSeconds(times[0]),
            parts: PartStarts(
                compute: HostSeconds(times[1]), waiting: HostSeconds(times[2]),
                exposedCommunication: HostSeconds(times[3]), commit: HostSeconds(times[4]),
                optimizer: HostSeconds(times[5])))
    }

    private static func evaluation(from row: Row) -> EvaluationRecord {
        let squaredNorm: Double? = row[8]
        let trace: Double? = row[9]
        return EvaluationRecord(
            stepsMade: row[1], elapsed: HostSeconds(row[2]), maskedLoss: number(row[3]),
            maskedAccuracy: number(row[4]), nextSentenceAccuracy: row[5], baselineAccuracy: number(row[6]),
            maskedTokens: row[7],
            noise: squaredNorm.flatMap { norm in
                trace.map { GradientNoise(squaredNorm: norm, covarianceTrace: $0) }
            })
    }

    private static func event(from row: Row) throws -> RunEvent {
        let kindText: String = row["kind"]
        // A kind that a later version has added is still worth showing.
        let kind = RunEvent.Kind(rawValue: kindText) ?? .warning
        let rank: Int? = row["rank"]
        let step: Int? = row["step"]
        return RunEvent(
            time: Date(timeIntervalSince1970: row["time"]), kind: kind, message: row["message"],
            rank: rank.map { WorkerRank($0) }, step: step.map { StepNumber($0) })
    }

    /// NULL is how SQLite keeps NaN.
    private static func number(_ value: Double?) -> Double { value ?? .nan }
}

extension Optional {
    fileprivate func orThrow(_ error: RunStoreError) throws -> Wrapped {
        guard let self else { throw error }
        return self
    }
}
