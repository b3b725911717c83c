import Cluster
import Jobs
import Logging
import Messaging
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

    /// The secret by which workers of this run are known.
    let token: String
    /// What arrives, in order.
    let incoming: AsyncStream<Arrival>
    private let run: RunID
    private let loop: MessageLoop
    private let post: AsyncStream<Arrival>.Continuation

    /// Listens for the workers of `run`.
    ///
    /// - Throws: `MessagingError`.
    init(run: RunID, endpoint: String, logger: Logger) throws {
        let token = (0..<4).map { _ in RunID.random().text }.joined()
        let (incoming, post) = AsyncStream<Arrival>.makeStream()
        var options = Socket.Options()
        options.largestFrame = Int64(WorkerEnvelope.byteLimit)
        let setup = MessageLoop.Setup(.router, options: options, bind: [try Endpoint(endpoint)])
        loop = try MessageLoop(
            "workers", setup, in: try Context(),
            undeliverable: { frames in
                logger.debug(
                    "a message to a worker that has gone was dropped", metadata: ["bytes": "\(frames.last?.count ?? 0)"]
                )
            },
            handler: { frames in
                do throws(WireError) {
                    post.yield(try Self.arrival(frames, run: run, token: token))
                } catch {
                    logger.warning("a message to the coordinator was dropped: \(error)", metadata: ["run": "\(run)"])
                }
            })
        self.token = token
        self.incoming = incoming
        self.run = run
        self.post = post
    }

    /// Sends `message` to worker `rank`, about membership `epoch`.
    func send(_ message: CoordinatorToWorker, to rank: WorkerRank, epoch: Int) {
        loop.send([WorkerLine.name(of: rank, token: token), message.encoded(for: run, epoch: epoch)])
    }

    /// Answers a request for a number.
    func reply(_ message: CoordinatorToWorker, to requester: [UInt8]) {
        loop.send([requester, message.encoded(for: run, epoch: 0)])
    }

    /// Sends what waits and stops listening.
    func close() {
        post.finish()
        loop.close()
    }

    private static func arrival(_ frames: [[UInt8]], run: RunID, token: String) throws(WireError) -> Arrival {
        guard frames.count == 2 else { throw .malformed(message: "worker message of \(frames.count) frames") }
        let envelope = try WorkerEnvelope(decoding: frames[1])
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
        return .message(envelope.rank, epoch: envelope.epoch, envelope.message)
    }
}
