import ArgumentParser
import Jobs

/// When a run's turn comes, and by what its submission is known again.
struct TermsOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Runs of a higher number come first: -100 to 100; 0 by default.", valueName: "n"))
    var priority = 0

    @Option(
        help: ArgumentHelp(
            "Begin once this run has finished; where it ends otherwise, this one fails. May be given again.",
            valueName: "id"))
    var after: [RunID] = []

    @Option(
        help: ArgumentHelp(
            "Whoever submits the same again with this key gets the run that is there, and no second one.",
            valueName: "text"))
    var submissionKey: String?

    func validate() throws {
        if let problem = terms().problem { throw ValidationError(problem) }
    }

    /// The terms that the user means, with `suffix` at the end of the key.
    func terms(suffix: String = "") -> SubmissionTerms {
        SubmissionTerms(priority: priority, after: after, key: submissionKey.map { $0 + suffix })
    }
}

extension RunID: ExpressibleByArgument {
    /// The id that an argument names.
    public init?(argument: String) { self.init(argument) }
}

/// Seeds, as one argument.
struct SeedList: ExpressibleByArgument {
    /// At least one, none twice.
    let seeds: [UInt64]

    init?(argument: String) {
        let parts = argument.split(separator: ",", omittingEmptySubsequences: false)
        let seeds = parts.compactMap { part in
            part.allSatisfy { $0.isASCII && $0.isNumber } ? UInt64(part) : nil
        }
        guard seeds.count == parts.count, Set(seeds).count == seeds.count, seeds.count <= 1_000 else { return nil }
        self.seeds = seeds
    }
}
