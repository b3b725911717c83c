import BERT
import Foundation
import Jobs
import Testing
import Training

/// The run that `Tests/Checks/training.py` makes with PyTorch and transformers.
private struct ReferenceRun: Decodable, Sendable {
    struct Sentences: Decodable {
        var ids: [Int32]
        var types: [UInt8]
        var positions: [Int32]
        var labels: [Int32]
        var next: Int32
    }
    struct Settings: Decodable {
        var beta1: Float
        var beta2: Float
        var epsilon: Float
        var weightDecay: Float
        var clipNorm: Float
        var peak: Float
        var warmup: Int
    }
    struct Step: Decodable {
        var loss: Double
        var maskedLoss: Double
        var gradientNorm: Double
    }
    struct Weights: Decodable {
        var name: String
        var norm: Double
        var elements: [Double]
    }
    struct Result: Decodable {
        var steps: [Step]
        var weights: [Weights]
    }
    var lanes: Int
    var perLane: Int
    var length: Int
    var masked: Int
    var vocabulary: Int
    var optimizer: Settings
    var examples: [[Sentences]]
    var result: Result

    static func read() throws -> ReferenceRun {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(ReferenceRun.self, from: Data(PackageResources.training_json))
    }

    func job(microBatch: Int) -> Job {
        var job = Sample.job(lanes: lanes, perLane: perLane, microBatch: microBatch, steps: examples.count, dropout: 0)
        job.model = ModelShape(
            layers: 2, hidden: 32, heads: 2, intermediate: 48, positions: length, hiddenDropout: 0, attentionDropout: 0)
        job.phases = [
            Phase(
                sequence: length, maskedPositions: masked, globalBatch: lanes * perLane, microBatch: microBatch,
                steps: examples.count,
                schedule: Schedule(peak: optimizer.peak, warmupSteps: optimizer.warmup, decay: .linear))
        ]
        job.optimizer = OptimizerSettings(
            kind: .adamw, beta1: optimizer.beta1, beta2: optimizer.beta2, epsilon: optimizer.epsilon,
            weightDecay: optimizer.weightDecay, clipNorm: optimizer.clipNorm)
        return job
    }
}

extension ReferenceRun: StepSource {
    var digest: String { "reference" }
    var vocabularySize: Int { vocabulary }

    func trainingBatch(of step: StepPlan, examples numbers: Range<Int>) throws -> TokenBatch {
        var batch = TokenBatch(
            sequences: 0, sequenceLength: length, inputIDs: [], tokenTypes: [], lengths: [], maskedPositions: [],
            maskedLabels: [], nextSentenceLabels: [])
        for example in examples[step.step.index][numbers] {
            let start = Int32(batch.sequences * length)
            batch.sequences += 1
            batch.inputIDs += example.ids + Array(repeating: 0, count: length - example.ids.count)
            batch.tokenTypes += example.types + Array(repeating: 0, count: length - example.types.count)
            batch.lengths.append(Int32(example.ids.count))
            batch.maskedPositions += example.positions.map { start + $0 }
            batch.maskedLabels += example.labels
            batch.nextSentenceLabels.append(example.next)
        }
        return batch
    }

    func evaluationBatch(sequence: Int, maskedPositions: Int, examples: Range<Int>) throws -> TokenBatch {
        TokenBatch(
            sequences: 0, sequenceLength: sequence, inputIDs: [], tokenTypes: [], lengths: [], maskedPositions: [],
            maskedLabels: [], nextSentenceLabels: [])
    }
}

@Suite("A whole training run")
struct ReferenceTrainingTests {
    @Test("follows PyTorch's: losses, gradient norms and weights", arguments: [3, 1])
    func trajectory(microBatch: Int) throws {
        let reference = try ReferenceRun.read()
        let plan = try TrainingPlan(job: reference.job(microBatch: microBatch), vocabularySize: reference.vocabulary)
        let trainer = try Trainer(plan: plan, source: reference, threads: 2)
        try trainer.adopt(startingModel(plan.layout))
        for (index, expected) in reference.result.steps.enumerated() {
            let step = StepNumber(index)
            try trainer.loadStep(step)
            let summary = StepSummary(try trainer.computeGradients(step))
            let optimizer = try trainer.applyOptimizer(step)
            #expect(abs(summary.loss - expected.loss) < 2e-5 * expected.loss, "step \(index)")
            #expect(abs(summary.maskedLoss - expected.maskedLoss) < 2e-5 * expected.maskedLoss, "step \(index)")
            #expect(
                abs(optimizer.gradientNorm - expected.gradientNorm) < 2e-4 * expected.gradientNorm, "step \(index)")
        }
        for expected in reference.result.weights {
            let tensor = try #require(plan.layout.tensor(named: expected.name))
            let values = Array(trainer.parameters[tensor.range])
            let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
            #expect(abs(norm - expected.norm) < 1e-4 * expected.norm, "\(expected.name)")
            for (value, element) in zip(values, expected.elements) {
                // An update of Adam divides by the gradient's own size, so rounding of a tiny gradient is not tiny.
                #expect(abs(Double(value) - element) < 1e-4, "\(expected.name)")
            }
        }
    }

    private func startingModel(_ layout: ParameterLayout) throws -> HuggingFaceModel {
        var weights = [Float](repeating: 0, count: layout.elementCount)
        for (index, tensor) in layout.tensors.sorted(by: { $0.name < $1.name }).enumerated() {
            let start = tensor.name.hasSuffix("LayerNorm.weight") ? 1.0 : 0.0
            for element in 0..<tensor.range.count {
                weights[tensor.range.lowerBound + element] = Float(
                    start + 0.1 * sin(Double(element) * 0.37 + Double(index)))
            }
        }
        let folder = try TemporaryFolder()
        try weights.withUnsafeBufferPointer { weights in
            try HuggingFaceModel.write(
                layout: layout, weights: try #require(weights.baseAddress), vocabulary: nil, to: folder.path + "/model")
        }
        return try HuggingFaceModel(reading: folder.path + "/model")
    }
}
