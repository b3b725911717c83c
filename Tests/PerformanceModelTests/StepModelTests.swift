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
        let sum = step.compute + step.exposedCommunication + step.optimizer + step.pipelineFill
        #expect(abs(sum.seconds - step.step.seconds) < 1e-9 * step.step.seconds)
        #expect(step.sequencesPerSecond > 0)
    }

    @Test("BERT-Large has 336 million parameters, as published")
    func parameters() {
        let graph = OperatorGraph(
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
}
