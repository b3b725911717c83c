/// How many weights that are not zero the fullest of many cores has. All wait for it, so this and not the mean sets the time.
public enum NonZeroLoad {
    /// The expected most on one of `cores` cores, each with `weights` places of which a share of `density` is drawn at
    /// random.
    ///
    /// The number on a core is binomial; the largest of many such is the binomial's quantile at Blom's probability
    /// (`SlowestDevice`), by the normal quantile with its first correction for skewness (Cornish and Fisher 1938).
    public static func expectedMost(
        ofWeights weights: Double, density: Double, pattern: WeightSparsity.Pattern, cores: Int
    ) -> Double {
        guard density < 1 else { return weights }
        let together: Double =
            switch pattern {
            case .unstructured: 1
            case .block4: 4
            case .nOfM: 0
            }
        // With as many zeros in every group, a core has its share and no more.
        guard together > 0 else { return weights * density }
        let draws = weights / together
        let mean = draws * density
        let deviation = (mean * (1 - density)).squareRoot()
        guard deviation > 0 else { return weights * density }
        let z = SlowestDevice.factor(count: cores, spread: 1) - 1
        let skewness = (1 - 2 * density) / deviation
        let most = mean + deviation * (z + (z * z - 1) * skewness / 6)
        return min(draws, max(mean, most)) * together
    }

    /// The most on one core, counted: `mask` has a truth value for each weight, output by output, and every core has the
    /// weights of `outputsOfCore` outputs and `inputsOfCore` inputs.
    ///
    /// - Throws: `unsupported` where the mask hasn't `outputs` x `inputs` values, or a core no weights.
    public static func countedMost(
        in mask: [Bool], outputs: Int, inputs: Int, outputsOfCore: Int, inputsOfCore: Int
    ) throws(PerformanceModelError) -> Int {
        guard outputs > 0, inputs > 0, mask.count / outputs == inputs, mask.count % outputs == 0 else {
            throw .unsupported("a mask of \(mask.count) values; allowed: \(outputs) x \(inputs)")
        }
        guard outputsOfCore > 0, inputsOfCore > 0 else {
            throw .unsupported("cores of \(outputsOfCore) outputs x \(inputsOfCore) inputs; allowed: at least 1 x 1")
        }
        let across = (inputs + inputsOfCore - 1) / inputsOfCore
        var counts = [Int](repeating: 0, count: across * ((outputs + outputsOfCore - 1) / outputsOfCore))
        for output in 0..<outputs {
            let row = output / outputsOfCore * across
            for input in 0..<inputs where mask[output * inputs + input] { counts[row + input / inputsOfCore] += 1 }
        }
        return counts.max() ?? 0
    }
}
