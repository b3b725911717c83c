import Foundation
import GRDB
import Jobs

extension RunStore {
    /// Adds new runs, all or none.
    public func insert(_ runs: [Run]) throws {
        try write { database in
            for run in runs {
                try Self.storeNew(run, in: database)
            }
        }
    }

    /// Adds a new run.
    public func insert(_ run: Run) throws { try insert([run]) }

    /// Adds a run that was made elsewhere with all that is known of it, and an event that says so.
    ///
    /// In one transaction, which may also be made while a daemon writes: it touches no other run.
    public func insert(_ record: RunRecord, importedFrom file: String, at time: Date = Date()) throws {
        try write { database in
            try Self.storeNew(record.run, in: database)
            let event = RunEvent(time: time, kind: .imported, message: "imported from \(file)")
            try Self.append(
                RunAdditions(
                    steps: record.steps, workerSteps: record.workerSteps, evaluations: record.evaluations,
                    events: record.events + [event]),
                to: try Self.number(of: record.run.id, in: database), in: database)
        }
    }

    /// Replaces what is known of a run, and appends to its series, in one transaction.
    public func update(_ run: Run, appending additions: RunAdditions = RunAdditions()) throws {
        try write { database in
            let number = try Self.number(of: run.id, in: database)
            try Self.store(run, in: database)
            try Self.append(additions, to: number, in: database)
        }
    }

    /// Appends to a run's series, in one transaction.
    public func append(_ additions: RunAdditions, to id: RunID) throws {
        if additions.isEmpty { return }
        try write { database in
            try Self.append(additions, to: try Self.number(of: id, in: database), in: database)
        }
    }

    /// Forgets an ended run and its series.
    public func delete(_ id: RunID) throws {
        try write { database in
            let number = try Self.number(of: id, in: database)
            let state = try String.fetchOne(
                database, sql: "SELECT state FROM runs WHERE number = ?", arguments: [number])
            if let state, !Self.finalStates.contains(state) { throw RunStoreError.notEnded(id, state: state) }
            try database.execute(sql: "DELETE FROM runs WHERE number = ?", arguments: [number])
        }
    }

    /// Keeps a run from being removed to make room, or no longer.
    ///
    /// It may be called while a daemon writes: nothing else of the run is touched.
    public func pin(_ id: RunID, _ isPinned: Bool = true) throws {
        try write { database in
            let number = try Self.number(of: id, in: database)
            try database.execute(sql: "UPDATE runs SET is_pinned = ? WHERE number = ?", arguments: [isPinned, number])
        }
    }

    /// Marks every run that has not ended as interrupted, with an event that says so: what a daemon does first, since
    /// whoever drove those runs is gone.
    ///
    /// - Parameter time: when they are taken to have ended, by the wall clock.
    /// - Returns: the runs marked, oldest first.
    @discardableResult
    public func markInterrupted(at time: Date = Date()) throws -> [RunID] {
        try write { database in
            let open = try Row.fetchAll(
                database,
                sql: """
                    SELECT id, number, state, document FROM runs
                    WHERE state IN ('queued', 'preparing', 'running') ORDER BY submitted, number
                    """)
            return try open.map { row in
                var run = try Self.run(from: row)
                run.state = .interrupted
                run.ended = time
                try Self.store(run, in: database)
                let state: String = row["state"]
                let event = RunEvent(
                    time: time, kind: .stateChanged,
                    message: "interrupted: the daemon ended while the run was \(state)")
                try Self.append(RunAdditions(events: [event]), to: row["number"], in: database)
                return run.id
            }
        }
    }

    private static let finalStates: Set<String> = ["finished", "failed", "cancelled", "interrupted"]

    private static func number(of id: RunID, in database: Database) throws -> Int64 {
        let number = try Int64.fetchOne(database, sql: "SELECT number FROM runs WHERE id = ?", arguments: [id.text])
        guard let number else { throw RunStoreError.noRun(prefix: id.text) }
        return number
    }

    /// Adds a run, whose name must be new.
    private static func storeNew(_ run: Run, in database: Database) throws {
        let known = try Bool.fetchOne(
            database, sql: "SELECT EXISTS (SELECT 1 FROM runs WHERE id = ?)", arguments: [run.id.text])
        if known == true { throw RunStoreError.duplicateRun(run.id) }
        try store(run, in: database)
    }

    private static func store(_ run: Run, in database: Database) throws {
        let failure: String? = if case .failed(let reason) = run.state { reason } else { nil }
        try database.cachedStatement(
            sql: """
                INSERT INTO runs (id, job_name, backend, workers, hardware, state, failure, submitted, started, ended,
                    steps_planned, training_host_seconds, time_to_target_host_seconds, document, submission_key)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id) DO UPDATE SET job_name = excluded.job_name, backend = excluded.backend,
                    workers = excluded.workers, hardware = excluded.hardware, state = excluded.state,
                    failure = excluded.failure, submitted = excluded.submitted, started = excluded.started,
                    ended = excluded.ended, steps_planned = excluded.steps_planned,
                    training_host_seconds = excluded.training_host_seconds,
                    time_to_target_host_seconds = excluded.time_to_target_host_seconds, document = excluded.document
                """
        ).execute(arguments: [
            run.id.text, run.job.name, run.backend.rawValue, run.workers, run.hardware, run.state.name, failure,
            run.submitted.timeIntervalSince1970, run.started?.timeIntervalSince1970,
            run.ended?.timeIntervalSince1970, run.job.totalSteps, run.outcome?.trainingTime.seconds,
            run.outcome?.timeToTarget?.seconds, try JSONEncoder().encode(run), run.terms?.key,
        ])
    }

    private static func append(_ additions: RunAdditions, to number: Int64, in database: Database) throws {
        if !additions.steps.isEmpty {
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO steps VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            for step in additions.steps {
                try statement.execute(arguments: [
                    number, step.step.index, step.loss, step.maskedLoss, step.nextSentenceLoss, step.maskedAccuracy,
                    step.learningRate, step.gradientNorm, step.sequences, step.tokens, step.elapsed.seconds,
                    step.duration.seconds, Int64(bitPattern: step.examplesChecksum),
                    step.laneGradientSquaredNorm, step.activationZeros?.counted,
                    step.activationZeros?.zero, step.activationZeros?.skipped, step.emulated?.duration.seconds,
                    step.emulated?.dilation, step.emulated?.lateness.seconds,
                ])
            }
            try database.cachedStatement(sql: "UPDATE runs SET steps_made = max(steps_made, ?) WHERE number = ?")
                .execute(arguments: [additions.steps.map { $0.step.index + 1 }.max(), number])
        }
        if !additions.workerSteps.isEmpty {
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO worker_steps VALUES (?\(String(repeating: ", ?", count: 17)))")
            for step in additions.workerSteps {
                let starts = step.timeline?.parts
                try statement.execute(arguments: [
                    number, step.step.index, step.rank.index, step.input.seconds, step.compute.seconds,
                    step.exposedCommunication.seconds, step.waiting.seconds, step.optimizer.seconds, step.sent.count,
                    step.duration.seconds, step.lanes, step.uncompressed?.count, step.timeline?.started.seconds,
                    starts?.compute.seconds, starts?.waiting.seconds, starts?.exposedCommunication.seconds,
                    starts?.commit.seconds, starts?.optimizer.seconds,
                ])
            }
        }
        if !additions.evaluations.isEmpty {
            let statement = try database.cachedStatement(
                sql: "INSERT OR REPLACE INTO evaluations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)")
            for evaluation in additions.evaluations {
                try statement.execute(arguments: [
                    number, evaluation.stepsMade, evaluation.elapsed.seconds, evaluation.maskedLoss,
                    evaluation.maskedAccuracy, evaluation.nextSentenceAccuracy, evaluation.baselineAccuracy,
                    evaluation.maskedTokens, evaluation.noise?.squaredNorm, evaluation.noise?.covarianceTrace,
                ])
            }
        }
        if !additions.events.isEmpty {
            let statement = try database.cachedStatement(
                sql: "INSERT INTO events (run, time, kind, message, rank, step) VALUES (?, ?, ?, ?, ?, ?)")
            for event in additions.events {
                try statement.execute(arguments: [
                    number, event.time.timeIntervalSince1970, event.kind.rawValue, event.message, event.rank?.index,
                    event.step?.index,
                ])
            }
        }
    }
}
