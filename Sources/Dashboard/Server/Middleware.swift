import Coordinator
import Hummingbird
import Jobs
import PerformanceModel
import Report
import Runs

/// Refuses what a page of another site may have sent: a browser lets any page send requests to this machine.
///
/// The `Host` must be a loopback name or one of the dashboard's own (or else a site's own name may have been made to point
/// here), an `Origin` must be such too, and whatever changes something must be JSON, which a browser sends across sites only
/// after asking. Probes of health come by numbers and change nothing.
struct SameOriginCheck: RouterMiddleware {
    typealias Context = BasicRequestContext

    let access: DashboardAccess

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if HealthRoutes.probes.contains(request.uri.path) { return try await next(request, context) }
        guard access.isOwn(authority: request.head.authority) else {
            let names = access.hosts.sorted().map { "\($0), " }.joined()
            throw HTTPError(
                .misdirectedRequest, message: "the Host header must be \(names)127.0.0.1, localhost or [::1]")
        }
        if request.method != .get && request.method != .head {
            if let origin = request.headers[.origin] {
                let parts = origin.split(separator: "/", omittingEmptySubsequences: true)
                guard parts.count == 2, access.isOwn(authority: String(parts[1])) else {
                    throw HTTPError(.forbidden, message: "requests from other sites' pages are refused")
                }
            }
            // A form of this page's own, which changes nothing but who asks.
            if request.uri.path == LoginRoutes.path { return try await next(request, context) }
            guard request.headers[.contentType]?.lowercased().hasPrefix("application/json") == true else {
                throw HTTPError(.unsupportedMediaType, message: "the Content-Type must be application/json")
            }
        }
        return try await next(request, context)
    }
}

/// Adds to every response what keeps a browser from doing with it more than is meant.
struct ResponseHeaders: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if response.headers[.contentSecurityPolicy] == nil {
            response.headers[.contentSecurityPolicy] =
                "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
                + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        }
        response.headers[.xContentTypeOptions] = "nosniff"
        if let name = HTTPFields.Element.Name("Referrer-Policy") { response.headers[name] = "no-referrer" }
        return response
    }
}

/// Turns the package's errors into statuses with a message; `{"error": {"message": …}}`.
struct ErrorTranslation: RouterMiddleware {
    typealias Context = BasicRequestContext

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch let error as HTTPError {
            return try error.response(from: request, context: context)
        } catch {
            return try HTTPError(Self.status(of: error), message: PrintableText.plain("\(error)"))
                .response(from: request, context: context)
        }
    }

    private static func status(of error: any Error) -> HTTPResponse.Status {
        switch error {
        case RunStoreError.noRun: .notFound
        case RunStoreError.notAnID, RunStoreError.severalRuns: .badRequest
        case is JobFileError, is JobRequirements.Violation, is PerformanceModelError: .unprocessableContent
        case is ReportError: .unprocessableContent
        case DaemonError.refused: .conflict
        case DaemonError.notRunning, DaemonError.noAnswer: .serviceUnavailable
        default: .internalServerError
        }
    }
}
