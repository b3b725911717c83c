import ArgumentParser

/// `wafermark bench`: what this machine reaches.
struct BenchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench", abstract: "Measure what this machine reaches.",
        discussion: "All figures are on the host clock; close other programs first.",
        subcommands: [
            BenchTrainCommand.self,
            BenchKernelsCommand.self,
            BenchMemoryCommand.self,
            BenchGEMMCommand.self,
            BenchCorpusCommand.self,
            BenchAllReduceCommand.self,
            BenchChaosCommand.self,
            BenchControlCommand.self,
            BenchListCommand.self,
            BenchFabricCommand.self,
            BenchSoakCommand.self,
            BenchKillsCommand.self,
        ])
}
