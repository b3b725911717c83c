import BERT
import Foundation
import Jobs
import Testing
import Training

@Suite("Training with compressed gradients")
struct CompressionTests {
    static let kinds: [GradientCompression] = [
        .bf16, .fp16, .topK(TopKSettings(density: 0.1, flushEvery: 3)),
        .topK(TopKSettings(density: 0.01, flushEvery: 4)),
    ]
    static let shares: [[Range<Int>]] = [
        [0..<2, 2..<4], [0..<3, 3..<4], [0..<1, 1..<2, 2..<3, 3..<4], [0..<1, 1..<3, 3..<4],
    ]

    private func job(_ compression: GradientCompression?, steps: Int = 9) -> Job {
        var job = Sample.job(steps: steps)
        job.compression = compression
        return job
    }

    @Test(
        "gives the same bits on any number of threads and processes, other ones than without", arguments: kinds, shares)
    func sameBits(compression: GradientCompression, shares: [Range<Int>]) throws {
        let job = job(compression)
        let whole = try train(Sample.trainer(job, threads: 3))
        #expect(try train(Sample.trainer(job)) == whole)
        for trace in try train(shares.map { try Sample.trainer(job, lanes: $0, threads: 2) }) {
            #expect(trace == whole)
        }
        let exact = try train(Sample.trainer(self.job(nil)))
        #expect(whole.losses[0] == exact.losses[0])
        #expect(whole.losses != exact.losses && whole.digest != exact.digest)
    }

    @Test("a gradient of 16 bits is one in every partial sum", arguments: [1, 2])
    func sixteenBits(threads: Int) throws {
        let trainer = try Sample.trainer(job(.bf16), lanes: 0..<3, threads: threads)
        try trainer.loadStep(StepNumber(0))
        _ = try trainer.computeGradients(StepNumber(0))
        for node in trainer.cover {
            #expect(trainer.partialSum(node).allSatisfy { $0.bitPattern & 0xffff == 0 })
            #expect(trainer.partialSum(node).contains { $0 != 0 })
        }
    }

    /// The gradients of every step of one process's `lanes`, without applying them.
    private func gradient(_ trainer: Trainer, step: Int) throws -> [Float] {
        try trainer.loadStep(StepNumber(step))
        _ = try trainer.computeGradients(StepNumber(step))
        return Array(trainer.gradient)
    }

    @Test("top-k gives the due share of each tensor, and at the flush all that was held back")
    func flush() throws {
        // One lane, whose gradient is the sum; its examples don't change from step to step, nor do the weights.
        var plain = Sample.job(lanes: 1, steps: 6, dropout: 0)
        let exact = try Sample.trainer(plain, source: RepeatedSource())
        plain.compression = .topK(TopKSettings(density: 0.1, flushEvery: 3))
        let trainer = try Sample.trainer(plain, source: RepeatedSource())
        let whole = try gradient(exact, step: 0)
        var given = [Double](repeating: 0, count: whole.count)
        for step in 0..<3 {
            let part = try gradient(trainer, step: step)
            for (index, value) in part.enumerated() { given[index] += Double(value) }
            let share = Double(part.filter { $0 != 0 }.count) / Double(whole.filter { $0 != 0 }.count)
            #expect(step < 2 ? share < 0.25 : share > 0.9, "step \(step): \(share)")
        }
        let largest = whole.map(abs).max() ?? 0
        for (sum, value) in zip(given, whole) { #expect(abs(sum - 3 * Double(value)) < 1e-5 * Double(largest)) }
    }

    @Test("top-k goes back to the last flush, whatever lanes come next, and to the same bits", arguments: [4, 5, 6])
    func lostLanes(made: Int) throws {
        let job = job(.topK(TopKSettings(density: 0.1, flushEvery: 3)))
        let whole = try train(Sample.trainer(job, threads: 2))
        // Three processes; the third is lost with what its lanes held back, in the middle of a step.
        let trainers = try [0..<1, 1..<2, 2..<4].map { try Sample.trainer(job, lanes: $0) }
        _ = try train(trainers, to: made)
        for trainer in trainers.dropLast() {
            try trainer.loadStep(StepNumber(made))
            _ = try trainer.computeGradients(StepNumber(made))
        }
        let point = job.wholePoint(before: made)
        for (trainer, lanes) in zip(trainers, [0..<2, 2..<4]) {
            try trainer.reassign(lanes: lanes)
            #expect(trainer.canGoBack(to: point) && !trainer.canGoBack(to: point - 1))
            try trainer.goBack(to: point)
            #expect(trainer.stepsMade == point)
        }
        for trace in try train(Array(trainers.dropLast())) {
            #expect(trace.losses[...] == whole.losses[point...])
            #expect(trace.digest == whole.digest && trace.evaluation == whole.evaluation)
        }
    }

    @Test("top-k goes on from a checkpoint of a flush, and hands its state on there", arguments: [3, 6])
    func resumption(made: Int) throws {
        let folder = try TemporaryFolder()
        let job = job(.topK(TopKSettings(density: 0.1, flushEvery: 3)))
        let whole = try train(Sample.trainer(job, threads: 2))
        let first = try Sample.trainer(job)
        _ = try train(first, to: made)
        let checkpoint = try first.writeCheckpoint(
            to: CheckpointStore(directory: folder.path + "/checkpoints"), target: TargetTracker(target: nil))
        let second = try Sample.trainer(job, threads: 2)
        try second.restore(from: checkpoint)
        let third = try Sample.trainer(job, threads: 3)
        for (from, into) in zip(first.state, third.state) { _ = into.update(fromContentsOf: from) }
        try third.resume(stepsMade: made)
        for trainer in [second, third] {
            #expect(trainer.canGoBack(to: made))
            #expect(try train(trainer).digest == whole.digest)
        }
        var other = job
        other.compression = .bf16
        let stranger = try Sample.trainer(other)
        #expect(throws: TrainingError.self) { try stranger.restore(from: checkpoint) }
    }

    @Test("sparse weights stay zero, and bits the same, under every compression", arguments: kinds)
    func sparse(compression: GradientCompression) throws {
        var job = job(compression)
        job.sparsity = SparsitySettings(
            density: 0.25, method: .regrow(Regrowth(share: 0.3, updateEvery: 2, stopStep: 8)))
        let whole = try train(Sample.trainer(job, threads: 2))
        for trace in try train([0..<3, 3..<4].map { try Sample.trainer(job, lanes: $0) }) { #expect(trace == whole) }
    }

    @Test("a gradient beyond fp16 ends the run with step, lane and tensor, and nothing is saturated")
    func overflow() throws {
        // Weights so large that gradients are.
        var job = job(.fp16)
        job.optimizer.clipNorm = nil
        let trainer = try Sample.trainer(job, threads: 2)
        let layout = trainer.plan.layout
        let tensor = try #require(layout.tensor(named: "bert.embeddings.word_embeddings.weight"))
        let weights = trainer.state[0]
        for index in tensor.range { weights[index] *= 1e6 }
        try trainer.loadStep(StepNumber(0))
        _ = try trainer.computeGradients(StepNumber(0))
        let before = trainer.weightsDigest()
        let error = try #require(throws: TrainingError.self) { try trainer.applyOptimizer(StepNumber(0)) }
        guard case .overflow(let step, _, let name, let largest) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(step == StepNumber(0) && layout.tensors.contains { $0.name == name })
        #expect(largest == 65_504 / GradientCompression.float16Scale(lanes: 4))
        #expect(error.description.contains(name) && error.description.contains("bf16"))
        #expect(trainer.weightsDigest() == before && trainer.stepsMade == 0)
    }

    @Test("a gradient that is no number still ends the run as such", arguments: kinds)
    func notANumber(compression: GradientCompression) throws {
        let trainer = try Sample.trainer(job(compression), threads: 2)
        try trainer.loadStep(StepNumber(0))
        _ = try trainer.computeGradients(StepNumber(0)) { _ in }
        trainer.gradient[5] = .nan
        #expect(throws: TrainingError.self) { try trainer.applyOptimizer(StepNumber(0)) }
        #expect(trainer.stepsMade == 0)
    }
}
