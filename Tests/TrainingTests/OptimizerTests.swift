import BERT
import Foundation
import Jobs
import Testing
import Training

/// The trajectories that `Tests/Checks/optimizers.py` computes with PyTorch.
private struct Fixture: Decodable {
    struct Tensor: Decodable {
        var name: String
        var count: Int
        var decays: Bool
    }
    struct Shown: Decodable {
        var name: String
        var norm: Double
        var elements: [Double]
    }
    struct State: Decodable {
        var step: Int
        var tensors: [Shown]
    }
    struct Case: Decodable {
        var name: String
        var kind: OptimizerSettings.Kind
        var beta1: Float
        var beta2: Float
        var epsilon: Float
        var weightDecay: Float
        var clipNorm: Float?
        var states: [State]
    }
    var steps: Int
    var tensors: [Tensor]
    var cases: [Case]

    static func read() throws -> Fixture {
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try decoder.decode(Fixture.self, from: Data(PackageResources.optimizers_json))
    }
}

@Suite("The optimizer")
struct OptimizerTests {
    @Test(
        "follows PyTorch within 1e-5 over 50 steps", arguments: ["adamw", "adamw_clipped", "lamb", "lamb_no_decay"])
    func trajectory(name: String) throws {
        let fixture = try Fixture.read()
        let expected = try #require(fixture.cases.first { $0.name == name })
        var job = Sample.job(lanes: 1, perLane: 1, steps: fixture.steps)
        job.model = ModelShape(layers: 1, hidden: 16, heads: 1, intermediate: 16, positions: 8)
        job.phases = [job.phases[0]]
        job.phases[0].sequence = 8
        job.phases[0].steps = fixture.steps
        job.phases[0].schedule = Schedule(peak: 0.01, warmupSteps: 10, decay: .linear)
        job.optimizer = OptimizerSettings(
            kind: expected.kind, beta1: expected.beta1, beta2: expected.beta2, epsilon: expected.epsilon,
            weightDecay: expected.weightDecay, clipNorm: expected.clipNorm)
        let plan = try TrainingPlan(job: job, vocabularySize: 1100)
        let trainer = try Trainer(plan: plan, source: RandomStepSource(vocabularySize: 1100), threads: 2)
        let tensors = plan.layout.tensors.sorted { $0.name < $1.name }
        #expect(tensors.map(\.name) == fixture.tensors.map(\.name))
        #expect(tensors.map(\.decays) == fixture.tensors.map(\.decays))
        #expect(tensors.map(\.range.count) == fixture.tensors.map(\.count))

        try trainer.adopt(startingModel(plan.layout, tensors))
        for step in 0..<fixture.steps {
            for (index, tensor) in tensors.enumerated() {
                for element in 0..<tensor.range.count {
                    let wave = sin(Double(element) * 0.11 + 0.7 * Double(step) + 1.3 * Double(index))
                    trainer.gradient[tensor.range.lowerBound + element] = Float(wave / (1 + 0.05 * Double(step)) * 0.2)
                }
            }
            _ = try trainer.applyOptimizer(StepNumber(step))
            guard let state = expected.states.first(where: { $0.step == step + 1 }) else { continue }
            for shown in state.tensors {
                let tensor = try #require(plan.layout.tensor(named: shown.name))
                compare(Array(trainer.parameters[tensor.range]), shown, step: step)
            }
        }
    }

    /// Relative to the tensor's largest shown element: single elements pass through zero.
    private func compare(_ values: [Float], _ shown: Fixture.Shown, step: Int) {
        let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(norm - shown.norm) <= 1e-5 * shown.norm, "\(shown.name), step \(step)")
        let scale = shown.elements.map(abs).max() ?? 1
        for (index, element) in shown.elements.enumerated() {
            let value = Double(values[(index * 97 + 5) % values.count])
            #expect(abs(value - element) <= 1e-5 * scale, "\(shown.name)[\(index)], step \(step)")
        }
    }

    private func startingModel(_ layout: ParameterLayout, _ tensors: [ParameterTensor]) throws -> HuggingFaceModel {
        var weights = [Float](repeating: 0, count: layout.elementCount)
        for (index, tensor) in tensors.enumerated() {
            for element in 0..<tensor.range.count {
                weights[tensor.range.lowerBound + element] = Float(0.5 * sin(Double(element) * 0.37 + Double(index)))
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
