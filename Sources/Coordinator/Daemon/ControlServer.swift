import Logging
import Messaging
import Wire

/// Takes clients' requests at its endpoints and sends their replies.
///
/// Who asks by a key gets what the key's role permits, as the list says at that moment; who asks without one is this host's
/// user, and may do everything.
final class ControlServer: Sendable {
    private struct Request: Sendable {
        var client: [UInt8]
        var key: CurvePublicKey?
        var request: Result<ClientRequest, WireError>
    }

    /// Where requests are taken.
    struct Addresses: Sendable {
        /// By this host's own processes, without keys.
        var plain: [Endpoint] = []
        /// By whoever has a key.
        var secured: [Endpoint] = []
    }

    private let loop: MessageLoop
    private let gatekeeper: Gatekeeper?
    private let logger: Logger
    private let requests: AsyncStream<Request>
    private let post: AsyncStream<Request>.Continuation

    /// - Parameter gatekeeper: knows who has a key; needed where anything is secured.
    /// - Throws: `MessagingError` where it can't listen.
    init(_ addresses: Addresses, gatekeeper: Gatekeeper?, logger: Logger) throws {
        self.gatekeeper = gatekeeper
        self.logger = logger
        // A flood of requests beyond the bound is dropped; its clients hear nothing and give up by their own deadline.
        let (requests, post) = AsyncStream<Request>.makeStream(bufferingPolicy: .bufferingOldest(1_024))
        self.requests = requests
        self.post = post
        var options = Socket.Options()
        options.largestFrame = Int64(ClientRequest.byteLimit)
        var setup = MessageLoop.Setup(.router, options: options, bind: addresses.plain)
        let refusals = RefusalLog(logger: logger)
        setup.secured = addresses.secured
        setup.keys = gatekeeper?.keys
        setup.failed = { refusals.note($0.description) }
        loop = try MessageLoop(
            "control", setup, in: try Context(admitting: gatekeeper?.check { _ in true }),
            receiver: { message in
                guard message.frames.count == 2 else {
                    refusals.note("a request of \(message.frames.count) frames; 2 are allowed")
                    return
                }
                let request = Result { () throws(WireError) in try ClientRequest(decoding: message.frames[1]) }
                post.yield(Request(client: message.frames[0], key: message.key, request: request))
            })
    }

    /// The addresses at which it listens, with real port numbers.
    var endpoints: [String] { loop.endpoints.map(\.text) }

    /// Answers requests, one after the other, until the task is cancelled or the server closed.
    func serve(_ answer: @Sendable (ClientRequest) async -> ClientReply) async {
        for await request in requests {
            let reply: ClientReply =
                switch request.request {
                case .success(let content):
                    if let obstacle = obstacle(to: content, by: request.key) {
                        .refused(reason: obstacle)
                    } else {
                        await answer(content)
                    }
                case .failure(let error): .refused(reason: error.description)
                }
            loop.send([request.client, reply.encoded()])
        }
    }

    /// Why the holder of `key` may not ask for `request`; nil where they may.
    private func obstacle(to request: ClientRequest, by key: CurvePublicKey?) -> String? {
        guard let key else { return nil }
        guard let holder = gatekeeper?.holder(of: key) else {
            logger.warning("refused: a request by a key that was revoked")
            return "this key was revoked"
        }
        guard holder.role.permits(request) else {
            logger.warning("refused: a request that its role does not permit", metadata: ["key": "\(holder.name)"])
            return "the key '\(holder.name)' has the role \(holder.role.rawValue), which does not permit this"
        }
        return nil
    }

    /// Stops listening; replies that wait are sent first.
    func close() {
        post.finish()
        loop.close()
    }
}
