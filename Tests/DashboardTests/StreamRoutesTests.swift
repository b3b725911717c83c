import Coordinator
import Dashboard
import Foundation
import Hummingbird
import Logging
import NIOCore
import NIOPosix
import Runs
import Testing

@Suite("Streams of events")
struct StreamRoutesTests {
    @Test("B17 clients that go before their streams begin take up no room")
    func abandoned() async throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("streams-\(UUID().uuidString)").path
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let desk = RunDesk(store: try RunStore(directory: folder), state: StateDirectory(path: folder))
        let responder = Dashboard.router(desk, version: "0").buildResponder()
        // A context needs a channel, of which no route makes use.
        let channel = try await DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .bind(host: "127.0.0.1", port: 0).get()
        func open() async throws -> Response {
            let head = HTTPRequest(method: .get, scheme: "http", authority: "127.0.0.1", path: "/api/v1/stream")
            return try await responder.respond(
                to: Request(head: head, body: RequestBody(buffer: ByteBuffer())),
                context: BasicRequestContext(
                    source: ApplicationRequestContextSource(channel: channel, logger: Logger(label: "test"))))
        }
        for _ in 0..<100 { #expect(try await open().status == .ok) }
        // Those that are there do.
        var streams: [Response] = []
        for _ in 0..<64 { streams.append(try await open()) }
        #expect(streams.allSatisfy { $0.status == .ok })
        #expect(try await open().status == .serviceUnavailable)
        streams.removeLast()
        #expect(try await open().status == .ok)
        try await channel.close()
    }
}
