import ArgumentParser
import PerformanceModel

/// How a network runs on a wafer.
struct WaferOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "On a wafer: 'pipelined' (the network on it at once) or 'streaming' (weights from outside); by default what fits.",
            valueName: "mode"))
    var execution: WaferExecution?

    @Option(
        help: ArgumentHelp(
            "On a wafer: the share of the encoder's weights that are zero, never multiplied.", valueName: "share"))
    var sparsity: Double?

    @Option(
        help: ArgumentHelp("Which weights are zero together: unstructured, block4 or n_of_m.", valueName: "pattern"))
    var sparsityPattern = WeightSparsity.Pattern.unstructured

    func validate() throws {
        guard sparsity.map({ (0..<1).contains($0) }) ?? true else {
            throw ValidationError("--sparsity is \(sparsity ?? 0); allowed: 0 up to, and not with, 1")
        }
    }

    /// The zeros among the weights; nil where there are none.
    func readSparsity() throws -> WeightSparsity? {
        try sparsity.flatMap { $0 > 0 ? try WeightSparsity(density: 1 - $0, pattern: sparsityPattern) : nil }
    }
}

extension WaferExecution: ExpressibleByArgument {}
extension WeightSparsity.Pattern: ExpressibleByArgument {}
