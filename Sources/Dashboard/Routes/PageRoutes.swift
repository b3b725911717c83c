import Foundation
import Hummingbird

/// The page itself: three files that need nothing from elsewhere.
enum PageRoutes {
    static func add(to router: Router<BasicRequestContext>) {
        router.get("/") { _, _ in Response(type: "text/html; charset=utf-8", Data(PackageResources.dashboard_html)) }
        router.get("/dashboard.css") { _, _ in
            Response(type: "text/css; charset=utf-8", Data(PackageResources.dashboard_css))
        }
        router.get("/dashboard.js") { _, _ in
            Response(type: "text/javascript; charset=utf-8", Data(PackageResources.dashboard_js))
        }
    }
}
