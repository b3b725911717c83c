import Foundation
import Jobs
import Messaging
import Runs
import Synchronization
import Wire

/// Asks a daemon for things: that of a state directory, or one elsewhere.
public struct DaemonClient: Sendable {
    private enum Place: Sendable {
        case state(StateDirectory)
        case remote(Endpoint, CurveClient?)
    }

    private let place: Place
    private let deadline: HostSeconds

    /// A client that gives up on an answer after `deadline`.
    public init(state: StateDirectory, deadline: HostSeconds = HostSeconds(10)) {
        place = .state(state)
        self.deadline = deadline
    }

    /// A client of the daemon at `endpoint`, known to it by `key`; nil for none, at an address of this host.
    public init(at endpoint: Endpoint, key: ClientKey?, deadline: HostSeconds = HostSeconds(10)) {
        place = .remote(endpoint, key?.curve)
        self.deadline = deadline
    }

    /// Hands a job to the daemon and returns the new run's id.
    ///
    /// - Parameters:
    ///   - exchange: how a cluster's workers share lanes and exchange gradients; without effect on the wafer.
    ///   - terms: when its turn comes.
    ///   - emulation: how the hardware is emulated; nil for a native run.
    ///   - limits: what the run may take; the daemon may have narrower ones.
    /// - Throws: `DaemonError`.
    public func launch(
        _ job: Job, on backend: Backend, workers: Int, hardware: String?,
        exchange: ExchangeSettings = ExchangeSettings(), terms: SubmissionTerms = SubmissionTerms(),
        emulation: EmulationSettings? = nil, limits: RunLimits = RunLimits()
    ) async throws -> RunID {
        let request = LaunchRequest(
            job: JobFile.json(job), backend: backend, workers: workers, hardware: hardware, exchange: exchange,
            terms: terms, emulation: try emulation.map { Array(try JSONEncoder().encode($0)) } ?? [], limits: limits)
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
        if case .state(let state) = place, !DaemonLock.isHeld(in: state) {
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

    /// A document about the runs on record, as JSON.
    ///
    /// - Throws: `DaemonError`.
    public func document(_ request: DocumentRequest) async throws -> Data {
        guard case .document(let bytes) = try await ask(.document(request)) else { throw unexpected("document") }
        return Data(bytes)
    }

    /// What a worker of another host could do; nil where there is nothing yet.
    ///
    /// - Throws: `DaemonError`.
    public func work() async throws -> WorkOrder? {
        do {
            guard case .work(let order) = try await ask(.work) else { throw unexpected("work") }
            return order
        } catch DaemonError.refused(reason: RequestDesk.noWork) {
            return nil
        }
    }

    private func unexpected(_ request: String) -> DaemonError {
        .refused(reason: "the daemon answered something else than asked for: \(request)")
    }

    private func ask(_ request: ClientRequest) async throws -> ClientReply {
        let (replies, post) = AsyncStream<[UInt8]>.makeStream(bufferingPolicy: .bufferingNewest(1))
        var options = Socket.Options()
        options.largestFrame = Int64(ClientReply.byteLimit)
        let refusal = Flag()
        var setup: MessageLoop.Setup
        switch place {
        case .state(let state):
            guard DaemonLock.isHeld(in: state) else { throw DaemonError.notRunning(state: state.path) }
            setup = MessageLoop.Setup(.dealer, options: options, connect: [try Endpoint(state.controlEndpoint)])
        case .remote(let endpoint, let curve):
            setup = MessageLoop.Setup(.dealer, options: options, connect: [endpoint])
            setup.client = curve
            setup.failed = { failure in
                guard failure.isKeyRefused else { return }
                refusal.set()
                post.finish()
            }
        }
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
        switch place {
        case .state(let state): throw DaemonError.noAnswer(state: state.path, seconds: deadline.seconds)
        case .remote(let endpoint, _):
            if refusal.isSet { throw DaemonError.keyRefused(endpoint: endpoint.text) }
            throw DaemonError.unreachable(endpoint: endpoint.text, seconds: deadline.seconds)
        }
    }
}

/// A flag that one thread sets and another looks at.
private final class Flag: Sendable {
    private let flag = Atomic(false)

    /// Whether it is set.
    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Sets it.
    func set() { flag.store(true, ordering: .relaxed) }
}
