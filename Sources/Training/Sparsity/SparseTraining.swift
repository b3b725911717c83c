import BERT
import Jobs
import Kernels

/// Masks of one process's copy of the model: what is kept, when that changes, and how steps are computed with it.
///
/// Every process holds all weights and sees the whole gradient, so all choose the same masks.
final class SparseTraining {
    let schedule: SparsitySchedule
    let masks: WeightMasks
    private let packed: SparseWeights
    private let seed: UInt64

    /// The masks of `plan`'s job; nil where it is dense.
    init?(plan: TrainingPlan) {
        guard let settings = plan.job.sparsity else { return nil }
        schedule = SparsitySchedule(settings)
        masks = WeightMasks(MaskLayout(plan.layout, matrices: Set(settings.matrices.map(EncoderMatrix.init))))
        packed = SparseWeights(masks: masks)
        seed = plan.job.seed
    }

    /// Sets the masks that training begins with, and the weights that they don't keep to zero.
    func begin(weights: UnsafeMutablePointer<Float>, crew: ThreadCrew) throws {
        switch schedule.settings.method {
        case .magnitude: masks.keepAll()
        case .fixed, .regrow:
            let (density, seed) = (schedule.settings.density, seed)
            try forEachTensor(crew) { mask, tensor in
                mask.keepAtRandom(density: density, seed: seed, name: tensor.name)
            }
        }
        try apply(to: [weights], crew: crew)
        try refresh(from: weights, stepsMade: 0, masksChanged: true, crew: crew)
    }

    /// How step `step` is computed; nil where all weights are multiplied.
    func pass(of step: Int) -> SparsePass? {
        guard schedule.skipsZeros(at: step) else { return nil }
        return SparsePass(weights: packed, givesAllGradients: schedule.needsAllGradients(at: step))
    }

    /// Whether the masks change at step `step`.
    func changes(at step: Int) -> Bool { schedule.change(at: step) != nil }

    /// Makes the change of step `step`, if there is one, and sets what is not kept to zero: in the gradient, and after a
    /// change in the weights and both moments.
    ///
    /// - Parameters:
    ///   - gradient: the sum over all lanes; finite where the masks change.
    ///   - state: weights, first and second moments.
    func beforeUpdate(
        _ step: Int, gradient: UnsafeMutablePointer<Float>, state: [UnsafeMutablePointer<Float>], crew: ThreadCrew
    ) throws {
        if let change = schedule.change(at: step) {
            let (weights, slopes) = (Shared(state[0]), Shared(gradient))
            try forEachTensor(crew) { mask, tensor in
                let values = UnsafePointer(weights.pointer + tensor.range.lowerBound)
                switch change {
                case .prune(let density): mask.prune(density: density, weights: values)
                case .exchange(let share):
                    mask.exchange(
                        share: share, weights: values, gradient: slopes.pointer + tensor.range.lowerBound)
                }
            }
            try apply(to: state + [gradient], crew: crew)
        } else if !schedule.skipsZeros(at: step) {
            try apply(to: [gradient], crew: crew)
        }
    }

    /// Brings the packed matrices up to date with weights after `stepsMade` steps.
    func refresh(
        from weights: UnsafePointer<Float>, stepsMade: Int, masksChanged: Bool, crew: ThreadCrew
    ) throws {
        guard schedule.skipsZeros(at: stepsMade) else { return }
        if masksChanged || !packed.isBuilt { try packed.rebuild(crew: crew) }
        try packed.refresh(from: weights, crew: crew)
    }

    /// Sets what the masks don't keep to zero in flat buffers.
    func apply(to buffers: [UnsafeMutablePointer<Float>], crew: ThreadCrew) throws {
        let shared = buffers.map(Shared.init)
        let count = masks.layout.tensors.count
        try crew.run { [masks] thread in
            for index in stride(from: thread, to: count, by: crew.count) {
                for buffer in shared { masks.apply(to: buffer.pointer, tensor: index) }
            }
        }
    }

    private func forEachTensor(
        _ crew: ThreadCrew, _ body: @Sendable (TensorMask, ParameterTensor) -> Void
    ) throws {
        let pattern = schedule.settings.pattern
        try crew.run { [masks] thread in
            for index in stride(from: thread, to: masks.layout.tensors.count, by: crew.count) {
                let tensor = masks.layout.tensors[index]
                let mask = TensorMask(
                    rows: tensor.rows, columns: tensor.columns, pattern: pattern,
                    words: masks.words + tensor.words.lowerBound)
                body(mask, tensor.tensor)
            }
        }
    }
}

extension EncoderMatrix {
    /// The matrix that a job names.
    init(_ matrix: SparsitySettings.Matrix) {
        switch matrix {
        case .queryKeyValue: self = .queryKeyValue
        case .attentionOutput: self = .attentionOutput
        case .intermediate: self = .intermediate
        case .output: self = .output
        }
    }
}
