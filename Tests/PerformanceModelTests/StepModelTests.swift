import Jobs
import PerformanceModel
import Testing

@Suite("Modelled steps")
struct StepModelTests {
    static func job(globalBatch: Int = 8192, microBatch: Int = 64) -> Job {
        Job(
            name: "test", model: ModelShape.named("large") ?? ModelShape(layers: 24, hidden: 1024, heads: 16),
            corpus: CorpusSource(text: .synthetic(documents: 100, seed: 1), vocabulary: .trained(size: 30_522)),
            examples: ExampleSettings(), lanes: 8, seed: 1,
            phases: [
                Phase(
                    sequence: 128, maskedPositions: 20, globalBatch: globalBatch, microBatch: microBatch, steps: 10,
                    schedule: Schedule(peak: 1e-3, warmupSteps: 1, decay: .linear))
            ],
            optimizer: OptimizerSettings(kind: .lamb), evaluation: EvaluationSettings(everySteps: 10, sequences: 8),
            target: nil, checkpoints: CheckpointSettings())
    }

    @Test("every built-in machine gives a step whose parts add up", arguments: HardwareCatalogue.names)
    func partsAddUp(name: String) throws {
        let step = try StepModel.predict(job: Self.job(), profile: HardwareCatalogue.profile(name), workers: 16)
        let sum = step.compute + step.waiting + step.exposedCommunication + step.optimizer + step.pipelineFill
        #expect(abs(sum.seconds - step.step.seconds) < 1e-9 * step.step.seconds)
        #expect(step.sequencesPerSecond > 0)
    }

    @Test("BERT-Large has 336 million parameters, as published")
    func parameters() {
        let graph = StepTemplate(
            Workload(
                model: Self.job().model, vocabularySize: 30_522, sequence: 128, maskedPositions: 20, microBatch: 1,
                optimizer: .lamb))
        #expect(abs(graph.parameterCount - 336_000_000) < 1_000_000)
    }

    @Test("more workers than sequences are refused")
    func refusesTooManyWorkers() throws {
        let profile = try HardwareCatalogue.profile("dgx2-v100")
        #expect(throws: PerformanceModelError.self) {
            try StepModel.predict(job: Self.job(globalBatch: 8), profile: profile, workers: 9)
        }
    }

    @Test("the graph with all layers written out has the operators, kernels and parameters of the template")
    func graphMatchesTemplate() {
        let workload = Workload(
            model: Self.job().model, vocabularySize: 30_522, sequence: 128, maskedPositions: 20, microBatch: 4,
            optimizer: .lamb)
        let (graph, template) = (OperatorGraph(workload), StepTemplate(workload))
        #expect(graph.parameterCount == template.parameterCount)
        #expect(abs(graph.matrixFlops / template.matrixFlops - 1) < 1e-12)
        #expect(graph.buckets.map(\.completedBy) == graph.buckets.map(\.completedBy).sorted())
        #expect(graph.buckets.last?.name == "embeddings")
        #expect(
            graph.operators.count == 24 * (template.layerForward.count + template.layerBackward.count)
                + template.heads.count + 2)
    }

    @Test("a backward pass has twice the matrix work of a forward pass")
    func backwardIsTwice() {
        let template = StepTemplate(
            Workload(
                model: Self.job().model, vocabularySize: 30_522, sequence: 512, maskedPositions: 80, microBatch: 2,
                optimizer: .adamw))
        func flops(_ block: [Operator]) -> Double { block.reduce(0) { $0 + ($1.isMatrixProduct ? $1.flops : 0) } }
        #expect(abs(flops(template.layerBackward) - 2 * flops(template.layerForward)) < 1)
    }

    @Test("a format that the device lacks, an unknown stack and half-filled nodes are refused with a reason")
    func refusesImpossible() throws {
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        for layout in [
            StepModel.Layout(workers: 8, precision: .tf32), StepModel.Layout(workers: 8, stack: "pytorch-19.7"),
            StepModel.Layout(workers: 12),
        ] {
            #expect(throws: PerformanceModelError.self) {
                try StepModel.predict(job: Self.job(), profile: profile, layout: layout)
            }
        }
    }

    @Test("accumulating twice as often doubles the compute and leaves optimizer and exchange as they are")
    func additive() throws {
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        func step(_ accumulation: Int) throws -> ModelledStep {
            try StepModel.predict(
                job: Self.job(), profile: profile,
                layout: .init(workers: 16, microBatch: 16, accumulation: accumulation, stack: "pytorch-20.06"))
        }
        let (two, four) = (try step(2), try step(4))
        #expect(abs(four.compute.seconds / two.compute.seconds - 2) < 1e-9)
        #expect(abs(four.optimizer.seconds - two.optimizer.seconds) < 1e-12)
        #expect(abs(four.exposedCommunication.seconds - two.exposedCommunication.seconds) < 1e-12)
    }

    @Test("one rank exchanges nothing")
    func oneRank() throws {
        let step = try StepModel.predict(
            job: Self.job(globalBatch: 64), profile: HardwareCatalogue.profile("dgx2-v100"), workers: 1)
        #expect(step.exposedCommunication == .zero)
        #expect(step.scalingEfficiency == 1)
    }
}

@Suite("Predictions of whole jobs")
struct JobPredictionTests {
    @Test("a job takes as long as its steps, twice the steps twice the time, energy and cost")
    func additive() throws {
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        var job = StepModelTests.job()
        let once = try JobPrediction(job: job, profile: profile, layout: .init(workers: 8))
        #expect(abs(once.time.seconds - 10 * once.phases[0].step.step.seconds) < 1e-9)
        job.phases[0].steps = 20
        let twice = try JobPrediction(job: job, profile: profile, layout: .init(workers: 8))
        #expect(abs(twice.time.seconds / once.time.seconds - 2) < 1e-9)
        let energies = try (#require(once.energyKilowattHours), #require(twice.energyKilowattHours))
        #expect(abs(energies.1 / energies.0 - 2) < 1e-9)
        let costs = try (#require(once.costUSDollars), #require(twice.costUSDollars))
        #expect(abs(costs.1 / costs.0 - 2) < 1e-9)
    }

    @Test("a prediction outside the calibrated range fails where that is asked for")
    func strict() throws {
        let prediction = try JobPrediction(
            job: StepModelTests.job(), profile: HardwareCatalogue.profile("dgx-h100"), layout: .init(workers: 8))
        #expect(throws: PerformanceModelError.self) { try prediction.requireCalibrated() }
    }
}
