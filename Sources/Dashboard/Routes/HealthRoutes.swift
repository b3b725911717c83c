import Coordinator
import Foundation
import Hummingbird
import Jobs
import Report
import Runs

/// What other programs look at: health, metrics, and the document of the API.
package struct HealthRoutes {
    let desk: RunDesk
    let version: String

    /// The API in OpenAPI 3.1.
    package static var apiDocument: Data { Data(PackageResources.openapi_json) }

    /// What anybody may ask for: it tells nothing of runs.
    static let probes: Set<String> = ["/healthz", "/readyz"]

    private struct Health: Encodable {
        var status: String
        var reason: String?
    }

    func add(to router: Router<BasicRequestContext>) {
        let desk = desk
        let version = version
        router.get("/healthz") { _, _ in try Response.json(Health(status: "ok")) }
        router.get("/readyz") { _, _ in
            do {
                _ = try desk.store.list(limit: 1)
                _ = try await DaemonClient(state: desk.state, deadline: HostSeconds(2)).ping()
                return try Response.json(Health(status: "ok"))
            } catch {
                return try Response.json(
                    Health(status: "unavailable", reason: PrintableText.plain("\(error)")), status: .serviceUnavailable)
            }
        }
        router.get("/metrics") { _, _ in
            let runs = try desk.store.list()
            let text = Metrics(runs: runs, live: try Self.underWay(runs, desk.store), version: version).text
            return Response(type: "text/plain; version=0.0.4; charset=utf-8", Data(text.utf8))
        }
        router.get("/openapi.json") { _, _ in Response.document(Self.apiDocument) }
    }

    /// The run under way among `runs`, if there is one: its newest steps are all that is read of it.
    private static func underWay(_ runs: [RunSummary], _ store: RunStore) throws -> RunProgress? {
        guard let line = runs.first(where: { $0.state == .running }) else { return nil }
        let first = max(0, line.stepsMade - RunProgress.window - 1)
        let record = try store.record(of: line.id, stepsFrom: StepNumber(first))
        return RunProgress(
            run: record.run, steps: record.steps, stepsMade: line.stepsMade, evaluations: record.evaluations,
            workers: record.newestWorkerSteps)
    }
}
