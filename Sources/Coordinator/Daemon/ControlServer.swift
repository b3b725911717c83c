import Logging
import Messaging
import Wire

/// Takes clients' requests at its endpoints and sends their replies.
final class ControlServer: Sendable {
    private struct Request: Sendable {
        var client: [UInt8]
        var request: Result<ClientRequest, WireError>
    }

    private let loop: MessageLoop
    private let requests: AsyncStream<Request>
    private let post: AsyncStream<Request>.Continuation

    /// - Throws: `MessagingError` where it can't listen.
    init(endpoints: [String], logger: Logger) throws {
        // A flood of requests beyond the bound is dropped; its clients hear nothing and give up by their own deadline.
        let (requests, post) = AsyncStream<Request>.makeStream(bufferingPolicy: .bufferingOldest(1_024))
        self.requests = requests
        self.post = post
        var options = Socket.Options()
        options.largestFrame = Int64(ClientRequest.byteLimit)
        let setup = MessageLoop.Setup(.router, options: options, bind: try endpoints.map { try Endpoint($0) })
        loop = try MessageLoop("control", setup, in: try Context()) { frames in
            guard frames.count == 2 else {
                logger.warning("a request of \(frames.count) frames was dropped; 2 are allowed")
                return
            }
            let request = Result { () throws(WireError) in try ClientRequest(decoding: frames[1]) }
            post.yield(Request(client: frames[0], request: request))
        }
    }

    /// The addresses at which it listens, with real port numbers.
    var endpoints: [String] { loop.endpoints.map(\.text) }

    /// Answers requests, one after the other, until the task is cancelled or the server closed.
    func serve(_ answer: @Sendable (ClientRequest) async -> ClientReply) async {
        for await request in requests {
            let reply: ClientReply =
                switch request.request {
                case .success(let content): await answer(content)
                case .failure(let error): .refused(reason: error.description)
                }
            loop.send([request.client, reply.encoded()])
        }
    }

    /// Stops listening; replies that wait are sent first.
    func close() {
        post.finish()
        loop.close()
    }
}
