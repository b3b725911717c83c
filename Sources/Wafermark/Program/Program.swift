import ArgumentParser
import BERT
import Cluster
import Coordinator
import Corpus
import Dashboard
import Jobs
import Messaging
import PerformanceModel
import Runs
import Training

/// The program from its arguments to its exit code.
enum Program {
    /// This package's version.
    static let version = "0.1.0"

    /// Parses `arguments`, runs the command that they name, and reports how it ended.
    static func run(_ arguments: [String]) async -> ExitStatus {
        do {
            var command = try WafermarkCommand.parseAsRoot(arguments)
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
            return .done
        } catch {
            return report(error)
        }
    }

    /// Prints what `error` says, to standard error unless it is the help that was asked for.
    private static func report(_ error: any Error) -> ExitStatus {
        if error is CancellationError { return .interrupted }
        // The parser wraps what its own parsing threw; help and version come as errors too.
        switch WafermarkCommand.exitCode(for: error) {
        case .success:
            Console.print(WafermarkCommand.fullMessage(for: error))
            return .done
        case .validationFailure:
            Console.diagnose(WafermarkCommand.fullMessage(for: error))
            return .wrongUsage
        default:
            break
        }
        let message = "\(error)"
        if !message.isEmpty {
            for line in message.split(separator: "\n") {
                let words = "wafermark: \(PrintableText.plain(String(line)))"
                Console.diagnose(DiagnosticLine.own(words, level: "error"))
            }
        }
        return status(of: error)
    }

    /// The exit code for an error: 2 where the input is at fault and nothing was started, else 1.
    private static func status(of error: any Error) -> ExitStatus {
        switch error {
        case is JobFileError, is PerformanceModelError, is ModelFileError, is BERTError: .wrongUsage
        case RunStoreError.noRun, RunStoreError.severalRuns, RunStoreError.notAnID: .wrongUsage
        case is KeyError, MessagingError.endpoint, MessagingError.unencrypted: .wrongUsage
        case RunStoreError.duplicateRun, is RunArchiveError: .wrongUsage
        case TrainingError.plan, TrainingError.batchFile: .wrongUsage
        case CommandFailure.wrongUsage, is JobRequirements.Violation, is EmulationSettings.Violation, is DashboardError:
            .wrongUsage
        case CommandFailure.gaveUp: .noProgress
        case WorkerEnd.silence: .coordinatorLost
        case BackendComparison.Failure.run(let run) where run.hasGivenUp == true: .noProgress
        case let error as CorpusError where error.isWrongInput: .wrongUsage
        default: .failed
        }
    }
}
