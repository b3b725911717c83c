import Jobs
import Logging
import Runs

/// Removes stored runs beyond what is kept, for a daemon: when it starts, after each run's end, and every hour.
struct RunJanitor: Sendable {
    let retention: RunRetention
    let state: StateDirectory
    let store: RunStore
    let logger: Logger

    private static let period = Duration.seconds(3_600)

    /// Looks from time to time until the task is cancelled.
    func watch() async {
        while !Task.isCancelled {
            tidy()
            try? await Task.sleep(for: Self.period)
        }
    }

    /// Removes what is beyond. What can't be removed stays until the next time.
    func tidy() {
        if retention.isEmpty { return }
        do {
            for removal in try retention.removals(in: state, store: store) {
                do {
                    // It refuses a run that goes on since it was looked at.
                    try RunRemoval.remove(removal.id, from: store, in: state)
                    logger.info("removed to make room: \(removal.reason)", metadata: ["run": "\(removal.id)"])
                } catch {
                    logger.warning("could not be removed: \(error)", metadata: ["run": "\(removal.id)"])
                }
            }
        } catch {
            logger.warning("no room could be made: \(error)")
        }
    }
}
