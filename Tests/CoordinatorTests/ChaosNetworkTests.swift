import Coordinator
import Foundation
import Jobs
import Testing

@Suite("The network of the chaos bench", .serialized)
struct ChaosNetworkTests {
    /// A listener at the path of a run's coordinator, the relay, and a client that has connected through it.
    private final class Scene {
        let folder: String
        let network: ChaosNetwork
        let server: Int32
        let client: Int32
        let accepted: Int32

        init() throws {
            folder = "/tmp/wm-\(UInt32.random(in: .min ... .max))"
            let sockets = folder + "/sockets"
            try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
            let path = sockets + "/0123abcd"
            server = try Self.socket(at: path) { bind($0, $1, $2) == 0 && listen($0, 4) == 0 }
            network = try ChaosNetwork(between: sockets, aside: folder + "/aside")
            // The relay moves the socket's file aside before it listens in its place.
            var descriptor: Int32 = -1
            for _ in 0..<500 where descriptor < 0 {
                if FileManager.default.fileExists(atPath: folder + "/aside/1"),
                    let connected = try? Self.socket(at: path, { connect($0, $1, $2) == 0 })
                {
                    descriptor = connected
                } else {
                    usleep(10_000)
                }
            }
            client = descriptor
            var poll = pollfd(fd: server, events: Int16(POLLIN), revents: 0)
            accepted = Foundation.poll(&poll, 1, 5_000) == 1 ? accept(server, nil, nil) : -1
            guard client >= 0, accepted >= 0 else { throw CocoaError(.fileReadUnknown) }
        }

        deinit {
            for descriptor in [client, accepted, server] { close(descriptor) }
            try? FileManager.default.removeItem(atPath: folder)
        }

        private static func socket(
            at path: String, _ use: (Int32, UnsafePointer<sockaddr>, socklen_t) -> Bool
        ) throws -> Int32 {
            let descriptor = Foundation.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(path.utf8)) }
            let isDone = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    use(descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            guard isDone else {
                close(descriptor)
                throw CocoaError(.fileReadUnknown)
            }
            return descriptor
        }

        func say(_ text: String, from sender: Int32) {
            _ = send(sender, text, text.utf8.count, Int32(MSG_NOSIGNAL))
        }

        /// What `receiver` hears within `milliseconds`: nil for nothing, empty for the end.
        func hear(_ receiver: Int32, within milliseconds: Int32) -> String? {
            var poll = pollfd(fd: receiver, events: Int16(POLLIN), revents: 0)
            guard Foundation.poll(&poll, 1, milliseconds) == 1 else { return nil }
            var bytes = [UInt8](repeating: 0, count: 256)
            let count = recv(receiver, &bytes, bytes.count, 0)
            return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
        }
    }

    @Test("passes everything on in both directions, and an end to the other")
    func sound() async throws {
        let scene = try Scene()
        scene.say("hello", from: scene.client)
        #expect(scene.hear(scene.accepted, within: 5_000) == "hello")
        scene.say("good day", from: scene.accepted)
        #expect(scene.hear(scene.client, within: 5_000) == "good day")
        shutdown(scene.client, Int32(SHUT_WR))
        #expect(scene.hear(scene.accepted, within: 5_000)?.isEmpty == true)
        await scene.network.close()
        #expect(try FileManager.default.contentsOfDirectory(atPath: scene.folder + "/sockets").isEmpty)
    }

    @Test("a delay holds everything back, and loses nothing")
    func delay() async throws {
        let scene = try Scene()
        let start = MonotonicInstant.now()
        #expect(await scene.network.apply(.delay(seconds: 0.4), to: .control, choice: 3))
        scene.say("late", from: scene.client)
        #expect(scene.hear(scene.accepted, within: 5_000) == "late")
        #expect(MonotonicInstant.now().elapsed(since: start).seconds > 0.3)
        await scene.network.close()
    }

    @Test("what is sliced arrives whole, a byte at a time")
    func slice() async throws {
        let scene = try Scene()
        #expect(await scene.network.apply(.slice, to: .control, choice: 0))
        scene.say("sliced", from: scene.client)
        var text = ""
        while text.count < 6, let part = scene.hear(scene.accepted, within: 5_000), !part.isEmpty { text += part }
        #expect(text == "sliced")
        await scene.network.close()
    }

    @Test("a cut is seen at both ends")
    func cut() async throws {
        let scene = try Scene()
        #expect(await scene.network.apply(.cut, to: .control, choice: 0))
        #expect(scene.hear(scene.accepted, within: 5_000)?.isEmpty == true)
        #expect(scene.hear(scene.client, within: 5_000)?.isEmpty == true)
        #expect(await scene.network.apply(.cut, to: .control, choice: 0) == false, "nobody is left")
        #expect(await scene.network.apply(.cut, to: .peers, choice: 0) == false)
        await scene.network.close()
    }

    @Test("a half-open connection passes nothing on and shows no end, not even where the other one has closed")
    func halfOpen() async throws {
        let scene = try Scene()
        #expect(await scene.network.apply(.halfOpen, to: .control, choice: 0))
        scene.say("lost", from: scene.client)
        scene.say("lost", from: scene.accepted)
        shutdown(scene.client, Int32(SHUT_RDWR))
        #expect(scene.hear(scene.accepted, within: 300) == nil)
        await scene.network.close()
    }

    @Test("F23: a connection that is deaf in one direction passes the other on", arguments: [true, false])
    func oneWay(fromClient: Bool) async throws {
        let scene = try Scene()
        let (deaf, sound) = fromClient ? (scene.client, scene.accepted) : (scene.accepted, scene.client)
        #expect(await scene.network.apply(.oneWay(fromClient: fromClient), to: .control, choice: 0))
        scene.say("lost", from: deaf)
        scene.say("heard", from: sound)
        #expect(scene.hear(deaf, within: 5_000) == "heard")
        #expect(scene.hear(sound, within: 200) == nil)
        await scene.network.close()
    }
}
