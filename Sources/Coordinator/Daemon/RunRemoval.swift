import Foundation
import Jobs
import Runs

/// Removes all that is left of a run.
enum RunRemoval {
    /// Removes the record of `id` and its files.
    static func remove(_ id: RunID, from store: RunStore, in state: StateDirectory) throws {
        try store.delete(id)
        let path = state.run(id).path
        if FileManager.default.fileExists(atPath: path) { try FileManager.default.removeItem(atPath: path) }
    }
}
