import Jobs
import Logging
import Messaging
import Wire

/// The coordinator's end of the lines to one run's workers.
final class WorkerHub: Sendable {
    /// The secret by which workers of this run are known.
    let token: String
    /// What workers say, in the order of arrival.
    let incoming: AsyncStream<(WorkerRank, WorkerToCoordinator)>
    private let run: RunID
    private let loop: MessageLoop
    private let post: AsyncStream<(WorkerRank, WorkerToCoordinator)>.Continuation

    /// Listens for the workers of `run`.
    ///
    /// - Throws: `MessagingError`.
    init(run: RunID, endpoint: String, logger: Logger) throws {
        let token = (0..<4).map { _ in RunID.random().text }.joined()
        let (incoming, post) = AsyncStream<(WorkerRank, WorkerToCoordinator)>.makeStream()
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
                    guard frames.count == 2 else {
                        throw .malformed(message: "worker message of \(frames.count) frames")
                    }
                    let envelope = try WorkerEnvelope(decoding: frames[1])
                    guard envelope.run == run, Self.routingID(of: envelope.rank) == frames[0] else {
                        throw .field(
                            message: "worker message", field: "run_id and rank",
                            found: "\(envelope.run), \(envelope.rank)", allowed: "those of this run's workers")
                    }
                    if case .hello(let hello) = envelope.message, hello.token != token {
                        throw .field(
                            message: "hello", field: "token", found: "another one", allowed: "the run's secret")
                    }
                    post.yield((envelope.rank, envelope.message))
                } catch {
                    logger.warning("a message to the coordinator was dropped: \(error)", metadata: ["run": "\(run)"])
                }
            })
        self.token = token
        self.incoming = incoming
        self.run = run
        self.post = post
    }

    /// Sends `message` to worker `rank`.
    func send(_ message: CoordinatorToWorker, to rank: WorkerRank) {
        loop.send([Self.routingID(of: rank), message.encoded(for: run)])
    }

    /// Sends what waits and stops listening.
    func close() {
        post.finish()
        loop.close()
    }

    private static func routingID(of rank: WorkerRank) -> [UInt8] { Array("worker-\(rank)".utf8) }
}
