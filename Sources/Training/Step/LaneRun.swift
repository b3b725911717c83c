import BERT
import Jobs
import Kernels
import Synchronization

/// The computation of one process's lanes at one step: what the threads of the crew share.
final class LaneRun: Sendable {
    let schedule: LaneSchedule
    private let step: StepPlan
    private let batches: StepPrefetcher.Batches
    private let firstLane: Int
    private let slots: [FloatBuffer]
    private let weights: FloatBuffer
    private let sparse: SparsePass?
    private let compressor: LaneCompressor
    private let progress: GradientProgress
    private let collected = Mutex<[LaneResult]>([])

    init(
        step: StepPlan, batches: StepPrefetcher.Batches, firstLane: Int, schedule: LaneSchedule, slots: [FloatBuffer],
        weights: FloatBuffer, sparse: SparsePass?, compressor: LaneCompressor, progress: GradientProgress
    ) {
        self.step = step
        self.batches = batches
        self.firstLane = firstLane
        self.schedule = schedule
        self.slots = slots
        self.weights = weights
        self.sparse = sparse
        self.compressor = compressor
        self.progress = progress
    }

    /// The lanes' results so far, in lane order.
    var results: [LaneResult] { collected.withLock { $0.sorted { $0.lane < $1.lane } } }

    /// What `thread` does: its lanes and their sums, then, stretch by stretch behind its last lane's backward pass, the
    /// sums that wait for that lane, and those across threads where it is the last to get there.
    func run(thread: Int, worker: LaneWorker, afterStretch: () throws -> Void) throws {
        let share = schedule.shares[thread]
        let whole = 0..<(slots.first?.count ?? 0)
        for operation in share.before {
            switch operation {
            case .compute(let lane, let slot):
                try compute(lane, slot, worker, nil)
                compress(lane, slot, whole, worker)
            case .add(let from, let into): add(from, into, whole, worker)
            }
        }
        try withoutActuallyEscaping(afterStretch) { afterStretch in
            try compute(share.last.lane, share.last.slot, worker) { [self] stretch in
                compress(share.last.lane, share.last.slot, stretch, worker)
                for addition in share.after {
                    add(addition.from, addition.into, stretch, worker)
                    slots[addition.from].release(stretch)
                }
                if let claim = progress.advance(thread, to: stretch.upperBound) {
                    for addition in schedule.joins {
                        add(addition.from, addition.into, claim, worker)
                        slots[addition.from].release(claim)
                    }
                    progress.finishJoin(claim)
                }
                try afterStretch()
            }
        }
    }

    /// Computes a lane and, where the step measures it, the squared norm of its gradient: stretch by stretch as they become
    /// final, before anything is added to them. The stretches are the engine's and the same for every lane, so the norm has
    /// the same bits whoever computes it.
    private func compute(
        _ lane: Int, _ slot: Int, _ worker: LaneWorker, _ gradientReady: ((Range<Int>) throws -> Void)?
    ) throws {
        let gradient = slots[slot].pointer
        var squaredNorm = 0.0
        let measured: (Range<Int>) throws -> Void = { stretch in
            worker.measure(.gradientNorm, floats: stretch.count) {
                squaredNorm += OptimizerKernels.sumOfSquares(gradient + stretch.lowerBound, count: stretch.count)
            }
            try gradientReady?(stretch)
        }
        var result = try worker.compute(
            lane: lane, step: step, batches: batches[lane - firstLane], parameters: UnsafePointer(weights.pointer),
            sparse: sparse, gradients: gradient, gradientReady: step.measuresGradientNoise ? measured : gradientReady)
        // A gradient that is not finite is found, and named by its tensor, once it is summed.
        if step.measuresGradientNoise, squaredNorm.isFinite { result.gradientSquaredNorm = squaredNorm }
        collected.withLock { $0.append(result) }
    }

    private func add(_ from: Int, _ into: Int, _ range: Range<Int>, _ worker: LaneWorker) {
        worker.measure(.laneSums, floats: 3 * range.count) {
            Vector.add(
                into: slots[into].pointer + range.lowerBound,
                from: UnsafePointer(slots[from].pointer + range.lowerBound), count: range.count,
                roundedTo: compressor.half)
        }
    }

    /// Makes a lane's gradient what goes into the sum: a leaf of the lane tree.
    private func compress(_ lane: Int, _ slot: Int, _ range: Range<Int>, _ worker: LaneWorker) {
        if compressor.isIdle { return }
        worker.measure(.laneSums, floats: 2 * range.count) { compressor.compress(slots[slot].pointer, of: lane, range) }
    }
}

/// Hands stretches that are the sum over all threads to the caller's closure, in order.
///
/// `@unchecked Sendable`: used by the caller's thread alone, though the crew's body that holds it is shared.
final class Delivery: @unchecked Sendable {
    private let progress: GradientProgress
    private let total: Int
    private let ready: (Range<Int>) throws -> Void
    private var delivered = 0

    init(progress: GradientProgress, total: Int, ready: @escaping (Range<Int>) throws -> Void) {
        self.progress = progress
        self.total = total
        self.ready = ready
    }

    func deliverWhatIsReady() throws { try deliver(to: progress.joinedPrefix) }

    /// Waits for the other threads, stretch by stretch. Returns early where one of them failed.
    func deliverTheRest() throws {
        while delivered < total {
            guard let end = progress.waitForMore(than: delivered) else { return }
            try deliver(to: end)
        }
    }

    private func deliver(to end: Int) throws {
        guard end > delivered else { return }
        let stretch = delivered..<end
        delivered = end
        try ready(stretch)
    }
}
