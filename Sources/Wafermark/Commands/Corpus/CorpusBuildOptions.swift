import ArgumentParser
import Corpus
import Foundation
import Jobs

/// How many threads a command on a corpus uses; the result doesn't depend on it.
struct CorpusThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads that read and tokenise; all cores by default.", valueName: "n"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    /// Runs `body`, which shows its progress on standard error and ends at the first interruption.
    func run<Result: Sendable>(
        _ body: @escaping @Sendable (DatasetPreparation.Manner) throws -> Result
    ) async throws -> Result {
        let progress = ProgressLine()
        defer { progress.finish() }
        return try await Interruption.cancels(blocking: { [threads] isCancelled in
            var manner = DatasetPreparation.Manner(threads: threads)
            manner.progress = { progress.show($0) }
            manner.isCancelled = isCancelled
            return try body(manner)
        })
    }
}

/// How examples are masked, as options.
struct MaskingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("The share of tokens that is predicted.", valueName: "share"))
    var maskedShare = ExampleSettings().maskedShare

    @Option(
        help: ArgumentHelp(
            "What is chosen for prediction at once: token, whole-word or span (runs of whole words, as SpanBERT).",
            valueName: "kind"))
    var masking: ExampleSettings.Masking = .token

    @Option(
        help: ArgumentHelp(
            "Mask every example in N ways that stay the same, seen in turn; by default masks are drawn anew each epoch.",
            valueName: "n"))
    var staticMasks: Int?
}

extension ExampleSettings.Masking: ExpressibleByArgument {
    public init?(argument: String) { self.init(rawValue: argument.replacing("-", with: "_")) }

    public var defaultValueDescription: String { rawValue.replacing("_", with: "-") }
    public static var allValueStrings: [String] { allCases.map(\.defaultValueDescription) }
}
