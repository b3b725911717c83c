import Foundation
import Hummingbird

/// The page that asks a browser's user for the token.
struct LoginRoutes {
    static let path = "/login"
    /// The cookie that holds the session.
    static let cookie = "wafermark-session"

    let token: AccessToken
    /// Whether the browser may send the cookie over TLS alone.
    let isSecure: Bool

    /// A guess costs its maker this much.
    private static let pause = Duration.seconds(1)

    func add(to router: Router<BasicRequestContext>) {
        let (token, isSecure) = (token, isSecure)
        router.get("\(Self.path)") { _, _ in Self.page(.ok, problem: nil) }
        router.post("\(Self.path)") { request, _ in
            var request = request
            let body = try await request.collectBody(upTo: 4_096)
            let text = String(decoding: body.readableBytesView, as: UTF8.self)
            guard text.hasPrefix("token="), token.matches(text.dropFirst("token=".count)) else {
                try await Task.sleep(for: Self.pause)
                return Self.page(.unauthorized, problem: "That is not the token.")
            }
            let attributes = "Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
            return Response(
                status: .seeOther,
                headers: [.location: "/", .setCookie: "\(Self.cookie)=\(token.session); \(attributes)"])
        }
    }

    private static func page(_ status: HTTPResponse.Status, problem: String?) -> Response {
        let html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <title>Wafermark</title>
            <link rel="icon" href="data:,">
            <link rel="stylesheet" href="/dashboard.css">
            </head>
            <body>
            <header class="page"><p class="brand">Wafermark</p></header>
            <main>
            <section>
            <h1>Token</h1>
            \(problem.map { "<p class=\"problem\" role=\"alert\">\($0)</p>" } ?? "")
            <form method="post" action="\(path)">
            <p><label>The dashboard’s token <input name="token" type="password" autocomplete="current-password" required></label></p>
            <p><button type="submit" class="primary">Go on</button></p>
            </form>
            </section>
            </main>
            </body>
            </html>

            """
        var response = Response(status, type: "text/html; charset=utf-8", Data(html.utf8))
        response.headers[.contentSecurityPolicy] =
            "default-src 'none'; style-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; "
            + "frame-ancestors 'none'"
        return response
    }
}
