import ArgumentParser
import Foundation
import Jobs
import Report
import Training

/// `wafermark bench memory`: what a training process keeps in memory.
struct BenchMemoryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "memory", abstract: "Measure peak memory by model size and by part.",
        usage: "wafermark bench memory [--model <size> ...] [--batch <n>] [options]",
        discussion: """
            Makes two steps of each size in a process of its own and looks what is in memory: weights, gradients, \
            optimizer state, activations, the program itself, and the rest (oneDNN's code and packed operands). The \
            parts add up to the peak.
            """)

    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "The models' sizes: \(ModelShape.named.map(\.name).joined(separator: ", ")); all of them by default.",
            valueName: "size"))
    var model: [NamedShape] = []

    @Option(help: ArgumentHelp("Sequences of a step.", valueName: "n"))
    var batch = 4

    @Option(help: ArgumentHelp("Tokens of a sequence.", valueName: "n"))
    var sequence = 128

    @Option(help: ArgumentHelp("Threads; each computes a lane.", valueName: "n"))
    var threads = 2

    @Option(help: ArgumentHelp("Entries of the vocabulary.", valueName: "n"))
    var vocabulary = 30_522

    @OptionGroup var output: OutputOptions

    private struct Row: Codable {
        var model: String
        var batch: Int
        var sequence: Int
        var threads: Int
        var memory: MemoryBench.Result
    }

    private struct Document: Codable {
        var sizes: [Row]
    }

    func run() throws {
        let shapes = model.isEmpty ? ModelShape.named.map { NamedShape(name: $0.name) } : model
        // A process can be asked once, so each size but an only one is measured by a process of its own.
        let rows = try shapes.count == 1 ? [measure(shapes[0])] : shapes.map(measureApart)
        if output.json {
            try Console.printJSON(Document(sizes: rows))
            return
        }
        Console.print("\(batch) sequences of \(sequence) tokens, \(threads) threads, MiB\n")
        let cells = rows.map { row in
            let parts = row.memory
            return [row.model]
                + [
                    parts.peakRssBytes, parts.weightsBytes, parts.gradientsBytes, parts.optimizerStateBytes,
                    parts.activationsBytes, parts.programBytes, parts.libraryBytes,
                ].map { Figures.short(Double($0) / 1_048_576) }
        }
        let titles = ["peak", "weights", "gradients", "optimizer", "activations", "program", "library"]
        Console.printExactly(
            TextTable([.init("model")] + titles.map { .init($0, isNumeric: true) }, rows: cells).text())
    }

    private func measure(_ shape: NamedShape) throws -> Row {
        Row(
            model: shape.name, batch: batch, sequence: sequence, threads: threads,
            memory: try MemoryBench.run(
                BenchSettings(
                    model: shape.shape, batch: batch, sequence: sequence, threads: threads, vocabularySize: vocabulary)
            ))
    }

    private func measureApart(_ shape: NamedShape) throws -> Row {
        let process = Process()
        process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        process.arguments = [
            "bench", "memory", "--model", shape.name, "--batch", "\(batch)", "--sequence", "\(sequence)", "--threads",
            "\(threads)", "--vocabulary", "\(vocabulary)", "--json",
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let bytes = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        guard process.terminationStatus == 0, process.terminationReason == .exit else {
            guard process.terminationReason == .exit else {
                throw CommandFailure.failed(
                    "measuring \(shape.name) was ended by signal \(process.terminationStatus); is there enough memory?")
            }
            // It has said why on standard error.
            throw process.terminationStatus == ExitStatus.wrongUsage.rawValue
                ? CommandFailure.wrongUsage("") : CommandFailure.alreadyReported
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        guard let row = try decoder.decode(Document.self, from: bytes).sizes.first else {
            throw CommandFailure.failed("measuring \(shape.name) gave no figures")
        }
        return row
    }
}
