import Foundation
import Messaging
import Synchronization
import Testing

@Suite("Sockets with keys")
struct CurveTests {
    /// What a listener has heard, and of whose connections it was told that they failed.
    private final class Heard: Sendable {
        private let content = Mutex<(messages: [Socket.Received], failures: [HandshakeFailure])>(([], []))
        func add(_ message: Socket.Received) { content.withLock { $0.messages.append(message) } }
        func add(_ failure: HandshakeFailure) { content.withLock { $0.failures.append(failure) } }
        var messages: [Socket.Received] { content.withLock { $0.messages } }
        var failures: [HandshakeFailure] { content.withLock { $0.failures } }
    }

    /// A listener that admits the keys in `admitted`.
    private final class Listener: Sendable {
        let heard = Heard()
        let keys: CurveKeyPair
        let gate: Gate
        let loop: MessageLoop
        var endpoint: Endpoint { loop.endpoints[0] }

        init(_ known: [CurvePublicKey], otherwise: KeyVerdict = .refused) throws {
            let admitted = Gate(Set(known))
            keys = try CurveKeyPair.generate()
            gate = admitted
            var setup = MessageLoop.Setup(.router)
            setup.secured = [try Endpoint("tcp://127.0.0.1:0")]
            setup.keys = keys
            let heard = heard
            setup.failed = { heard.add($0) }
            let context = try Context(admitting: { admitted.contains($0) ? .admitted : otherwise })
            loop = try MessageLoop("listener", setup, in: context, receiver: { heard.add($0) })
        }
    }

    private final class Gate: Sendable {
        private let keys: Mutex<Set<CurvePublicKey>>
        init(_ keys: Set<CurvePublicKey>) { self.keys = Mutex(keys) }
        func contains(_ key: CurvePublicKey) -> Bool { keys.withLock { $0.contains(key) } }
        func insert(_ key: CurvePublicKey) { keys.withLock { _ = $0.insert(key) } }
    }

    private func holds(within seconds: Double = 10, _ condition: () -> Bool) -> Bool {
        let end = DispatchTime.now() + seconds
        while DispatchTime.now() < end {
            if condition() { return true }
            usleep(5_000)
        }
        return condition()
    }

    private func client(
        of endpoint: Endpoint, _ client: CurveClient?, in context: Context,
        failed: (@Sendable (HandshakeFailure) -> Void)? = nil
    ) throws -> MessageLoop {
        var setup = MessageLoop.Setup(.dealer, connect: [endpoint])
        setup.client = client
        setup.failed = failed
        return try MessageLoop("client", setup, in: context, handler: { _ in })
    }

    @Test("a message bears the key that its connection was admitted by")
    func admitted() throws {
        let pair = try CurveKeyPair.generate()
        let listener = try Listener([pair.publicKey])
        let context = try Context()
        let client = try client(
            of: listener.endpoint, CurveClient(keys: pair, server: listener.keys.publicKey), in: context)
        client.send([[42]])
        #expect(holds { !listener.heard.messages.isEmpty })
        #expect(listener.heard.messages.first?.key == pair.publicKey)
        #expect(listener.heard.messages.first?.frames.last == [42])
        client.close()
        listener.loop.close()
    }

    enum Stranger: CaseIterable {
        case withoutKey
        case withUnknownKey
        case withAnotherServersKey
    }

    @Test("B12: a stranger is not heard, and others don't notice", arguments: Stranger.allCases)
    func stranger(kind: Stranger) throws {
        let (known, unknown) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        let listener = try Listener([known.publicKey])
        let context = try Context()
        let curve: CurveClient? =
            switch kind {
            case .withoutKey: nil
            case .withUnknownKey: CurveClient(keys: unknown, server: listener.keys.publicKey)
            case .withAnotherServersKey: CurveClient(keys: known, server: unknown.publicKey)
            }
        let told = Heard()
        let stranger = try client(of: listener.endpoint, curve, in: context, failed: { told.add($0) })
        stranger.send([[66]])
        #expect(holds { !listener.heard.failures.isEmpty })
        if kind == .withUnknownKey {
            #expect(holds { told.failures.contains { $0.isKeyRefused } }, "it is told why")
            let isTold = listener.heard.failures.contains { $0.isKeyRefused }
            #expect(isTold)
        }
        let friend = try client(
            of: listener.endpoint, CurveClient(keys: known, server: listener.keys.publicKey), in: context)
        friend.send([[1]])
        #expect(holds { !listener.heard.messages.isEmpty })
        #expect(listener.heard.messages.map(\.frames.last) == [[1]])
        for loop in [stranger, friend, listener.loop] { loop.close() }
    }

    @Test("a peer that is not known yet tries again and is heard once it is")
    func notYet() throws {
        let pair = try CurveKeyPair.generate()
        let listener = try Listener([], otherwise: .notYet)
        let context = try Context()
        let client = try client(
            of: listener.endpoint, CurveClient(keys: pair, server: listener.keys.publicKey), in: context)
        client.send([[7]])
        #expect(holds { !listener.heard.failures.isEmpty })
        #expect(listener.heard.messages.isEmpty)
        listener.gate.insert(pair.publicKey)
        #expect(holds { !listener.heard.messages.isEmpty })
        client.close()
        listener.loop.close()
    }

    @Test(
        "an address that others can reach takes and makes no connection without keys",
        arguments: [
            "tcp://0.0.0.0:0", "tcp://*:0", "tcp://[::]:0", "tcp://192.0.2.1:5555", "tcp://127.0.0.1.example:1",
        ])
    func unencrypted(address: String) throws {
        let endpoint = try Endpoint(address)
        let context = try Context()
        let socket = try Socket(.router, in: context)
        #expect(throws: MessagingError.unencrypted(address)) { _ = try socket.bind(to: endpoint) }
        #expect(throws: MessagingError.unencrypted(address)) { try socket.connect(to: endpoint) }
    }

    @Test(
        "which addresses are this host's alone",
        arguments: [
            ("ipc:///tmp/x", true), ("tcp://127.0.0.1:1", true), ("tcp://127.9.9.9:1", true), ("tcp://[::1]:1", true),
            ("tcp://localhost:1", true), ("tcp://[::ffff:127.0.0.1]:1", true), ("tcp://[::ffff:10.0.0.1]:1", false),
            ("tcp://10.0.0.1:1", false), ("tcp://[fe80::1]:1", false),
            ("tcp://127.1:1", false), ("tcp://127.0.0.1;10.0.0.1:5:1", false), ("tcp://localhost.example:1", false),
        ])
    func locality(address: String, isLocal: Bool) throws {
        #expect(try Endpoint(address).isLocal == isLocal)
    }

    @Test("nothing listens with keys where nobody would check them: libzmq would let everybody in")
    func unchecked() throws {
        let keys = try CurveKeyPair.generate()
        let context = try Context()
        let socket = try Socket(.router, in: context)
        let endpoint = try Endpoint("tcp://127.0.0.1:0")
        #expect(throws: MessagingError.self) { _ = try socket.bind(to: endpoint, as: keys) }
    }

    @Test(
        "libzmq before 4.3.2 is refused, naming the reason (CVE-2019-13132)",
        arguments: [(4, 3, 1), (4, 2, 9), (3, 9, 9)])
    func oldLibrary(major: Int32, minor: Int32, patch: Int32) {
        let error = #expect(throws: MessagingError.self) {
            try Context.require(major: major, minor: minor, patch: patch)
        }
        #expect(error?.description.contains("CVE-2019-13132") == true)
        #expect(throws: Never.self) { try Context.require(major: 4, minor: 3, patch: 2) }
        #expect(throws: Never.self) { try Context.require(major: 5, minor: 0, patch: 0) }
    }

    @Test("what prints or dumps a key pair prints no secret")
    func secrecy() throws {
        let pair = try CurveKeyPair.generate()
        let secret = pair.secretKey.exposedText
        var dumped = ""
        dump(pair, to: &dumped)
        for text in [
            "\(pair)", String(reflecting: pair), dumped, "\(pair.secretKey)", String(reflecting: pair.secretKey),
        ] {
            #expect(!text.contains(secret))
            #expect(!text.contains(secret.prefix(12)))
        }
    }

    @Test("keys are read back from their text, and nothing else is")
    func text() throws {
        let (pair, other) = (try CurveKeyPair.generate(), try CurveKeyPair.generate())
        #expect(try CurvePublicKey(pair.publicKey.text) == pair.publicKey)
        #expect(pair.publicKey.text.utf8.count == 40)
        let secret = try CurveSecretKey(pair.secretKey.exposedText)
        #expect(try CurveKeyPair(publicKey: pair.publicKey, secretKey: secret).publicKey == pair.publicKey)
        #expect(throws: MessagingError.self) {
            _ = try CurveKeyPair(publicKey: other.publicKey, secretKey: secret)
        }
        for bad in [
            "", "x", String(repeating: "~", count: 40), String(repeating: "a", count: 41), "ä" + pair.publicKey.text,
        ] {
            #expect(throws: MessagingError.self) { _ = try CurvePublicKey(bad) }
        }
        #expect(throws: MessagingError.self) { _ = try CurvePublicKey(bytes: [1, 2, 3]) }
    }

    @Test(
        "B11: what is no ZeroMQ is dropped and told, and others don't notice",
        arguments: [
            Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8),
            [0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xFC, 0x03, 0x03],
            (0..<4_096).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 13) }, [0xFF] + Array(repeating: 0xFF, count: 255),
        ])
    func otherProtocols(bytes: [UInt8]) throws {
        let pair = try CurveKeyPair.generate()
        let listener = try Listener([pair.publicKey])
        let connection = try PlainConnection(to: listener.endpoint)
        connection.send(bytes)
        // Bytes that may yet become a greeting are waited for, for five seconds.
        #expect(connection.isClosed(within: 15))
        let context = try Context()
        let friend = try client(
            of: listener.endpoint, CurveClient(keys: pair, server: listener.keys.publicKey), in: context)
        friend.send([[1]])
        #expect(holds { listener.heard.messages.map(\.frames.last) == [[1]] })
        friend.close()
        listener.loop.close()
    }

    @Test("B14: five hundred connections that say nothing are dropped, and a peer with a key is served meanwhile")
    func silentCrowd() throws {
        let pair = try CurveKeyPair.generate()
        let listener = try Listener([pair.publicKey])
        let crowd = try (0..<500).map { _ in try PlainConnection(to: listener.endpoint) }
        let context = try Context()
        let friend = try client(
            of: listener.endpoint, CurveClient(keys: pair, server: listener.keys.publicKey), in: context)
        friend.send([[1]])
        #expect(holds { listener.heard.messages.count == 1 })
        let end = DispatchTime.now() + 20
        for connection in crowd {
            let left = Double(Int64(end.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)) / 1e9
            #expect(connection.isClosed(within: max(0.01, left)))
        }
        friend.send([[2]])
        #expect(holds { listener.heard.messages.count == 2 })
        friend.close()
        listener.loop.close()
    }
}

/// A TCP connection of no protocol, closed when it goes away.
private final class PlainConnection {
    private let descriptor: Int32

    init(to endpoint: Endpoint) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        address.sin_port = UInt16(try #require(endpoint.port)).bigEndian
        let status = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard status == 0 else { throw POSIXError(.ECONNREFUSED) }
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) { _ = Foundation.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) }

    /// Whether the other end closes the connection in time; what it says before is skipped.
    func isClosed(within seconds: Double) -> Bool {
        let end = DispatchTime.now() + seconds
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let left = (Int64(end.uptimeNanoseconds) - Int64(DispatchTime.now().uptimeNanoseconds)) / 1_000_000
            var item = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            guard left > 0, poll(&item, 1, Int32(left)) > 0 else { return false }
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count == 0 || (count < 0 && errno != EINTR) { return true }
        }
    }
}
