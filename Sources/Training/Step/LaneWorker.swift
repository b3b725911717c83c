import BERT
import Jobs
import Kernels

/// One thread's engine and the lanes that it computes.
///
/// `@unchecked Sendable`: touched by one thread of the crew alone while a body runs, and by nobody else in between.
final class LaneWorker: @unchecked Sendable {
    private let plan: TrainingPlan
    private var engine: LaneEngine?
    /// Where time is booked, where measuring was asked for.
    var profile: KernelProfile? {
        get { engine?.profile }
        set { engine?.profile = newValue }
    }
    /// The engine's arena; nothing before its first use.
    var activations: FloatBuffer? { engine?.arena }

    init(plan: TrainingPlan) { self.plan = plan }

    /// The engine; made by the thread that uses it first, so that its memory lies near that thread.
    private func readyEngine() throws -> LaneEngine {
        if let engine { return engine }
        let made = try LaneEngine(layout: plan.layout, capacity: plan.capacity)
        engine = made
        return made
    }

    /// Forward and backward pass over `lane`: sets `gradients` to those of the lane's mean loss.
    ///
    /// - Parameters:
    ///   - sparse: which matrices are multiplied by their kept weights alone.
    ///   - gradientReady: called with ascending stretches of the flat buffer as they become final.
    /// - Throws: `TrainingError.nonFinite` where the loss is no number.
    func compute(
        lane: Int, step: StepPlan, batches: [TokenBatch], parameters: UnsafePointer<Float>, sparse: SparsePass?,
        gradients: UnsafeMutablePointer<Float>, gradientReady: ((Range<Int>) throws -> Void)?
    ) throws -> LaneResult {
        let engine = try readyEngine()
        let normaliser = LossNormaliser(
            maskedCount: batches.reduce(0) { $0 + $1.maskedPositions.count },
            sequences: batches.reduce(0) { $0 + $1.sequences })
        let key = CounterRandom.key(seed: plan.job.seed, purpose: .dropout)
        var losses = LaneLosses()
        for (index, (batch, examples)) in zip(batches, step.microBatches(lane: lane)).enumerated() {
            losses += try engine.forwardBackward(
                batch: batch, parameters: parameters, gradients: gradients, accumulate: index > 0, scale: 1,
                normaliser: normaliser,
                dropout: DropoutKey(
                    key: key, step: UInt64(step.step.index), laneFirstExample: UInt32(examples.lowerBound)),
                sparse: sparse, gradientReady: index == batches.count - 1 ? gradientReady : nil)
            guard losses.maskedLossSum.isFinite, losses.nextSentenceLossSum.isFinite else {
                throw TrainingError.nonFinite(step: step.step, lane: lane, tensor: "loss")
            }
        }
        return LaneResult(
            lane: lane, losses: losses, examplesChecksum: batches.reduce(0) { $0 &+ $1.examplesChecksum })
    }

    /// Forward pass without dropout.
    func evaluate(
        _ batch: TokenBatch, parameters: UnsafePointer<Float>, sparse: SparsePass?
    ) throws -> LaneLosses {
        try readyEngine().forward(batch: batch, parameters: parameters, sparse: sparse)
    }

    /// Runs `body`, which reads or writes `floats` floats, and books it where measuring was asked for.
    func measure(_ kernel: StepKernel, floats: Int, _ body: () -> Void) {
        guard let engine, engine.profile != nil else { return body() }
        let start = MonotonicInstant.now()
        body()
        engine.profile?.book(
            kernel,
            KernelWork(calls: 1, nanoseconds: start.nanosecondsSince, bytes: floats * MemoryLayout<Float>.stride))
    }
}
