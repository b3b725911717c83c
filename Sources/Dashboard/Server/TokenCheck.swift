import Foundation
import Hummingbird

/// Lets through who has the token, as a bearer's or by the session that the login page gives for it. Without a token
/// everybody passes: then only this machine's users get here.
struct TokenCheck: RouterMiddleware {
    typealias Context = BasicRequestContext

    let access: DashboardAccess

    /// What the login page itself needs.
    private static let open: Set<String> = [LoginRoutes.path, "/dashboard.css"]
    /// By what protocol a proxy was asked.
    private static let forwardedProtocol = HTTPFields.Element.Name("X-Forwarded-Proto")

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let path = request.uri.path
        guard let token = access.token, !HealthRoutes.probes.contains(path) else {
            return try await next(request, context)
        }
        let scheme = Self.forwardedProtocol.flatMap { request.headers[$0] }
        if access.isBehindProxy, scheme?.lowercased() != "https" {
            throw HTTPError(
                .forbidden,
                message: "this page is served through a proxy that speaks TLS and says so (X-Forwarded-Proto: https)")
        }
        if Self.open.contains(path) || Self.isKnown(request, token) { return try await next(request, context) }
        if request.method == .get, request.headers[.accept]?.contains("text/html") == true {
            return Response(status: .seeOther, headers: [.location: LoginRoutes.path])
        }
        var error = HTTPError(.unauthorized, message: "a token is needed: Authorization: Bearer TOKEN")
        error.headers[.wwwAuthenticate] = "Bearer realm=\"wafermark\""
        throw error
    }

    private static func isKnown(_ request: Request, _ token: AccessToken) -> Bool {
        if let header = request.headers[.authorization], header.hasPrefix("Bearer ") {
            return token.matches(header.dropFirst("Bearer ".count))
        }
        return request.headers[values: .cookie].flatMap { $0.split(separator: ";") }
            .map { $0.drop { $0 == " " } }
            .contains { field in
                field.hasPrefix(LoginRoutes.cookie + "=")
                    && token.matchesSession(field.dropFirst(LoginRoutes.cookie.count + 1))
            }
    }
}
