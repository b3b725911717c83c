import BERT
import Jobs
import Testing
import Training

@Suite("A trainer")
struct TrainerTests {
    @Test("gives the same bits on any number of threads", arguments: [2, 3, 4, 6])
    func threads(count: Int) throws {
        let job = Sample.job()
        #expect(try train(Sample.trainer(job, threads: count)) == train(Sample.trainer(job)))
    }

    @Test(
        "gives the same bits when its lanes are split over processes",
        arguments: [
            [0..<2, 2..<4], [0..<3, 3..<4], [0..<1, 1..<4], [0..<1, 1..<2, 2..<3, 3..<4], [0..<1, 1..<3, 3..<4],
        ])
    func processes(shares: [Range<Int>]) throws {
        let job = Sample.job()
        let whole = try train(Sample.trainer(job))
        for trace in try train(shares.map { try Sample.trainer(job, lanes: $0, threads: 2) }) {
            #expect(trace == whole)
        }
    }

    @Test("gives the same bits when lanes move in mid-run, their step repeated", arguments: [0..<2, 0..<3, 2..<4])
    func reassignment(lanes: Range<Int>) throws {
        let job = Sample.job()
        let whole = try train(Sample.trainer(job, threads: 2))
        let trainer = try Sample.trainer(job, threads: 2)
        var trace = try train(trainer, to: 2)
        // Another worker has joined and taken lanes; it dies in mid-step, and its lanes come back.
        try trainer.reassign(lanes: lanes)
        try trainer.loadStep(StepNumber(2))
        _ = try trainer.computeGradients(StepNumber(2))
        try trainer.reassign(lanes: 0..<4)
        #expect(trainer.cover.count == 1)
        let rest = try train(trainer)
        trace.losses += rest.losses
        trace.norms += rest.norms
        (trace.evaluation, trace.digest) = (rest.evaluation, rest.digest)
        #expect(trace == whole)
    }

    @Test("gives the same bits with an odd number of lanes", arguments: [[0..<5, 5..<7], [0..<2, 2..<7]])
    func oddLanes(shares: [Range<Int>]) throws {
        let job = Sample.job(lanes: 7, perLane: 1, steps: 3)
        let whole = try train(Sample.trainer(job, threads: 3))
        #expect(try train(Sample.trainer(job)) == whole)
        for trace in try train(shares.map { try Sample.trainer(job, lanes: $0) }) { #expect(trace == whole) }
    }

    @Test("learns: the loss falls when the same few examples come again")
    func learning() throws {
        var job = Sample.job(lanes: 2, perLane: 4, microBatch: 4, steps: 60, dropout: 0, peak: 3e-3)
        job.phases = [job.phases[0]]
        job.phases[0].steps = 60
        let trainer = try Sample.trainer(job, source: RepeatedSource())
        var losses: [Double] = []
        for index in 0..<60 {
            try trainer.loadStep(StepNumber(index))
            losses.append(StepSummary(try trainer.computeGradients(StepNumber(index))).loss)
            _ = try trainer.applyOptimizer(StepNumber(index))
        }
        #expect(losses[59] < losses[0] / 2)
    }

    @Test("micro-batches of a lane give the gradient of the lane's whole mean")
    func microBatches() throws {
        func gradient(microBatch: Int) throws -> [Float] {
            let trainer = try Sample.trainer(Sample.job(lanes: 2, perLane: 5, microBatch: microBatch))
            try trainer.loadStep(StepNumber(0))
            _ = try trainer.computeGradients(StepNumber(0))
            return Array(trainer.gradient)
        }
        let whole = try gradient(microBatch: 5)
        let largest = whole.map(abs).max() ?? 0
        for (piece, all) in zip(try gradient(microBatch: 2), whole) { #expect(abs(piece - all) < 1e-5 * largest) }
    }

    @Test("announces the gradient in adjoining stretches that cover it, each final", arguments: [1, 2, 3])
    func stretches(threads: Int) throws {
        let trainer = try Sample.trainer(Sample.job(), lanes: 1..<4, threads: threads)
        try trainer.loadStep(StepNumber(0))
        var end = 0
        var copies = trainer.cover.map { _ in [Float]() }
        _ = try trainer.computeGradients(StepNumber(0)) { stretch in
            #expect(stretch.lowerBound == end)
            end = stretch.upperBound
            for (index, node) in trainer.cover.enumerated() { copies[index] += trainer.partialSum(node)[stretch] }
        }
        #expect(end == trainer.gradient.count)
        for (index, node) in trainer.cover.enumerated() { #expect(copies[index] == Array(trainer.partialSum(node))) }
    }

    @Test("stops with what its caller throws, without waiting for anybody", arguments: [1, 2])
    func throwingCaller(threads: Int) throws {
        struct Stop: Error {}
        let trainer = try Sample.trainer(Sample.job(), threads: threads)
        try trainer.loadStep(StepNumber(0))
        #expect(throws: Stop.self) { _ = try trainer.computeGradients(StepNumber(0)) { _ in throw Stop() } }
        #expect(try trainer.computeGradients(StepNumber(0)).count == 4)
    }

    @Test("evaluation chunks give the same sums whoever measures them")
    func evaluationChunks() throws {
        let trainer = try Sample.trainer(Sample.job(), threads: 2)
        let count = trainer.plan.evaluationChunkCount(stepsMade: 0)
        #expect(count == 4)
        let apart = try (0..<count).reversed().flatMap { try trainer.evaluate(chunks: [$0]) }
        #expect(EvaluationSummary(apart) == (try trainer.evaluate()))
        #expect(EvaluationSummary(apart).losses.sequences == 7)
    }

    @Test("F10: a gradient that is not finite names the step, the lane and the tensor, and leaves the weights alone")
    func nonFiniteGradient() throws {
        let trainer = try Sample.trainer(Sample.job(), threads: 2)
        _ = try train(trainer, to: 2)
        let before = trainer.weightsDigest()
        try trainer.loadStep(StepNumber(2))
        _ = try trainer.computeGradients(StepNumber(2))
        trainer.gradient[40] = .infinity
        let error = try #require(throws: TrainingError.self) { _ = try trainer.applyOptimizer(StepNumber(2)) }
        #expect(error == .nonFinite(step: StepNumber(2), lane: nil, tensor: "cls.predictions.bias"))
        #expect(trainer.weightsDigest() == before)
        #expect(trainer.stepsMade == 2)
    }

    @Test("F10: a loss that is not finite names the step and the lane")
    func nonFiniteLoss() throws {
        let job = Sample.job(lanes: 2, perLane: 1, steps: 300, optimizer: exploding, dropout: 0, peak: 1e30)
        let trainer = try Sample.trainer(job)
        let error = try #require(throws: TrainingError.self) { _ = try train(trainer) }
        guard case .nonFinite(let step, _?, _) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(step.index == trainer.stepsMade)
        #expect(error.description.contains("step \(step), lane "))
    }

    private var exploding: OptimizerSettings { OptimizerSettings(kind: .adamw, weightDecay: 0, clipNorm: nil) }

    @Test("steps out of turn, unloaded or past the end are refused")
    func outOfTurn() throws {
        let trainer = try Sample.trainer(Sample.job())
        #expect(throws: TrainingError.self) { _ = try trainer.computeGradients(StepNumber(0)) }
        try trainer.loadStep(StepNumber(0))
        #expect(throws: TrainingError.self) { _ = try trainer.computeGradients(StepNumber(1)) }
        #expect(throws: TrainingError.self) { _ = try trainer.applyOptimizer(StepNumber(1)) }
        #expect(throws: TrainingError.noSuchStep(step: StepNumber(6), totalSteps: 6)) {
            try trainer.loadStep(StepNumber(6))
        }
    }

    @Test("a job whose lanes don't divide the batch, or lanes that the job lacks, are refused")
    func badPlans() throws {
        var job = Sample.job()
        job.phases[0].globalBatch = 10
        #expect(throws: TrainingError.self) { _ = try TrainingPlan(job: job, vocabularySize: 200) }
        #expect(throws: TrainingError.self) { _ = try Sample.trainer(Sample.job(), lanes: 3..<5) }
        #expect(throws: TrainingError.self) { _ = try Sample.trainer(Sample.job(), lanes: 2..<2) }
        #expect(throws: TrainingError.self) { _ = try Sample.trainer(Sample.job(), threads: 0) }
    }

    @Test("the same seed draws the same weights; another draws others")
    func initialWeights() throws {
        let first = try Sample.trainer(Sample.job(), threads: 1)
        let second = try Sample.trainer(Sample.job(), threads: 3)
        let other = try Sample.trainer(Sample.job(seed: 8))
        #expect(first.weightsDigest() == second.weightsDigest())
        #expect(first.weightsDigest() != other.weightsDigest())
        let layout = first.plan.layout
        let word = try #require(layout.tensor(named: "bert.embeddings.word_embeddings.weight"))
        let values = first.parameters[word.range]
        #expect(values.prefix(32).allSatisfy { $0 == 0 }, "the padding token's embedding")
        let squares = values.dropFirst(32).reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs((squares / Double(word.range.count - 32)).squareRoot() - 0.02) < 0.001)
        let norm = try #require(layout.tensor(named: "bert.embeddings.LayerNorm.weight"))
        #expect(first.parameters[norm.range].allSatisfy { $0 == 1 })
    }
}

/// The first step's examples at every step.
struct RepeatedSource: StepSource {
    private let source = Sample.source()
    var digest: String { "repeated-" + source.digest }
    var vocabularySize: Int { source.vocabularySize }

    func trainingBatch(of step: StepPlan, examples: Range<Int>) throws -> TokenBatch {
        try source.evaluationBatch(
            sequence: step.phase.sequence, maskedPositions: step.phase.maskedPositions, examples: examples)
    }

    func evaluationBatch(sequence: Int, maskedPositions: Int, examples: Range<Int>) throws -> TokenBatch {
        try source.evaluationBatch(sequence: sequence, maskedPositions: maskedPositions, examples: examples)
    }
}
