import Foundation
import Messaging
import Synchronization
import Testing

@Suite("Sockets on bad days")
struct SocketFaultTests {
    /// Collects what a loop hands over.
    private final class Collected: Sendable {
        private let messages = Mutex<[[[UInt8]]]>([])
        func add(_ frames: [[UInt8]]) { messages.withLock { $0.append(frames) } }
        var all: [[[UInt8]]] { messages.withLock { $0 } }

        /// Waits until there are `count`, at most five seconds.
        func wait(for count: Int) -> Bool {
            for _ in 0..<500 {
                if all.count >= count { return true }
                usleep(10_000)
            }
            return false
        }
    }

    private func folder() throws -> String {
        let path = "/tmp/wm-\(UInt32.random(in: .min ... .max))"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        return path
    }

    private func dealer(_ id: String, to endpoint: Endpoint, in context: Context, _ into: Collected) throws
        -> MessageLoop
    {
        var options = Socket.Options()
        options.routingID = id
        return try MessageLoop("dealer", MessageLoop.Setup(.dealer, options: options, connect: [endpoint]), in: context)
        {
            into.add($0)
        }
    }

    @Test("F25: a message to a name that nobody has is handed back, not dropped in silence")
    func unroutable() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let (back, heard) = (Collected(), Collected())
        let context = try Context()
        let router = try MessageLoop(
            "router", MessageLoop.Setup(.router, bind: [try Endpoint("ipc://\(folder)/r")]), in: context,
            undeliverable: { back.add($0) }, handler: { heard.add($0) })
        let peer = try dealer("known", to: router.endpoints[0], in: context, heard)
        peer.send([[1]])
        #expect(heard.wait(for: 1))
        router.send([Array("known".utf8), [2]])
        router.send([Array("nobody".utf8), [3]])
        #expect(back.wait(for: 1) && heard.wait(for: 2))
        #expect(back.all == [[Array("nobody".utf8), [3]]])
        peer.close()
        router.close()
    }

    @Test("F26: what nobody takes holds up the end of a loop for no longer than its linger time")
    func linger() throws {
        let context = try Context()
        let loop = try MessageLoop(
            "dealer", MessageLoop.Setup(.dealer, connect: [try Endpoint("ipc:///tmp/wm-nobody-\(getpid())")]),
            in: context, handler: { _ in })
        for _ in 0..<100 { loop.send([Array(repeating: 7, count: 10_000)]) }
        let start = DispatchTime.now()
        loop.close()
        withExtendedLifetime(context) {}
        #expect(Double(DispatchTime.now().uptimeNanoseconds - start.uptimeNanoseconds) < 5e9)
    }

    @Test("F27: an address and a name that another takes over are the new one's alone")
    func reusedAddress() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let endpoint = try Endpoint("ipc://\(folder)/a")
        let context = try Context()
        let (router, first, second) = (Collected(), Collected(), Collected())
        let hub = try MessageLoop(
            "router", MessageLoop.Setup(.router, bind: [endpoint]), in: context, handler: { router.add($0) })
        let old = try dealer("worker", to: endpoint, in: context, first)
        old.send([[1]])
        #expect(router.wait(for: 1))
        let new = try dealer("worker", to: endpoint, in: context, second)
        new.send([[2]])
        #expect(router.wait(for: 2))
        hub.send([Array("worker".utf8), [9]])
        #expect(second.wait(for: 1))
        #expect(first.all.isEmpty && second.all == [[[9]]])
        old.close()
        new.close()
        hub.close()
        // The address is free again, for a listener that knows nothing of the first.
        let next = try MessageLoop(
            "router", MessageLoop.Setup(.router, bind: [endpoint]), in: context, handler: { router.add($0) })
        let peer = try dealer("other", to: endpoint, in: context, first)
        peer.send([[3]])
        #expect(router.wait(for: 3))
        peer.close()
        next.close()
    }

    @Test(
        "F22: a peer that reads nothing is back-pressure, never a loss: what was taken arrives, and the rest is refused"
    )
    func slowReader() throws {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let context = try Context()
        var options = Socket.Options()
        options.sendHighWaterMark = 4
        options.receiveHighWaterMark = 4
        let reader = try Socket(.pull, in: context, options: options)
        let endpoint = try reader.bind(to: Endpoint("ipc://\(folder)/p"))
        let writer = try Socket(.push, in: context, options: options)
        try writer.connect(to: endpoint)
        var taken = 0
        var refused = 0
        // It takes no more once it has refused for a while: the system's buffers are full, too, by then.
        while refused < 300, taken < 10_000 {
            if writer.send([withUnsafeBytes(of: taken) { Array($0) } + Array(repeating: 0, count: 60_000)]) {
                taken += 1
                refused = 0
            } else {
                refused += 1
                usleep(1_000)
            }
        }
        #expect(taken > 4 && taken < 1_000, "\(taken) messages were taken")
        var received = 0
        for _ in 0..<5_000 where received < taken {
            guard let frames = try reader.receive() else {
                usleep(1_000)
                continue
            }
            #expect(frames[0].withUnsafeBytes { $0.loadUnaligned(as: Int.self) } == received)
            received += 1
        }
        #expect(received == taken)
    }

    @Test("F28: IPv6 alone, and both families by their names", arguments: ["tcp://[::1]:0", "tcp://127.0.0.1:0"])
    func addressFamilies(address: String) throws {
        let context = try Context()
        let heard = Collected()
        let router = try MessageLoop(
            "router", MessageLoop.Setup(.router, bind: [try Endpoint(address)]), in: context, handler: { heard.add($0) }
        )
        let port = try #require(router.endpoints[0].text.split(separator: ":").last)
        #expect(UInt16(port) ?? 0 > 0)
        let peer = try dealer("p", to: router.endpoints[0], in: context, heard)
        peer.send([[1]])
        #expect(heard.wait(for: 1))
        peer.close()
        router.close()
    }

    @Test(
        "F28: a name that is nobody's is an error that names it",
        arguments: ["tcp://no.such.host.invalid:4711", "tcp://[::zz]:1"])
    func wrongName(address: String) throws {
        let context = try Context()
        let error = #expect(throws: MessagingError.self) {
            _ = try MessageLoop(
                "router", MessageLoop.Setup(.router, bind: [try Endpoint(address)]), in: context, handler: { _ in })
        }
        #expect(error.map { "\($0)".contains(address) } == true, "\(String(describing: error))")
    }
}
