import Coordinator
import Jobs

/// A daemon in a state directory of its own, for what is measured by training; both are gone afterwards.
enum TrialState {
    /// Lets `body` launch runs there, given the directory's path as well; ended by a signal, it cancels them.
    static func run<Outcome: Sendable>(
        _ body: @escaping @Sendable (FollowedRuns, String) async throws -> Outcome
    ) async throws -> Outcome {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        let directory = StateDirectory(path: scratch.path)
        let session = DaemonSession(
            options: try ThisProgram.daemonOptions(state: directory, endpoints: []),
            logger: ThisProgram.logger(level: .warning))
        return try await Interruption.cancels {
            try await session.run { client in
                try await body(FollowedRuns(client: client, state: directory), directory.path)
            }
        }
    }
}
