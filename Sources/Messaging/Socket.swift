import CZeroMQ

/// Owns one libzmq socket. A socket belongs to the thread that uses it; it is made there and closed there.
public struct Socket: ~Copyable {
    /// What a socket does with messages.
    public enum Kind: Sendable {
        /// Many peers, each addressed by its routing id; a message to an unknown one is an error, not a silent loss.
        case router
        /// One peer at the other end of each connection.
        case dealer
        /// Sends to the peer that it is connected to, and waits for it where it is slow.
        case push
        /// Receives from every peer that connects to it.
        case pull
        /// Answers one request after the other.
        case reply

        var code: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .push: ZMQ_PUSH
            case .pull: ZMQ_PULL
            case .reply: ZMQ_REP
            }
        }
    }

    /// Limits of a socket.
    public struct Options: Sendable {
        /// Messages that may wait to be sent to each peer, and to be received from each; more are back-pressure. 0 sets
        /// no limit.
        public var sendHighWaterMark: Int32 = 10_000
        public var receiveHighWaterMark: Int32 = 10_000
        /// The largest frame that is taken; a peer that sends a larger one is disconnected.
        public var largestFrame: Int64 = 8 << 20
        /// How long unsent messages may hold up the socket's end.
        public var lingerMilliseconds: Int32 = 500
        /// The name by which a router knows this socket.
        public var routingID: String?
        /// When libzmq asks the other end of a silent connection whether it is there, and gives it up; never where nil. Not
        /// for connections whose receiver may let its sender wait: it does not answer then.
        public var heartbeat: HeartbeatTimes?

        /// Between two questions, and until the answer.
        public struct HeartbeatTimes: Sendable {
            public var intervalMilliseconds: Int32
            public var deadlineMilliseconds: Int32

            /// The given times.
            public init(intervalMilliseconds: Int32, deadlineMilliseconds: Int32) {
                self.intervalMilliseconds = intervalMilliseconds
                self.deadlineMilliseconds = deadlineMilliseconds
            }
        }

        /// The limits of control traffic.
        public init() {}

        /// The largest frame of gradient that is taken.
        public static let largestGradientFrame = 256 << 20

        /// The limits of gradient traffic. Its senders bound what waits to be sent, since it is their own memory, which
        /// they get back. A receiver holds a few frames of each peer and then lets the sender wait, so that what it
        /// adds up is still in the cache. What a closed exchange has not sent is of no use to anybody.
        public static var gradients: Options {
            var options = Options()
            options.sendHighWaterMark = 0
            options.receiveHighWaterMark = 8
            options.largestFrame = Int64(largestGradientFrame)
            options.lingerMilliseconds = 0
            return options
        }
    }

    let handle: UnsafeMutableRawPointer
    /// Kept alive; nil for a socket that its context ends before itself.
    private let context: Context?

    /// A socket of `kind` in `context`.
    public init(_ kind: Kind, in context: Context, options: Options = Options()) throws(MessagingError) {
        handle = try Self.make(kind, options, in: context.handle)
        self.context = context
    }

    /// A socket of `kind` in a libzmq context that outlives it.
    init(_ kind: Kind, inUnowned context: UnsafeMutableRawPointer) throws(MessagingError) {
        handle = try Self.make(kind, Options(), in: context)
        self.context = nil
    }

    private static func make(
        _ kind: Kind, _ options: Options, in context: UnsafeMutableRawPointer
    ) throws(MessagingError) -> UnsafeMutableRawPointer {
        guard let handle = zmq_socket(context, kind.code) else {
            throw .call("zmq_socket", reason: MessagingError.reason())
        }
        do throws(MessagingError) {
            try set(kind, options, on: handle)
        } catch {
            zmq_close(handle)
            throw error
        }
        return handle
    }

    deinit { zmq_close(handle) }

    private static func set(
        _ kind: Kind, _ options: Options, on handle: UnsafeMutableRawPointer
    ) throws(MessagingError) {
        try set(ZMQ_SNDHWM, options.sendHighWaterMark, on: handle)
        try set(ZMQ_RCVHWM, options.receiveHighWaterMark, on: handle)
        try set(ZMQ_LINGER, options.lingerMilliseconds, on: handle)
        try set(ZMQ_MAXMSGSIZE, options.largestFrame, on: handle)
        try set(ZMQ_IPV6, Int32(1), on: handle)
        try set(ZMQ_HANDSHAKE_IVL, Int32(5_000), on: handle)
        if let heartbeat = options.heartbeat {
            try set(ZMQ_HEARTBEAT_IVL, heartbeat.intervalMilliseconds, on: handle)
            try set(ZMQ_HEARTBEAT_TIMEOUT, heartbeat.deadlineMilliseconds, on: handle)
        }
        if case .router = kind {
            try set(ZMQ_ROUTER_MANDATORY, Int32(1), on: handle)
            try set(ZMQ_ROUTER_HANDOVER, Int32(1), on: handle)
        }
        if let id = options.routingID {
            try set(ZMQ_ROUTING_ID, Array(id.utf8), on: handle)
        }
    }

    private static func set<Value: BitwiseCopyable>(
        _ option: Int32, _ value: Value, on handle: UnsafeMutableRawPointer
    ) throws(MessagingError) {
        var value = value
        guard zmq_setsockopt(handle, option, &value, MemoryLayout<Value>.size) == 0 else {
            throw .call("zmq_setsockopt(\(option))", reason: MessagingError.reason())
        }
    }

    private static func set(
        _ option: Int32, _ bytes: [UInt8], on handle: UnsafeMutableRawPointer
    ) throws(MessagingError) {
        guard zmq_setsockopt(handle, option, bytes, bytes.count) == 0 else {
            throw .call("zmq_setsockopt(\(option))", reason: MessagingError.reason())
        }
    }

    /// Listens at `endpoint` and returns the address that was taken, with the real port where 0 was asked for.
    ///
    /// - Parameter keys: who it is to those who connect, who then must use CURVE and be admitted by the context's check. Nil
    ///   for none, at an address of this host's own processes alone; addresses without come first.
    /// - Throws: `MessagingError.unencrypted` where others can reach the address and `keys` is nil; `.key`, `.bind`.
    public func bind(to endpoint: Endpoint, as keys: CurveKeyPair? = nil) throws(MessagingError) -> Endpoint {
        guard endpoint.isLocal || keys != nil else { throw .unencrypted(endpoint.text) }
        if let keys {
            guard let context, context.authenticates else {
                throw .key(reason: "nothing would check the keys of those who connect to \(endpoint)")
            }
            // Options hold for what is bound from now on (zmq_setsockopt(3)).
            try Self.set(ZMQ_CURVE_SERVER, Int32(1), on: handle)
            try Self.set(ZMQ_CURVE_SECRETKEY, keys.secretKey.bytes, on: handle)
            try Self.set(ZMQ_ZAP_DOMAIN, Array(Authenticator.domain.utf8), on: handle)
        }
        guard zmq_bind(handle, endpoint.text) == 0 else {
            throw .bind(endpoint.text, reason: MessagingError.reason())
        }
        var text = [CChar](repeating: 0, count: 512)
        var size = text.count
        guard zmq_getsockopt(handle, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else {
            throw .call("zmq_getsockopt", reason: MessagingError.reason())
        }
        return try Endpoint(String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self))
            .plain
    }

    /// Connects to `endpoint`, now or as soon as somebody listens there.
    ///
    /// - Parameter client: the keys of both ends; nil for none, to an address of this host.
    /// - Throws: `MessagingError.unencrypted` where the address is another host's and `client` is nil; `.connect`.
    public func connect(to endpoint: Endpoint, with client: CurveClient? = nil) throws(MessagingError) {
        guard endpoint.isLocal || client != nil else { throw .unencrypted(endpoint.text) }
        if let client {
            try Self.set(ZMQ_CURVE_SERVERKEY, client.server.bytes, on: handle)
            try Self.set(ZMQ_CURVE_PUBLICKEY, client.keys.publicKey.bytes, on: handle)
            try Self.set(ZMQ_CURVE_SECRETKEY, client.keys.secretKey.bytes, on: handle)
        }
        guard zmq_connect(handle, endpoint.text) == 0 else {
            throw .connect(endpoint.text, reason: MessagingError.reason())
        }
    }

    /// Sends a message of `frames`; false where the peer is unknown or takes no more, and nothing was sent.
    public func send(_ frames: [[UInt8]]) -> Bool {
        for (index, frame) in frames.enumerated() {
            let more = index + 1 < frames.count ? ZMQ_SNDMORE : 0
            while zmq_send(handle, frame, frame.count, more | ZMQ_DONTWAIT) < 0 {
                if zmq_errno() != EINTR { return false }
            }
        }
        return true
    }

    /// The descriptor-like item that `zmq_poll` watches for incoming messages.
    public var pollItem: zmq_pollitem_t {
        zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    /// As `pollItem`, for a socket that would take a message to send.
    public var outputPollItem: zmq_pollitem_t {
        zmq_pollitem_t(socket: handle, fd: 0, events: Int16(ZMQ_POLLOUT), revents: 0)
    }

    /// Sends `header` and then `payload` without copying the latter; false where the peer takes no more and nothing was sent.
    public func send(header: [UInt8], payload: Frame) -> Bool {
        while zmq_send(handle, header, header.count, ZMQ_SNDMORE | ZMQ_DONTWAIT) < 0 {
            if zmq_errno() != EINTR { return false }
        }
        while zmq_msg_send(payload.message, handle, ZMQ_DONTWAIT) < 0 {
            if zmq_errno() != EINTR { return false }
        }
        return true
    }

    /// The next message of a header and a payload, neither copied; nil where none waits. A message of another number of
    /// frames comes back without a payload.
    public func receivePair() throws(MessagingError) -> (header: Frame, payload: Frame?)? {
        let header = Frame()
        guard try receive(into: header) else { return nil }
        guard header.isFollowed else { return (header, nil) }
        let payload = Frame()
        guard try receive(into: payload) else { return (header, nil) }
        guard payload.isFollowed else { return (header, payload) }
        var rest = Frame()
        repeat { rest = Frame() } while try receive(into: rest) && rest.isFollowed
        return (header, nil)
    }

    private func receive(into frame: Frame) throws(MessagingError) -> Bool {
        while zmq_msg_recv(frame.message, handle, ZMQ_DONTWAIT) < 0 {
            switch zmq_errno() {
            case EAGAIN: return false
            case EINTR: continue
            default: throw .call("zmq_msg_recv", reason: MessagingError.reason())
            }
        }
        return true
    }

    /// A message, and who sent it.
    public struct Received: Sendable {
        public var frames: [[UInt8]]
        /// The key that its connection was admitted by; nil for one without CURVE.
        public var key: CurvePublicKey?
    }

    /// The frames of the next message, or nil where none waits; as `receiveMessage`.
    public func receive(limit: Int = 8) throws(MessagingError) -> [[UInt8]]? {
        try receiveMessage(limit: limit)?.frames
    }

    /// The next message, or nil where none waits. At most `limit` frames are kept; a message of more is read to its end
    /// and dropped, and comes back empty.
    public func receiveMessage(limit: Int = 8) throws(MessagingError) -> Received? {
        var frames: [[UInt8]] = []
        var key: CurvePublicKey?
        var count = 0
        while true {
            var frame = zmq_msg_t()
            zmq_msg_init(&frame)
            defer { zmq_msg_close(&frame) }
            guard zmq_msg_recv(&frame, handle, ZMQ_DONTWAIT) >= 0 else {
                switch zmq_errno() {
                case EAGAIN: return nil
                case EINTR: continue
                default: throw .call("zmq_msg_recv", reason: MessagingError.reason())
                }
            }
            count += 1
            if count <= limit {
                frames.append(
                    Array(UnsafeRawBufferPointer(start: zmq_msg_data(&frame), count: zmq_msg_size(&frame))))
            }
            if key == nil, let user = zmq_msg_gets(&frame, "User-Id") {
                key = try? CurvePublicKey(String(cString: user))
            }
            if zmq_msg_more(&frame) == 0 { return Received(frames: count <= limit ? frames : [], key: key) }
        }
    }
}
