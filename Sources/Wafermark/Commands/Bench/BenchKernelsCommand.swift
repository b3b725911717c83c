import ArgumentParser
import Report
import Training

/// `wafermark bench kernels`: what a training step consists of.
struct BenchKernelsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels", abstract: "Measure what a training step's time goes into, kernel by kernel.",
        usage: "wafermark bench kernels [--model <size>] [--batch <n>] [options]",
        discussion: """
            For each kernel: time a step (mean over threads), its share of the step, bytes a second (every operand \
            once, from cache or memory) and floating-point operations a second of matrix products, both of all \
            threads together. Then the shapes of the dense layers' products that take longest, beside what oneDNN \
            reaches on each by itself. --json lists all shapes.

            With --sparse: an encoder layer's products with sparse weights against oneDNN's dense ones, by pattern \
            and density, on the base model's shapes unless --model says otherwise; and where they break even. Each \
            thread multiplies batch / threads sequences.
            """)

    @Flag(help: "Measure products with sparse weights against dense ones.")
    var sparse = false

    @OptionGroup var options: BenchOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        if sparse { return try runSparse() }
        let result = try KernelBench.run(options.settings)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(options.heading)
        Console.print("a step takes \(Figures.milliseconds(result.stepSeconds))\n")
        Console.printExactly(Self.kernels(result).text())
        Console.print("")
        Console.printExactly(Self.products(result).text())
    }

    private func runSparse() throws {
        let shape = options.model ?? NamedShape(name: "base")
        guard options.batch >= options.threads, options.threads >= 1, options.sequence >= 1,
            options.batch / options.threads <= 65_536 / options.sequence
        else {
            throw ValidationError(
                "--batch \(options.batch) over --threads \(options.threads) of --sequence \(options.sequence) tokens; "
                    + "1 to 65536 tokens a thread are allowed")
        }
        let tokens = options.batch / options.threads * options.sequence
        let result = try SparseBench.run(model: shape.shape, tokens: tokens, threads: options.threads)
        if output.json { return try Console.printJSON(result) }
        Console.printExactly(SparseBenchText(result, model: shape.name).text)
    }

    private static func kernels(_ result: KernelBench.Result) -> TextTable {
        let rows = result.kernels.map { row in
            [
                row.kernel.rawValue, Figures.short(row.callsPerStep), Figures.milliseconds(row.secondsPerStep),
                Figures.fixed(100 * row.shareOfStep, 1), Figures.short(row.bytesPerSecond * 1e-9),
                row.flopPerSecond > 0 ? Figures.short(row.flopPerSecond * 1e-9) : "",
            ]
        }
        let other = [
            "other", "", Figures.milliseconds(result.otherShare * result.stepSeconds),
            Figures.fixed(100 * result.otherShare, 1),
        ]
        return TextTable(
            [
                .init("kernel"), .init("calls", isNumeric: true), .init("time a step", isNumeric: true),
                .init("%", isNumeric: true), .init("GB/s", isNumeric: true), .init("GFLOP/s", isNumeric: true),
            ], rows: rows + [other])
    }

    private static func products(_ result: KernelBench.Result) -> TextTable {
        let rows = result.products.prefix(16).map { row in
            [
                "\(row.shape.m) x \(row.shape.n) x \(row.shape.k)"
                    + (row.shape.transposeA ? " A^T" : "") + (row.shape.transposeB ? " B^T" : ""),
                Figures.short(row.callsPerStep), Figures.milliseconds(row.secondsPerStep),
                Figures.short(row.flopPerSecond * 1e-9), Figures.short(row.peakFlopPerSecond * 1e-9),
                Figures.percent(row.flopPerSecond / row.peakFlopPerSecond),
            ]
        }
        return TextTable(
            [
                .init("product m x n x k", mayShrink: true), .init("calls", isNumeric: true),
                .init("time a step", isNumeric: true), .init("GFLOP/s", isNumeric: true),
                .init("alone", isNumeric: true), .init("ratio", isNumeric: true),
            ], rows: rows)
    }
}
