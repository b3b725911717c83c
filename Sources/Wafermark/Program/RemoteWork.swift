import Coordinator
import Jobs
import Wire

/// Asks a daemon on another host for a place in a run until there is one.
struct RemoteWork {
    /// The daemon.
    var client: DaemonClient

    private static let pause = Duration.seconds(1)

    /// The first place that there is.
    ///
    /// A daemon that does not answer may be starting, or be restarted: it is asked again. One that refuses is not.
    /// - Throws: `CommandFailure` where there is none within `seconds`; `DaemonError`.
    func wait(seconds: Double) async throws -> WorkOrder {
        let end = ContinuousClock.now + .seconds(seconds)
        var obstacle = "no run waits for workers"
        while ContinuousClock.now < end {
            do {
                if let order = try await client.work() { return order }
                obstacle = "no run waits for workers"
            } catch let error as DaemonError {
                guard case .unreachable = error else { throw error }
                obstacle = "\(error)"
            }
            try await Task.sleep(for: Self.pause)
        }
        throw CommandFailure.failed("there was nothing to do within \(Int(seconds)) s: \(obstacle)")
    }
}
