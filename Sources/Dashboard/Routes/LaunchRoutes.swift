import Coordinator
import Foundation
import Hummingbird
import Jobs
import PerformanceModel

/// What changes runs: launch, cancel, resume, delete. And what a launch can choose from.
struct LaunchRoutes {
    let desk: RunDesk

    /// A job file of 1 MiB, and room for its escapes.
    private static let bodyLimit = 4 << 20

    private struct Launch: Decodable {
        var job: String
        var backend: Backend
        var workers: Int?
        var hardware: String?
        var algorithm: CollectiveAlgorithm?
    }

    private struct Resume: Decodable {
        var workers: Int?
    }

    private struct Answer: Encodable {
        var runId: String
        var state: String
    }

    private struct Choices: Encodable {
        struct Profile: Encodable {
            var name: String
            var backend: Backend
        }
        struct Example: Encodable {
            var name: String
            var summary: String
            var job: String
        }
        var hardware: [Profile]
        var algorithms: [CollectiveAlgorithm]
        var jobs: [Example]
    }

    func add(to router: Router<BasicRequestContext>) {
        let desk = desk
        router.get("/api/v1/choices") { _, _ in try Response.json(try Self.choices()) }
        router.post("/api/v1/runs") { request, _ in
            let launch = try await Self.body(of: request, as: Launch.self)
            let job = try JobFile.parse(launch.job, name: "job")
            let workers = launch.backend == .wafer ? 1 : launch.workers ?? min(2, job.lanes)
            try JobRequirements.check(workers: workers, of: job)
            let hardware = launch.hardware.flatMap { $0.isEmpty ? nil : $0 }
            // A client may name what the program knows, and not make it read files.
            if let hardware, !HardwareCatalogue.names.contains(hardware) {
                throw JobRequirements.Violation(
                    description: "there is no profile \(PrintableText.quoted(hardware, limit: 64)); there are "
                        + HardwareCatalogue.names.joined(separator: ", "))
            }
            try JobRequirements.check(hardware: hardware, for: launch.backend)
            let id = try await desk.client.launch(
                job, on: launch.backend, workers: workers, hardware: hardware,
                exchange: ExchangeSettings(algorithm: launch.algorithm ?? .direct))
            return try Response.json(Answer(runId: id.text, state: "queued"), status: .accepted)
        }
        router.post("/api/v1/runs/:run/cancel") { _, context in
            let id = try desk.run(named: context)
            try await desk.client.cancel(id)
            let state = try desk.store.run(id).state
            return try Response.json(
                Answer(runId: id.text, state: state.isFinal ? state.name : "cancelling"), status: .accepted)
        }
        router.post("/api/v1/runs/:run/resume") { request, context in
            let id = try desk.run(named: context)
            let resume = try await Self.body(of: request, as: Resume.self)
            try await desk.client.resume(id, workers: resume.workers)
            return try Response.json(Answer(runId: id.text, state: "queued"), status: .accepted)
        }
        router.delete("/api/v1/runs/:run") { _, context in
            let id = try desk.run(named: context)
            try await desk.client.delete(id)
            return try Response.json(Answer(runId: id.text, state: "deleted"))
        }
    }

    private static func choices() throws -> Choices {
        Choices(
            hardware: try HardwareCatalogue.all().map {
                Choices.Profile(name: $0.name, backend: $0.kind == .wafer ? .wafer : .cluster)
            },
            algorithms: CollectiveAlgorithm.allCases,
            jobs: JobExample.allCases.map { Choices.Example(name: $0.rawValue, summary: $0.summary, job: $0.text) })
    }

    private static func body<Value: Decodable>(of request: Request, as type: Value.Type) async throws -> Value {
        var request = request
        let buffer = try await request.collectBody(upTo: bodyLimit)
        return try DashboardJSON.decode(type, from: Data(buffer.readableBytesView))
    }
}
