import BERT
import Dispatch
import Jobs
import Synchronization

/// Makes the batches of the next step on a thread of its own while the crew computes this one, so that input costs a step
/// nothing.
final class StepPrefetcher: Sendable {
    /// The batches of a step: for each lane, its micro-batches in order.
    typealias Batches = [[TokenBatch]]

    private struct Pending {
        let step: StepNumber
        let end: DispatchSemaphore
        let result: Box
    }

    /// Where the queue leaves its result.
    private final class Box: Sendable {
        let value = Mutex<Result<Batches, any Error>?>(nil)
    }

    private let plan: TrainingPlan
    private let source: any StepSource
    private let lanes: Range<Int>
    private let queue = DispatchQueue(label: "wafermark.input", qos: .utility)
    private let pending = Mutex<Pending?>(nil)

    init(plan: TrainingPlan, source: any StepSource, lanes: Range<Int>) {
        self.plan = plan
        self.source = source
        self.lanes = lanes
    }

    /// The batches of `step`, and begins those of the step after it.
    ///
    /// What has been made ahead is waited for; making batches reads memory and files only, so it ends.
    func take(_ step: StepNumber) throws -> Batches {
        let ahead = pending.withLock { pending in
            defer { pending = nil }
            return pending
        }
        var batches: Batches?
        if let ahead {
            ahead.end.wait()
            if ahead.step == step { batches = try ahead.result.value.withLock { try $0?.get() } }
        }
        let taken = try batches ?? make(step)
        if step.next.index < plan.totalSteps { begin(step.next) }
        return taken
    }

    private func begin(_ step: StepNumber) {
        let next = Pending(step: step, end: DispatchSemaphore(value: 0), result: Box())
        pending.withLock { $0 = next }
        queue.async { [self] in
            let result = Result { try make(step) }
            next.result.value.withLock { $0 = result }
            next.end.signal()
        }
    }

    private func make(_ step: StepNumber) throws -> Batches {
        let stepPlan = try plan.step(step)
        return try lanes.map { lane in
            try stepPlan.microBatches(lane: lane).map { try source.trainingBatch(of: stepPlan, examples: $0) }
        }
    }
}
