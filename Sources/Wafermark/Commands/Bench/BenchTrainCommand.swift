import ArgumentParser
import Training

/// `wafermark bench train`: optimizer steps on random tokens.
struct BenchTrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "train", abstract: "Measure whole training steps on random tokens.",
        usage: "wafermark bench train [--model <size>] [--batch <n>] [options]",
        discussion: """
            All sequences are full, 15 % of their tokens are predicted, dropout is on.

            gemm_gflops counts the matrix products that a step really computes (dense layers, heads, attention; \
            nothing twice) over the step's whole time. gemm_peak_gflops is what oneDNN reaches by itself on the same \
            dense products, one product a thread at a time on as many threads; gemm_efficiency is their ratio.

            textbook_gflops counts as other programs do, the last layer over all tokens. The engine computes that \
            layer, beyond its keys and values, only for the tokens that the heads read, so the textbook's figure is \
            higher than what was done.
            """)

    @OptionGroup var options: BenchOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let result = try TrainingBench.run(options.settings)
        if output.json {
            try Console.printJSON(result)
            return
        }
        Console.print(options.heading)
        var rows: [(String, String)] = [
            ("sequences/s", Figures.short(result.sequencesPerSecond)),
            (
                "step",
                "\(Figures.milliseconds(result.stepSecondsMedian)) median, "
                    + "\(Figures.milliseconds(result.stepSecondsMin)) least, "
                    + "\(Figures.milliseconds(result.stepSecondsMax)) most"
            ),
            ("  forward, backward", Figures.milliseconds(result.computeSecondsMedian)),
            ("  optimizer", Figures.milliseconds(result.optimizerSecondsMedian)),
            ("  input", Figures.milliseconds(result.inputSecondsMedian)),
            (
                "matrix products",
                "\(Figures.short(result.gemmGflops)) GFLOP/s, \(Figures.percent(result.gemmEfficiency)) of oneDNN's "
                    + Figures.short(result.gemmPeakGflops)
            ),
            ("  textbook's count", "\(Figures.short(result.textbookGflops)) GFLOP/s"),
        ]
        if result.skippedFlopPerStep > 0 {
            let all = result.denseFlopPerStep + result.attentionFlopPerStep + result.sparseFlopPerStep
            rows.append(
                (
                    "zeros",
                    "\(Figures.percent(result.skippedFlopPerStep / (all + result.skippedFlopPerStep))) of a dense "
                        + "step's operations not done"
                ))
        }
        rows += [
            (
                "zeros in activations",
                "\(Figures.percent(result.activationZeroShare)) of the feed-forward's, "
                    + "\(Figures.percent(result.droppedGradientZeroShare)) of dropout's gradients"
            ),
            ("peak memory", Figures.bytes(result.peakRssBytes)),
            ("start to first step", Figures.milliseconds(result.startSeconds)),
        ]
        if let cost = result.gradientNoiseCost {
            rows.append(("gradient noise", "\(Figures.fixed(100 * cost, 2)) % more at steps that are measured"))
        }
        for (name, value) in rows { Console.print("  \(name.padded(to: 20)) \(value)") }
    }
}
