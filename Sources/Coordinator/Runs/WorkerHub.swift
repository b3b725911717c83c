import Cluster
import Jobs
import Logging
import Messaging
import Synchronization
import Wire

/// The coordinator's end of the lines to one run's workers.
final class WorkerHub: Sendable {
    /// Something that arrived.
    enum Arrival: Sendable {
        /// A worker's message.
        case message(WorkerRank, epoch: Int, WorkerToCoordinator)
        /// A request for a number, and the line that the answer goes to.
        case joinRequest(from: [UInt8])
        /// A message of a worker that knew an earlier coordinator of this run.
        case stranger(from: [UInt8])
    }

    /// Where workers of other hosts are taken, and who knows their keys.
    struct Remote: Sendable {
        var endpoint: Endpoint
        var gatekeeper: Gatekeeper
        /// Gives each run's workers a key of their own; nil where they bring one.
        var issuer: KeyStore?
    }

    /// The secret by which workers of this run are known.
    let token: String
    /// The TCP port at which workers of other hosts are taken; nil where there is none.
    let remotePort: Int?
    /// What arrives, in order.
    let incoming: AsyncStream<Arrival>
    private let run: RunID
    private let loop: MessageLoop
    private let lines: Lines
    private let post: AsyncStream<Arrival>.Continuation

    /// Listens for the workers of `run`: of this host at `endpoint`, of others by their keys at `remote`'s.
    ///
    /// - Throws: `MessagingError`.
    init(run: RunID, endpoint: String, remote: Remote? = nil, logger: Logger) throws {
        let token = (0..<4).map { _ in RunID.random().text }.joined()
        let (incoming, post) = AsyncStream<Arrival>.makeStream()
        let lines = Lines()
        var options = Socket.Options.workerLine
        options.largestFrame = Int64(WorkerEnvelope.byteLimit)
        var setup = MessageLoop.Setup(.router, options: options, bind: [try Endpoint(endpoint)])
        let refusals = RefusalLog(logger: logger)
        if let remote {
            setup.secured = [remote.endpoint]
            setup.keys = remote.gatekeeper.keys
            setup.failed = { refusals.note($0.description) }
        }
        let gatekeeper = remote?.gatekeeper
        loop = try MessageLoop(
            "workers", setup, in: try Context(admitting: gatekeeper?.check { $0 == .worker }),
            undeliverable: { frames in
                // Where the worker is there after all, its line keeps the message and sends it again.
                logger.debug(
                    "a message to a worker that is not connected was dropped",
                    metadata: ["bytes": "\(frames.last?.count ?? 0)"]
                )
            },
            receiver: { message in
                if let key = message.key, gatekeeper?.holder(of: key)?.role != .worker {
                    refusals.note("a message by a worker's key that was revoked")
                    return
                }
                do throws(WireError) {
                    if let arrival = try Self.arrival(message.frames, run: run, token: token, lines) {
                        post.yield(arrival)
                    }
                } catch {
                    logger.warning("a message to the coordinator was dropped: \(error)", metadata: ["run": "\(run)"])
                }
            })
        remotePort = loop.endpoints.last?.port
        self.token = token
        self.incoming = incoming
        self.run = run
        self.lines = lines
        self.post = post
    }

    /// Sends `message` to worker `rank`, about membership `epoch`.
    func send(_ message: CoordinatorToWorker, to rank: WorkerRank, epoch: Int) {
        let name = WorkerLine.name(of: rank, token: token)
        let bytes = message.encoded(for: run, epoch: epoch)
        // Posted under the lock, so that numbers leave in their order.
        lines.byName.withLock { lines in
            var line = lines[name] ?? SequencedLine()
            defer { lines[name] = line }
            switch message {
            case .alive:
                for frames in line.repeats(now: .now()) { loop.send([name] + frames) }
                loop.send([name] + line.sendOnce(bytes))
            case .assignment, .commit, .verdict, .recorded, .halt, .save, .stop, .refused, .fenced, .admitted:
                loop.send([name] + line.send(bytes, now: .now()))
            }
        }
    }

    /// Answers a request for a number.
    func reply(_ message: CoordinatorToWorker, to requester: [UInt8]) {
        loop.send([requester] + SequencedLine().sendOnce(message.encoded(for: run, epoch: 0)))
    }

    /// Sends what waits and stops listening.
    func close() {
        post.finish()
        loop.close()
    }

    /// What the numbered lines to the workers have heard and said, by the lines' names.
    private final class Lines: Sendable {
        let byName = Mutex<[[UInt8]: SequencedLine]>([:])
    }

    /// What has arrived; nil for what came before.
    private static func arrival(
        _ frames: [[UInt8]], run: RunID, token: String, _ lines: Lines
    ) throws(WireError) -> Arrival? {
        guard frames.count == 3, let header = SequencedLine.Header(decoding: frames[1]) else {
            throw .malformed(message: "worker message of \(frames.count) frames")
        }
        let envelope = try WorkerEnvelope(decoding: frames[2])
        func check(_ said: String) throws(WireError) {
            guard said == token else {
                throw .field(message: "hello", field: "token", found: "another one", allowed: "the run's secret")
            }
        }
        if envelope.run == run, case .joinRequest(let said) = envelope.message {
            try check(said)
            return .joinRequest(from: frames[0])
        }
        if envelope.run == run, WorkerLine.isForeign(frames[0], token: token) { return .stranger(from: frames[0]) }
        guard envelope.run == run, WorkerLine.name(of: envelope.rank, token: token) == frames[0] else {
            throw .field(
                message: "worker message", field: "run_id and rank", found: "\(envelope.run), \(envelope.rank)",
                allowed: "those of this run's workers")
        }
        if case .hello(let hello) = envelope.message { try check(hello.token) }
        guard lines.byName.withLock({ $0[frames[0], default: SequencedLine()].take(header) }) else { return nil }
        return .message(envelope.rank, epoch: envelope.epoch, envelope.message)
    }
}
