import Coordinator
import Foundation
import Hummingbird
import Report
import Runs

/// Reports of one or more runs, made when they are asked for.
struct ReportRoutes {
    let desk: RunDesk

    /// The most runs of one report.
    private static let limit = 16

    func add(to router: Router<BasicRequestContext>) {
        let desk = desk
        router.get("/report") { request, _ in
            let names = request.uri.queryParameters[values: "run"]
            guard (1...Self.limit).contains(names.count) else {
                throw HTTPError(
                    .badRequest,
                    message: "run: found \(names.count) of them, allowed are 1 to \(Self.limit); "
                        + "/report?run=ID&run=ID")
            }
            let format: ReportFormat = try Self.choice("format", of: request) ?? .html
            let clock: ReportClock = try Self.choice("clock", of: request) ?? .host
            let records = try names.map { try desk.store.record(of: try desk.store.id(startingWith: String($0))) }
            let report = try ReportMaking.report(of: records, in: desk.state, clock: clock, plans: desk.plans)
            var response = Response(type: format.mediaType, try ReportWriter(report).render(format))
            // The report brings its own looks in the page and has no script.
            response.headers[.contentSecurityPolicy] =
                "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
                + "frame-ancestors 'none'"
            return response
        }
    }

    /// What the query's parameter `name` chooses; nil where it is absent.
    ///
    /// - Throws: `HTTPError` 400 for what is none of the choices, and where it is there twice.
    private static func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, of request: Request
    ) throws -> Choice? {
        let texts = request.uri.queryParameters[values: Substring(name)]
        guard let text = texts.first else { return nil }
        guard texts.count == 1, let choice = Choice(rawValue: String(text)) else {
            throw HTTPError(
                .badRequest,
                message: name + ": found " + texts.map { "'\($0.prefix(32))'" }.joined(separator: ", ")
                    + ", allowed is one of " + Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }
}

extension ReportFormat {
    fileprivate var mediaType: String {
        switch self {
        case .html: "text/html; charset=utf-8"
        case .json: "application/json"
        case .csv: "text/csv; charset=utf-8"
        case .markdown: "text/markdown; charset=utf-8"
        }
    }
}
