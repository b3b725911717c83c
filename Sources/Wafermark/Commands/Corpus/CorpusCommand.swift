import ArgumentParser

/// `wafermark corpus`: from publications to training examples.
struct CorpusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "corpus", abstract: "Make text into what training reads.",
        subcommands: [
            CorpusFetchCommand.self,
            CorpusImportCommand.self,
            CorpusVocabularyCommand.self,
            CorpusBuildCommand.self,
            CorpusShowCommand.self,
            CorpusCheckCommand.self,
            CorpusTokenizeCommand.self,
        ])
}
