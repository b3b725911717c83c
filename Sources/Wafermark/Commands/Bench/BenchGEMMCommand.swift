import ArgumentParser
import Jobs
import Training

/// `wafermark bench gemm`: the matrix-product library by itself.
struct BenchGEMMCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gemm", abstract: "Measure oneDNN's matrix products on a model's shapes.",
        usage: "wafermark bench gemm [--model <size>] [--tokens <n>] [options]")

    @Option(help: ArgumentHelp("The model's size.", valueName: "size"))
    var model: NamedShape = NamedShape(name: "mini")

    @Option(help: ArgumentHelp("Rows of each thread's matrices: sequences x tokens of a lane.", valueName: "n"))
    var tokens = 2048

    @Option(help: ArgumentHelp("Threads.", valueName: "n"))
    var threads = 2

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var model: String
        var tokens: Int
        var threads: Int
        var gemmPeakGflops: Double
    }

    func validate() throws {
        guard (1...65_536).contains(tokens) else {
            throw ValidationError("--tokens is \(tokens); 1 to 65536 are allowed")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    func run() throws {
        let rate = try ProductBench.encoderRate(model: model.shape, tokens: tokens, threads: threads)
        if output.json {
            try Console.printJSON(Result(model: model.name, tokens: tokens, threads: threads, gemmPeakGflops: rate))
        } else {
            Console.print(
                "\(Figures.short(rate)) GFLOP/s over an encoder layer's products, the best of several rounds")
        }
    }
}
