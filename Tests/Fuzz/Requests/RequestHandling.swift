import Coordinator
import Dashboard
import Dispatch
import Foundation
import FuzzDriver
import Hummingbird
import Jobs
import Logging
import NIOPosix
import Runs

/// Requests to the dashboard, past the parser of HTTP, which is SwiftNIO's. The first byte chooses the route; the rest is
/// the body, or goes on where the path ends.
enum RequestHandling {
    private static let routes: [(method: HTTPRequest.Method, path: String, hasBody: Bool)] = [
        (.post, "/api/v1/runs", true), (.post, "/api/v1/runs/\(known)/resume", true),
        (.post, "/api/v1/runs/\(known)/cancel", true), (.get, "/api/v1/runs/", false), (.get, "/api/v1/runs?", false),
        (.get, "/report?run=\(known)&", false), (.post, "/api/v1/runs/", false), (.delete, "/api/v1/runs/", false),
    ]
    private static let known = "0123wxyz"
    private static let dashboard = Responder()

    static func run(_ input: UnsafeRawBufferPointer) {
        guard let choice = input.first else { return }
        let route = routes[Int(choice) % routes.count]
        let rest = input.dropFirst()
        // A path is what the parser lets through: visible ASCII.
        guard route.hasBody || rest.allSatisfy({ (0x21...0x7E).contains($0) }) else { return }
        let path = route.path + (route.hasBody ? "" : String(decoding: rest, as: UTF8.self))
        let head = HTTPRequest(
            method: route.method, scheme: "http", authority: "127.0.0.1", path: path,
            headerFields: [.contentType: "application/json"])
        let body = ByteBuffer(bytes: route.hasBody ? Array(rest) : [])
        let status = dashboard.status(of: Request(head: head, body: RequestBody(buffer: body)))
        promise(status != 500, "whatever is wrong with a request has a status of its own")
    }

    /// The dashboard's routes over a store with one run, whose daemon does not run.
    private final class Responder: Sendable {
        private let respond: @Sendable (Request) async -> Int

        init() {
            let folder = FileManager.default.temporaryDirectory.path + "/wafermark-fuzz-\(getpid())"
            do {
                let store = try RunStore(directory: folder)
                guard let id = RunID(RequestHandling.known) else { fatalError("'\(RequestHandling.known)' is no id") }
                try store.insert(
                    Run(
                        id: id, job: try JobExample.demo.job(), backend: .cluster, workers: 2, hardware: nil,
                        submitted: Date(timeIntervalSince1970: 0)))
                let responder = Dashboard.router(
                    RunDesk(store: store, state: StateDirectory(path: folder)), version: "0"
                ).buildResponder()
                // A context needs a channel, of which no route makes use.
                let channel = try DatagramBootstrap(group: MultiThreadedEventLoopGroup.singleton)
                    .bind(host: "127.0.0.1", port: 0).wait()
                respond = { request in
                    let context = BasicRequestContext(
                        source: ApplicationRequestContextSource(channel: channel, logger: Logger(label: "fuzz")))
                    do {
                        return try await responder.respond(to: request, context: context).status.code
                    } catch let error as any HTTPResponseError {
                        return error.status.code
                    } catch {
                        return 500
                    }
                }
            } catch {
                fatalError("no dashboard in \(folder): \(error)")
            }
            atexit {
                try? FileManager.default.removeItem(
                    atPath: FileManager.default.temporaryDirectory.path + "/wafermark-fuzz-\(getpid())")
            }
        }

        /// The status of the answer, waited for.
        func status(of request: Request) -> Int {
            let done = DispatchSemaphore(value: 0)
            nonisolated(unsafe) var status = 0
            Task { [respond] in
                status = await respond(request)
                done.signal()
            }
            done.wait()
            return status
        }
    }
}
