import Foundation
import Training

/// Looks for the checkpoint that a run can go on from.
enum CheckpointSearch {
    /// The newest whole checkpoint in `directory`, and why newer ones were passed over. Every byte of it is read, on a thread
    /// of its own.
    static func newestWhole(in directory: String) async -> (path: String?, stepsMade: Int, passedOver: [String]) {
        await withCheckedContinuation { continuation in
            let thread = Thread {
                let (found, passedOver) = CheckpointStore(directory: directory).newestWhole()
                continuation.resume(
                    returning: (found?.folder.path, found?.state.stepsMade ?? 0, passedOver.map(\.description)))
            }
            thread.name = "checkpoints"
            thread.start()
        }
    }
}
