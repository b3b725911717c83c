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
    private let vacancies: VacancyLauncher?
    private let logger: Logger

    /// A desk that keeps runs in `store` and hands them to `queue`.
    ///
    /// - Parameter vacancies: the places that wait for workers of other hosts; nil where this program starts the workers.
    init(
        state: StateDirectory, store: RunStore, queue: RunQueue, workerSource: WorkerSource = .local,
        vacancies: VacancyLauncher? = nil, logger: Logger
    ) {
        self.workerSource = workerSource
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
        case .list: document = try RunJSON.list(try store.list())
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
        guard (1...job.lanes).contains(workers) else {
            throw DaemonError.refused(
                reason: "\(workers) workers can't share \(job.lanes) lanes; give 1 to \(job.lanes)")
        }
        var exchange = launch.exchange
        // Workers of other hosts share no memory and no sockets of this one.
        if workerSource != .local { exchange.transport = .tcp }
        let run = Run(
            id: RunID.random(), job: job, backend: launch.backend, workers: workers, hardware: launch.hardware,
            exchange: launch.backend == .cluster ? exchange : nil, submitted: Date())
        try store.insert(run)
        await queue.append(run.id)
        logger.info("queued: job \(job.name) on the \(launch.backend.rawValue)", metadata: ["run": "\(run.id)"])
        return run.id
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
        guard (1...run.job.lanes).contains(workers) else {
            throw DaemonError.refused(
                reason: "\(workers) workers can't share \(run.job.lanes) lanes; give 1 to \(run.job.lanes)")
        }
        run.workers = workers
        run.state = .queued
        run.ended = nil
        let event = RunEvent(
            time: Date(), kind: .resumed,
            message: run.backend == .wafer ? "to go on" : "to go on with \(workers) workers")
        try store.update(run, appending: RunAdditions(events: [event]))
        await queue.append(id)
        logger.info("queued to go on: job \(run.job.name)", metadata: ["run": "\(id)"])
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
