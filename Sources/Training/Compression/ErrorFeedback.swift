import BERT
import Jobs
import Kernels

/// What the lanes of one process hold back of their gradients, and the state to which they can go back.
///
/// Sending a part of a gradient trains as well as sending all of it where the rest is added to the next one (Seide et al.
/// 2014; Stich et al. 2018, "Sparsified SGD with memory"). What is held back belongs to a *lane*, so that it does not depend
/// on who computes the lane. But it lives in that process's memory alone, and is lost with it. So every `flushEvery` steps
/// each lane gives everything: after these steps nothing is held back anywhere, weights and moments say all, and every
/// process keeps a copy of them. Where a process is lost, the others go back to that copy and make the steps since then
/// again, to the same bits; it is what a checkpoint holds, too, and what a process that joins is given.
final class ErrorFeedback {
    private let settings: TopKSettings
    private let tensors: [Range<Int>]
    private let elementCount: Int
    private var firstLane: Int
    private var residuals: [FloatBuffer]
    private var kept: [FloatBuffer] = []
    /// The steps that the kept state has seen; nil before there is one.
    private(set) var keptSteps: Int?

    /// Of the lanes `lanes` of `plan`'s job; nil where lanes hold nothing back.
    init?(plan: TrainingPlan, lanes: Range<Int>) {
        guard case .topK(let settings) = plan.job.compression else { return nil }
        self.settings = settings
        tensors = plan.layout.tensors.map(\.range)
        elementCount = plan.layout.elementCount
        firstLane = lanes.lowerBound
        residuals = lanes.map { _ in FloatBuffer(count: plan.layout.elementCount) }
    }

    /// What step `step` of `job` holds back.
    func pass(of step: StepNumber, in job: Job) -> FeedbackPass {
        FeedbackPass(
            tensors: tensors, density: settings.density, flushes: job.isWhole(after: step.index + 1),
            firstLane: firstLane, residuals: residuals)
    }

    /// Goes on with the lanes `lanes`, none of which holds anything back.
    func begin(_ lanes: Range<Int>) {
        firstLane = lanes.lowerBound
        residuals = Array(residuals.prefix(lanes.count))
        for residual in residuals { Vector.zero(residual.pointer, count: elementCount) }
        while residuals.count < lanes.count { residuals.append(FloatBuffer(count: elementCount)) }
    }

    /// Copies `state`, which has seen `stepsMade` steps, none of which is held back in part.
    func keep(_ state: [UnsafeMutableBufferPointer<Float>], after stepsMade: Int) {
        if kept.isEmpty { kept = state.map { FloatBuffer(count: $0.count) } }
        for (copy, buffer) in zip(kept, state) { _ = copy.buffer.update(fromContentsOf: buffer) }
        keptSteps = stepsMade
    }

    /// Writes the kept state over `state`.
    func restore(_ state: [UnsafeMutableBufferPointer<Float>]) {
        for (copy, buffer) in zip(kept, state) { _ = buffer.update(fromContentsOf: copy.buffer) }
    }
}
