import ArgumentParser

/// `wafermark bench corpus`: text on its way to training examples.
struct BenchCorpusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus", abstract: "Measure text on its way to training examples.",
        discussion: "MB are 10^6 bytes of unpacked text; all figures are on the host clock.",
        subcommands: [
            BenchImportCommand.self,
            BenchTokenizerCommand.self,
            BenchVocabularyCommand.self,
            BenchExamplesCommand.self,
        ])
}
