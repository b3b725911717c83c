import Foundation
import Jobs
import Logging
import Runs
import Wire

/// Answers requests to the daemon. Every request is checked again here: a client may be anyone's program.
struct RequestDesk: Sendable {
    private let state: StateDirectory
    private let store: RunStore
    private let queue: RunQueue
    private let logger: Logger

    /// A desk that keeps runs in `store` and hands them to `queue`.
    init(state: StateDirectory, store: RunStore, queue: RunQueue, logger: Logger) {
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
            }
        } catch {
            return .refused(reason: "\(error)")
        }
    }

    private func launch(_ launch: LaunchRequest) async throws -> RunID {
        let job = try JobFile.parse(launch.job, name: "the submitted job")
        let workers = launch.backend == .wafer ? 1 : launch.workers
        guard (1...job.lanes).contains(workers) else {
            throw DaemonError.refused(
                reason: "\(workers) workers can't share \(job.lanes) lanes; give 1 to \(job.lanes)")
        }
        let emulation = try emulation(of: launch, workers: workers)
        var exchange = launch.backend == .cluster ? launch.exchange : nil
        if emulation != nil {
            // Frames pass the fabric, whatever memory workers could share; the emulated devices are equal, whatever the
            // host's cores are.
            exchange?.transport = .ipc
            exchange?.laneShares = .even
        }
        let run = Run(
            id: RunID.random(), job: job, backend: launch.backend, workers: workers, hardware: launch.hardware,
            exchange: exchange, emulation: emulation, submitted: Date())
        try store.insert(run)
        await queue.append(run.id)
        logger.info("queued: job \(job.name) on the \(launch.backend.rawValue)", metadata: ["run": "\(run.id)"])
        return run.id
    }

    /// How the hardware of a launch is emulated, checked; nil for a native run.
    private func emulation(of launch: LaunchRequest, workers: Int) throws -> Emulation? {
        if launch.emulation.isEmpty { return nil }
        guard let settings = try? JSONDecoder().decode(EmulationSettings.self, from: Data(launch.emulation)) else {
            throw DaemonError.refused(
                reason: "the request's emulation is none; client and daemon may differ in version")
        }
        try JobRequirements.check(settings, workers: workers, hardware: launch.hardware, for: launch.backend)
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
