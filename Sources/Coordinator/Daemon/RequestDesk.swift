import Cluster
import Foundation
import Jobs
import Logging
import Report
import Runs
import Wire

/// Answers requests to the daemon. Every request is checked again here: a client may be anyone's program.
struct RequestDesk: Sendable {
    private let state: StateDirectory
    private let store: RunStore
    private let queue: RunQueue
    private let workerSource: WorkerSource
    private let limits: RunLimits
    private let vacancies: VacancyLauncher?
    private let logger: Logger

    /// A desk that keeps runs in `store` and hands them to `queue`.
    ///
    /// - Parameters:
    ///   - limits: what any run may take at most.
    ///   - vacancies: the places that wait for workers of other hosts; nil where this program starts the workers.
    init(
        state: StateDirectory, store: RunStore, queue: RunQueue, workerSource: WorkerSource = .local,
        limits: RunLimits = RunLimits(), vacancies: VacancyLauncher? = nil, logger: Logger
    ) {
        self.workerSource = workerSource
        self.limits = limits
        self.vacancies = vacancies
        self.state = state
        self.store = store
        self.queue = queue
        self.logger = logger
    }

    /// The answer to `request`; a refusal says why.
    func answer(_ request: ClientRequest) async -> ClientReply {
        do {
            switch request {
            case .ping: return .pong(processID: getpid(), state: state.path)
            case .launch(let launch): return .launched(try await self.launch(launch))
            case .cancel(let id): return try await cancel(id)
            case .delete(let id): return try await delete(id)
            case .resume(let id, let workers):
                try await resume(id, workers: workers)
                return .done
            case .document(let request): return .document(Array(try document(request)))
            case .work: return try work()
            }
        } catch {
            return .refused(reason: "\(error)")
        }
    }

    private func document(_ request: DocumentRequest) throws -> Data {
        let document: Data
        switch request {
        case .list: document = RunJSON.list(try store.list())
        case .show(let run): document = try RunJSON.show(try store.record(of: try store.id(startingWith: run)))
        case .events(let run): document = try RunJSON.events(try store.record(of: try store.id(startingWith: run)))
        }
        guard document.count + 1_024 <= ClientReply.byteLimit else {
            throw DaemonError.refused(
                reason: "the document has \(document.count) bytes; \(ClientReply.byteLimit) are allowed")
        }
        return document
    }

    private func work() throws -> ClientReply {
        guard let vacancies else {
            throw DaemonError.refused(
                reason:
                    "this daemon takes no workers of other hosts; start it with --launcher external and --workers-listen"
            )
        }
        guard let order = vacancies.takePlace() else {
            throw DaemonError.refused(reason: Self.noWork)
        }
        return .work(order)
    }

    /// What a worker is told that comes before there is anything to do.
    static let noWork = "no run waits for workers"

    private func launch(_ launch: LaunchRequest) async throws -> RunID {
        let job = try JobFile.parse(launch.job, name: "the submitted job")
        let workers = launch.backend == .wafer ? 1 : launch.workers
        try JobRequirements.check(workers: workers, of: job)
        let emulation = try emulation(of: launch, job, workers: workers)
        var exchange = launch.backend == .cluster ? launch.exchange : nil
        // Workers of other hosts share no memory and no sockets of this one.
        if workerSource != .local { exchange?.transport = .tcp }
        if emulation != nil {
            guard workerSource == .local else {
                throw DaemonError.refused(
                    reason: "an emulated run's workers and its fabric share one host; give --launcher local")
            }
            // Frames pass the fabric, whatever memory workers could share; the emulated devices are equal, whatever the
            // host's cores are.
            exchange?.transport = .ipc
            exchange?.laneShares = .even
        }
        var run = Run(
            id: RunID.random(), job: job, backend: launch.backend, workers: workers, hardware: launch.hardware,
            exchange: exchange, emulation: emulation, terms: launch.terms, submitted: Date())
        let limits = launch.limits.tightened(by: limits)
        run.limits = limits.isEmpty ? nil : limits
        if let key = launch.terms.key, let known = try store.run(submittedWith: key) {
            guard known.isAskedForLike(run) else {
                throw DaemonError.refused(
                    reason:
                        "the submission's key is that of run \(known.id), which was asked for otherwise; take another")
            }
            return known.id
        }
        try checkRoom(for: run)
        _ = try unfinished(launch.terms.after)
        try store.insert(run)
        try await enqueue(run)
        logger.info("queued: job \(job.name) on the \(launch.backend.rawValue)", metadata: ["run": "\(run.id)"])
        return run.id
    }

    /// Refuses a run that can't keep within its limits, or has no room here.
    private func checkRoom(for run: Run) throws {
        guard workerSource == .local || run.limits?.memory == nil else {
            throw DaemonError.refused(
                reason: "memory of workers of other hosts can't be watched from here; let their scheduler limit it")
        }
        try JobRequirements.check(run.limits ?? RunLimits(), of: run.job, workers: run.workers)
        let facts = HostProbe.room(at: state.path)
        try JobRequirements.check(
            room: workerSource == .local ? facts.memory : nil, disk: facts.disk, for: run.job, workers: run.workers)
    }

    /// How the hardware of a launch is emulated, checked; nil for a native run.
    private func emulation(of launch: LaunchRequest, _ job: Job, workers: Int) throws -> Emulation? {
        if launch.emulation.isEmpty { return nil }
        guard let settings = try? JSONDecoder().decode(EmulationSettings.self, from: Data(launch.emulation)) else {
            throw DaemonError.refused(
                reason: "the request's emulation is none; client and daemon may differ in version")
        }
        try JobRequirements.check(settings, workers: workers, hardware: launch.hardware, for: launch.backend)
        try JobRequirements.check(settings, workers: workers, of: job)
        return Emulation(settings: settings)
    }

    private func cancel(_ id: RunID) async throws -> ClientReply {
        var run = try store.run(id)
        if run.state.isFinal {
            throw DaemonError.refused(reason: "run \(id) has already ended: \(run.state.name)")
        }
        switch await queue.cancel(id) {
        case .signalled: break
        case .dequeued, .unknown:
            run.state = .cancelled
            run.ended = Date()
            try store.update(run)
            try await settle(id, .cancelled)
        }
        return .done
    }

    /// Queues every run that a daemon's end has cut short, oldest first.
    func resumeInterrupted() async throws {
        for run in try store.list().reversed() where run.state == .interrupted {
            try await resume(run.id, workers: nil)
        }
    }

    private func resume(_ id: RunID, workers: Int?) async throws {
        var run = try store.run(id)
        guard run.state.isFinal else {
            throw DaemonError.refused(reason: "run \(id) has not ended: it is \(run.state.name)")
        }
        if case .finished = run.state {
            throw DaemonError.refused(reason: "run \(id) is complete; there is nothing to go on with")
        }
        let workers = run.backend == .wafer ? 1 : workers ?? run.workers
        try JobRequirements.check(workers: workers, of: run.job)
        _ = try unfinished(run.terms?.after ?? [])
        run.workers = workers
        let limits = (run.limits ?? RunLimits()).tightened(by: limits)
        run.limits = limits.isEmpty ? nil : limits
        try checkRoom(for: run)
        run.state = .queued
        run.ended = nil
        let event = RunEvent(
            time: Date(), kind: .resumed,
            message: run.backend == .wafer ? "to go on" : "to go on with \(workers) workers")
        try store.update(run, appending: RunAdditions(events: [event]))
        try await enqueue(run)
        logger.info("queued to go on: job \(run.job.name)", metadata: ["run": "\(id)"])
    }

    // MARK: - Runs that follow others

    /// Those of `runs` that have not finished yet.
    ///
    /// - Throws: `DaemonError.refused` where one of them never will; `RunStoreError` where there is no such run.
    private func unfinished(_ runs: [RunID]) throws -> Set<RunID> {
        var unfinished: Set<RunID> = []
        for id in runs {
            let state = try store.run(id).state
            if case .finished = state { continue }
            if state.isFinal {
                throw DaemonError.refused(
                    reason:
                        "run \(id), which it is to follow, is \(state.name); resume that one first, or don't follow it")
            }
            unfinished.insert(id)
        }
        return unfinished
    }

    private func enqueue(_ run: Run) async throws {
        let after = run.terms?.after ?? []
        await queue.append(
            RunOrder.Entry(id: run.id, priority: run.terms?.priority ?? 0, after: Set(after)))
        // Those that had ended before, or have while it was added.
        for id in after {
            let state = try store.run(id).state
            if state.isFinal { try await settle(id, state) }
        }
    }

    /// Takes in that `id` has ended as `state`: lets those begin that waited for it, or ends them.
    func settle(_ id: RunID, _ state: RunState) async throws {
        let hasFinished = if case .finished = state { true } else { false }
        // The daemon ends: what waits is interrupted, too, and can be resumed.
        if case .interrupted = state { return }
        for (run, because) in await queue.settle(id, hasFinished: hasFinished) {
            let reason =
                "run \(because), which it was to follow, has not finished: \(try store.run(because).state.name)"
            var hopeless = try store.run(run)
            hopeless.state = .failed(reason: reason)
            hopeless.ended = Date()
            let event = RunEvent(time: Date(), kind: .stateChanged, message: "failed: " + reason)
            try store.update(hopeless, appending: RunAdditions(events: [event]))
            logger.warning("\(reason)", metadata: ["run": "\(run)"])
        }
    }

    private func delete(_ id: RunID) async throws -> ClientReply {
        guard try store.run(id).state.isFinal else {
            throw DaemonError.refused(
                reason: "run \(id) has not ended; cancel it first with 'wafermark runs cancel \(id)'")
        }
        try RunRemoval.remove(id, from: store, in: state)
        return .done
    }
}

extension Run {
    /// Whether `other` asks for the same.
    fileprivate func isAskedForLike(_ other: Run) -> Bool {
        job == other.job && backend == other.backend && workers == other.workers && hardware == other.hardware
            && exchange == other.exchange && terms == other.terms && emulation?.settings == other.emulation?.settings
    }
}
