import FuzzDriver
import Hummingbird

/// Requests to the dashboard, past the parser of HTTP, which is SwiftNIO's. The first byte chooses the route; the rest is
/// the body, or goes on where the path ends.
enum RequestHandling {
    private static let routes: [(method: HTTPRequest.Method, path: String, hasBody: Bool)] = [
        (.post, "/api/v1/runs", true), (.post, "/api/v1/runs/\(DeskInMemory.run)/resume", true),
        (.post, "/api/v1/runs/\(DeskInMemory.run)/cancel", true), (.get, "/api/v1/runs/", false),
        (.get, "/api/v1/runs?", false), (.get, "/report?run=\(DeskInMemory.run)&", false),
        (.post, "/api/v1/runs/", false), (.delete, "/api/v1/runs/", false),
    ]
    private static let desk = DeskInMemory()

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
        let status = desk.status(of: Request(head: head, body: RequestBody(buffer: body)))
        promise(status != 500, "whatever is wrong with a request has a status of its own")
        if route.method == .delete, status == 200 { desk.restore() }
    }
}
