import Corpus
import Foundation
import Jobs
import Runs
import Training

/// Compares the examples that a finished run's steps say they used with those that they had to use.
enum ExampleAudit {
    /// The examples of `record`'s first `steps` steps, and what they must add up to. Reads the dataset, on a thread of its own.
    ///
    /// - Throws: what the dataset throws.
    static func usage(of record: RunRecord, steps: Int, dataset directory: String) async throws -> ExampleUsage {
        try await withCheckedThrowingContinuation { continuation in
            let thread = Thread {
                continuation.resume(
                    with: Result {
                        let dataset = try Dataset(opening: directory, verifying: .sizes)
                        let due = try ExampleProof(of: record.run.job, steps: steps, dataset: dataset)
                        let used = record.steps.prefix(steps)
                        return ExampleUsage(
                            examples: used.reduce(0) { $0 + $1.sequences }, wholePasses: due.wholePasses,
                            checksum: used.reduce(0) { $0 &+ $1.examplesChecksum }, checksumDue: due.checksum)
                    })
            }
            thread.name = "examples"
            thread.start()
        }
    }
}
