import Coordinator
import Dashboard
import Foundation
import Hummingbird
import Runs
import Testing

@Suite("The API's document")
struct APIDocumentTests {
    @Test("names every route, and no other")
    func routes() throws {
        let folder = FileManager.default.temporaryDirectory.path
        let state = StateDirectory(path: folder)
        let desk = RunDesk(store: try RunStore(readingFrom: folder + "/none"), state: state)
        let served = Set(
            Dashboard.router(desk, version: "0").routes.map { route in
                let path = route.path.description.split(separator: "/").map {
                    $0.hasPrefix(":") ? "{\($0.dropFirst())}" : String($0)
                }
                return "\(route.method) /\(path.joined(separator: "/"))"
            })
        let document = try #require(
            try JSONSerialization.jsonObject(with: HealthRoutes.apiDocument) as? [String: Any])
        let paths = try #require(document["paths"] as? [String: [String: Any]])
        let described = Set(paths.flatMap { path, methods in methods.keys.map { "\($0.uppercased()) \(path)" } })
        #expect(served == described)
    }
}
