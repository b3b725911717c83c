import Foundation
import Jobs
import Messaging
import Runs
import Wire

/// Asks the daemon of a state directory for things.
public struct DaemonClient: Sendable {
    private let state: StateDirectory
    private let deadline: HostSeconds

    /// A client that gives up on an answer after `deadline`.
    public init(state: StateDirectory, deadline: HostSeconds = HostSeconds(10)) {
        self.state = state
        self.deadline = deadline
    }

    /// Hands a job to the daemon and returns the new run's id.
    ///
    /// - Parameters:
    ///   - exchange: how a cluster's workers share lanes and exchange gradients; without effect on the wafer.
    ///   - emulation: how the hardware is emulated; nil for a native run.
    /// - Throws: `DaemonError`.
    public func launch(
        _ job: Job, on backend: Backend, workers: Int, hardware: String?,
        exchange: ExchangeSettings = ExchangeSettings(), emulation: EmulationSettings? = nil
    ) async throws -> RunID {
        let request = LaunchRequest(
            job: JobFile.json(job), backend: backend, workers: workers, hardware: hardware, exchange: exchange,
            emulation: try emulation.map { Array(try JSONEncoder().encode($0)) } ?? [])
        guard case .launched(let id) = try await ask(.launch(request)) else { throw unexpected("launch") }
        return id
    }

    /// Goes on with a run that ended before it was complete, from its newest whole checkpoint.
    ///
    /// - Parameter workers: worker processes from now on; nil for as many as before.
    /// - Throws: `DaemonError`.
    public func resume(_ id: RunID, workers: Int? = nil) async throws {
        guard case .done = try await ask(.resume(id, workers: workers)) else { throw unexpected("resume") }
    }

    /// Ends a run: with a last checkpoint; at once where it is asked again.
    ///
    /// - Throws: `DaemonError`.
    public func cancel(_ id: RunID) async throws {
        guard case .done = try await ask(.cancel(id)) else { throw unexpected("cancel") }
    }

    /// Removes a run that has ended, with its files. Works without a daemon, too.
    ///
    /// - Throws: `DaemonError`, `RunStoreError`.
    public func delete(_ id: RunID) async throws {
        if !DaemonLock.isHeld(in: state) {
            // Holding the lock keeps a daemon from starting meanwhile.
            let lock = try DaemonLock(in: state)
            let store = try RunStore(directory: state.path)
            _ = try store.markInterrupted()
            try RunRemoval.remove(id, from: store, in: state)
            withExtendedLifetime(lock) {}
            return
        }
        guard case .done = try await ask(.delete(id)) else { throw unexpected("delete") }
    }

    /// The daemon's process.
    ///
    /// - Throws: `DaemonError`.
    public func ping() async throws -> Int32 {
        guard case .pong(let processID, _) = try await ask(.ping) else { throw unexpected("ping") }
        return processID
    }

    private func unexpected(_ request: String) -> DaemonError {
        .refused(reason: "the daemon answered something else than asked for: \(request)")
    }

    private func ask(_ request: ClientRequest) async throws -> ClientReply {
        guard DaemonLock.isHeld(in: state) else { throw DaemonError.notRunning(state: state.path) }
        let (replies, post) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let setup = MessageLoop.Setup(.dealer, connect: [try Endpoint(state.controlEndpoint)])
        let loop = try MessageLoop("client", setup, in: try Context()) { frames in
            if let reply = frames.last { post.yield(reply) }
        }
        defer { loop.close() }
        loop.send([request.encoded()])
        let deadline = deadline
        let timer = Task {
            try? await Task.sleep(for: .seconds(deadline.seconds))
            post.finish()
        }
        defer { timer.cancel() }
        for await bytes in replies {
            let reply = try ClientReply(decoding: bytes)
            if case .refused(let reason) = reply { throw DaemonError.refused(reason: reason) }
            return reply
        }
        try Task.checkCancellation()
        throw DaemonError.noAnswer(state: state.path, seconds: deadline.seconds)
    }
}
