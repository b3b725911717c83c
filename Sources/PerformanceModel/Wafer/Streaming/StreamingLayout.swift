/// Activations on a wafer's whole grid: a token's features lie down a column of `featureRows` cores, and every such piece
/// of a column has some of the tokens. Weights are broadcast along the rows, the partial sums of an output go around the
/// column (Cerebras, "Scaling Up and Out", September 2021: weights never stay on the wafer, only activations do).
struct StreamingLayout: Hashable, Sendable {
    /// Cores that share a token's features.
    let featureRows: Int
    /// Pieces of columns that share the tokens.
    let groups: Int
    /// Tokens of the pass on the fullest piece.
    let tokensOfGroup: Double
    /// Samples of the pass.
    let samples: Int
    let core: WaferCore

    /// Cores that hold activations.
    var cores: Double { Double(groups * featureRows) }

    /// Cycles of `kernel` for all samples of the pass on the wafer itself, forward and backward. The slowest of the fullest
    /// core's arithmetic, the links of its column, and the links of its row sets each.
    func cycles(_ kernel: WaferKernel) -> (forward: Double, backward: Double) {
        let elementwise = kernel.elementwiseOperations * Double(samples) / cores / core.operationsPerCycle
        func cycles(_ multiplyAdds: Double, links: Double, share: Double) -> Double {
            max(
                multiplyAdds / core.multiplyAddsPerCycle + elementwise * share,
                links * WaferCore.bytesPerActivation / core.linkBytesPerCycle)
        }
        let (ahead, back) = (WaferKernel.forwardShare, 1 - WaferKernel.forwardShare)
        switch kernel.work {
        case .dense(let rows, let inputs, let outputs):
            let tokens = self.tokens(rows)
            let (a, b) = (features(inputs), features(outputs))
            func nonZeros(_ weights: Double) -> Double {
                NonZeroLoad.expectedMost(
                    ofWeights: weights, density: kernel.density, pattern: kernel.pattern, cores: featureRows)
            }
            // Along a row its own weights come in, and their gradients go out the other way.
            let row = nonZeros(a * Double(outputs))
            // Around a column go partial sums: of the outputs forward, of the inputs' gradients backward, while the
            // outputs' gradients go the other way.
            let around = featureRows > 1 ? tokens * Double(outputs) : 0
            let aroundBack = featureRows > 1 ? tokens * Double(max(inputs, outputs)) : 0
            return (
                cycles(tokens * row, links: max(around, row), share: ahead),
                cycles(tokens * (row + nonZeros(b * Double(inputs))), links: max(aroundBack, row), share: back)
            )
        case .attention(let length, let heads, let width):
            let tokens = self.tokens(length)
            let features = features(heads * width)
            let multiplyAdds = 2 * tokens * Double(length) * features
            // Keys and values of a sequence's other tokens come along the row; the scores of a head that several cores
            // share are summed along the column.
            let keys = tokens < Double(length) ? 2 * Double(length) * features : 0
            let scores = features < Double(width) ? tokens * Double(length) : 0
            let links = max(keys, scores)
            return (
                cycles(multiplyAdds, links: links, share: ahead),
                cycles(2 * multiplyAdds, links: 2 * links, share: back)
            )
        }
    }

    private func features(_ count: Int) -> Double { (Double(count) / Double(featureRows)).rounded(.up) }

    /// Rows of the pass on the fullest piece, where a sample has `rows`.
    private func tokens(_ rows: Int) -> Double { (Double(rows * samples) / Double(groups)).rounded(.up) }
}
