import Coordinator
import Foundation
import Hummingbird
import Logging
import NIOCore
import Runs
import ServiceLifecycle

/// The dashboard: a page to watch, launch and end runs, and the JSON API, metrics and health checks behind it.
///
/// It is a client of the daemon like any other: it reads the store, and asks for changes through the daemon's socket.
public struct Dashboard: Service {
    private let address: DashboardAddress
    private let access: DashboardAccess
    private let state: StateDirectory
    private let version: String
    private let logger: Logger
    private let listening: @Sendable (DashboardAddress) -> Void

    /// A dashboard of the runs in `state`, whose daemon must run already.
    ///
    /// - Parameters:
    ///   - access: who may use it.
    ///   - version: this program's version, for the metrics and the API's document.
    ///   - listening: called with the real port once requests are taken.
    public init(
        address: DashboardAddress, access: DashboardAccess, state: StateDirectory, version: String, logger: Logger,
        listening: @escaping @Sendable (DashboardAddress) -> Void = { _ in }
    ) {
        self.address = address
        self.access = access
        self.state = state
        self.version = version
        self.logger = logger
        self.listening = listening
    }

    /// Serves until it is cancelled or shut down.
    ///
    /// - Throws: `DashboardError.cannotListen`; `RunStoreError` where the store can't be read.
    public func run() async throws {
        let desk = RunDesk(store: try RunStore(readingFrom: state.path), state: state)
        // Hummingbird tells of every connection; what matters here is told by the daemon itself.
        var quiet = logger
        quiet.logLevel = .error
        let application = Application(
            router: Self.router(desk, access: access, version: version),
            configuration: .init(address: .hostname(address.host, port: address.port)),
            onServerRunning: { channel in
                listening(address.with(port: channel.localAddress?.port ?? address.port))
            }, logger: quiet)
        do {
            try await application.run()
        } catch let error as IOError {
            throw DashboardError.cannotListen(address, reason: String(cString: strerror(error.errnoCode)))
        }
    }

    /// All routes, behind the checks that every request passes.
    package static func router(
        _ desk: RunDesk, access: DashboardAccess = .loopback, version: String
    ) -> Router<BasicRequestContext> {
        let router = Router()
        router.addMiddleware {
            ResponseHeaders()
            ErrorTranslation()
            SameOriginCheck(access: access)
            TokenCheck(access: access)
        }
        if let token = access.token { LoginRoutes(token: token, isSecure: access.isBehindProxy).add(to: router) }
        PageRoutes.add(to: router)
        RunRoutes(desk: desk).add(to: router)
        LaunchRoutes(desk: desk).add(to: router)
        StreamRoutes(desk: desk).add(to: router)
        ReportRoutes(desk: desk).add(to: router)
        HealthRoutes(desk: desk, version: version).add(to: router)
        return router
    }
}
