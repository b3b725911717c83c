import Jobs
import Runs

/// What a run's zeros amounted to: multiply-adds with the encoder's weights, as the textbook counts them (forward and both
/// gradients, all layers, every real token of the steps made).
public struct SparsityFigures: Sendable, Encodable {
    /// How kept weights lie, and how they are chosen.
    public var pattern: String
    public var method: String
    /// The matrices concerned.
    public var matrices: [String]
    /// The share of their weights that is kept at the end.
    public var density: Double
    /// Weights of these matrices, and those of them that the last step kept.
    public var maskableWeights: Int
    public var keptWeights: Int
    /// Multiply-adds that a dense network would have done with the encoder's weights.
    public var denseMultiplyAdds: Double
    /// Those with weights that are not zero.
    public var nonZeroMultiplyAdds: Double
    /// Those that were really done: below the density limit the non-zero ones alone, above it all.
    public var doneMultiplyAdds: Double
    /// The share of the dense network's that was not done.
    public var harvestedShare: Double

    /// The figures of `record`; nil for a dense run.
    init?(_ record: RunRecord) {
        guard let settings = record.run.job.sparsity else { return nil }
        let model = record.run.job.model
        let schedule = SparsitySchedule(settings)
        pattern = settings.pattern.name
        method = settings.method.name
        matrices = settings.matrices.map(\.rawValue)
        maskableWeights = model.layers * settings.matrices.reduce(0) { $0 + $1.weights(of: model) }
        let last = schedule.density(of: record.steps.last?.step.index ?? 0)
        density = last
        keptWeights = Int((last * Double(maskableWeights)).rounded())
        let all = Double(Self.encoderWeights(of: model))
        (denseMultiplyAdds, nonZeroMultiplyAdds, doneMultiplyAdds) = (0, 0, 0)
        for step in record.steps {
            let tokens = 3 * Double(step.tokens)
            let zeros = (1 - schedule.density(of: step.step.index)) * Double(maskableWeights)
            denseMultiplyAdds += tokens * all
            nonZeroMultiplyAdds += tokens * (all - zeros)
            doneMultiplyAdds += tokens * (schedule.skipsZeros(at: step.step.index) ? all - zeros : all)
        }
        harvestedShare = denseMultiplyAdds > 0 ? 1 - doneMultiplyAdds / denseMultiplyAdds : 0
    }

    /// In words, with the JSON Pointer `key` to these figures.
    func phrase(_ key: String) -> Phrase {
        """
        \(Double(keptWeights), .count, key + "/kept_weights") of \(Double(maskableWeights), .count, key + "/maskable_weights") \
        weights of \(matrices.joined(separator: ", ")) were kept at the end (\(pattern), \(method)). Of the encoder’s \
        multiply-adds \(harvestedShare, .share, key + "/harvested_share") were not done; \
        \(nonZeroMultiplyAdds, .significant, key + "/non_zero_multiply_adds") were with weights that are not zero.
        """
    }

    /// Weights that the encoder of `model` multiplies each token by: in all layers' matrices.
    static func encoderWeights(of model: ModelShape) -> Int {
        model.layers * SparsitySettings.Matrix.allCases.reduce(0) { $0 + $1.weights(of: model) }
    }
}

extension SparsitySettings.Matrix {
    /// Its weights in one layer of `model`.
    fileprivate func weights(of model: ModelShape) -> Int {
        switch self {
        case .queryKeyValue: 3 * model.hidden * model.hidden
        case .attentionOutput: model.hidden * model.hidden
        case .intermediate, .output: model.hidden * model.intermediate
        }
    }
}
