import ArgumentParser
import Corpus
import Foundation
import Jobs

/// `wafermark corpus show`: what a corpus folder holds.
struct CorpusShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Print what a corpus folder holds, or one example of it.",
        discussion: """
            Counts, lengths, the share of unknown tokens, and how full the examples are.
            With --example, that example as text: what is predicted is in colour on a
            terminal and marked elsewhere, and NO_COLOR is respected.
            """)

    @Argument(help: ArgumentHelp("The corpus folder.", valueName: "dir"))
    var folder: String

    @Option(help: ArgumentHelp("Print this example, counted from 0.", valueName: "n"))
    var example: Int?

    @Option(
        help: ArgumentHelp("The example's sequence length; the shortest that was built unless given.", valueName: "n"))
    var sequence: Int?

    @Flag(name: .customLong("held-out"), help: "An example of the held-out side.")
    var isHeldOut = false

    @Option(help: ArgumentHelp("The epoch that it is masked for.", valueName: "n"))
    var epoch: UInt64 = 0

    @Option(
        help: ArgumentHelp("The job's seed, which masks are drawn from; the dataset's unless given.", valueName: "n"))
    var seed: UInt64?

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let corpus = CorpusFolder(folder)
        if let example {
            try await OwnThread.run { try show(example, of: try corpus.dataset(verifying: .sizes)) }
            return
        }
        let summary = try await OwnThread.run { try CorpusSummary(of: corpus) }
        if output.json {
            try Console.printJSON(summary)
        } else {
            for line in CorpusText(summary: summary, style: OutputStyle()).lines { Console.print(line) }
        }
    }

    private struct ExampleDocument: Encodable {
        var sequence: Int
        var split: Split
        var number: Int
        var count: Int
        var epoch: UInt64
        var seed: UInt64
        var isNext: Bool
        var inputIds: [Int32]
        var tokens: [String]
        var tokenTypes: [UInt8]
        var maskedPositions: [Int32]
        var maskedLabels: [Int32]
        var text: String
    }

    private func show(_ number: Int, of dataset: Dataset) throws {
        let sequence = sequence ?? dataset.sequences.first ?? 0
        guard dataset.sequences.contains(sequence) else {
            throw CommandFailure.wrongUsage(
                "--sequence \(sequence): the corpus was built for "
                    + dataset.sequences.map(String.init).joined(separator: ", "))
        }
        let split = isHeldOut ? Split.heldOut : .training
        let seed = seed ?? dataset.manifest.settings.seed
        let example = try ExampleReader(dataset, seed: seed).example(
            sequence: sequence, split: split, number: number, epoch: epoch)
        let count = dataset.exampleCount(sequence: sequence, split: split)
        if output.json {
            try Console.printJSON(
                ExampleDocument(
                    sequence: sequence, split: split, number: number, count: count, epoch: epoch, seed: seed,
                    isNext: example.isNext, inputIds: example.inputIDs,
                    tokens: example.inputIDs.map { dataset.vocabulary.token($0) ?? "" }, tokenTypes: example.tokenTypes,
                    maskedPositions: example.maskedPositions, maskedLabels: example.maskedLabels,
                    text: dataset.vocabulary.text(of: example.inputIDs)))
            return
        }
        let pair =
            dataset.manifest.settings.examples.nextSentence
            ? (example.isNext ? ", a pair that goes on" : ", a random pair") : ""
        Console.print(
            "\(split.words) example \(Figures.count(number)) of \(Figures.count(count)): \(example.inputIDs.count) of "
                + "\(sequence) tokens, \(example.maskedPositions.count) predicted\(pair)")
        let style = OutputStyle()
        let picture = ExamplePicture(ExampleText(example, vocabulary: dataset.vocabulary), style: style)
        for line in picture.lines { Console.print(line) }
    }
}
