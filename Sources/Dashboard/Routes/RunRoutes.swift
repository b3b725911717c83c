import Foundation
import Hummingbird
import Report
import Runs

/// Runs as they are on record; the documents are those of `wafermark runs … --json`.
struct RunRoutes {
    let desk: RunDesk

    /// The most runs that one answer lists.
    private static let limit = 1_000

    func add(to router: Router<BasicRequestContext>) {
        let desk = desk
        router.get("/api/v1/runs") { request, _ in
            let limit = try Self.limit(request)
            return Response.document(RunJSON.list(try desk.store.list(limit: limit)))
        }
        router.get("/api/v1/runs/:run") { _, context in
            Response.document(try RunJSON.show(try desk.store.record(of: try desk.run(named: context))))
        }
        router.get("/api/v1/runs/:run/events") { _, context in
            Response.document(try RunJSON.events(try desk.store.record(of: try desk.run(named: context))))
        }
    }

    private static func limit(_ request: Request) throws -> Int {
        guard let text = request.uri.queryParameters["limit"] else { return limit }
        guard let value = Int(text), (1...limit).contains(value) else {
            throw HTTPError(.badRequest, message: "limit: found '\(text.prefix(32))', allowed are 1 to \(limit)")
        }
        return value
    }
}
