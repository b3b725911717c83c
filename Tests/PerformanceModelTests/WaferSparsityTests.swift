#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif
import Jobs
import PerformanceModel
import Testing

@Suite("Zeros among a wafer's weights")
struct WaferSparsityTests {
    /// The expected largest of `cores` binomial numbers of `draws` draws: the sum of what lies above each value.
    private static func exactMost(_ draws: Int, _ density: Double, cores: Int) -> Double {
        // On logarithms: the first of the probabilities may be too small for a number.
        var (logarithm, below, sum) = (Double(draws) * log(1 - density), 0.0, 0.0)
        for value in 0..<draws {
            below += exp(logarithm)
            sum += 1 - pow(min(1, below), Double(cores))
            logarithm += log(Double(draws - value) / Double(value + 1) * density / (1 - density))
        }
        return sum
    }

    @Test(
        "the fullest core's expected load is that of the largest binomial draw within 3 %",
        arguments: [(60, 0.25), (60, 0.1), (200, 0.5), (500, 0.05), (500, 0.25), (1000, 0.9)])
    func expected(draws: Int, density: Double) {
        for cores in [10, 1000, 20_000] {
            let exact = Self.exactMost(draws, density, cores: cores)
            let found = NonZeroLoad.expectedMost(
                ofWeights: Double(draws), density: density, pattern: .unstructured, cores: cores)
            #expect(abs(found / exact - 1) < 0.03, "\(cores) cores: \(found) for \(exact)")
        }
    }

    @Test("a random mask, counted on the cores, has its fullest core where it is expected")
    func counted() throws {
        var random = CounterRandom(seed: 3, purpose: .syntheticText)
        let mask = (0..<1024 * 1024).map { _ in random.nextUnit() < 0.25 }
        let most = try NonZeroLoad.countedMost(
            in: mask, outputs: 1024, inputs: 1024, outputsOfCore: 16, inputsOfCore: 24)
        let expected = NonZeroLoad.expectedMost(
            ofWeights: 16 * 24, density: 0.25, pattern: .unstructured, cores: 64 * 43)
        #expect(abs(Double(most) / expected - 1) < 0.06)
        #expect(throws: PerformanceModelError.self) {
            try NonZeroLoad.countedMost(in: mask, outputs: 1000, inputs: 1000, outputsOfCore: 1, inputsOfCore: 1)
        }
        #expect(throws: PerformanceModelError.self) {
            try NonZeroLoad.countedMost(in: mask, outputs: 1024, inputs: 1024, outputsOfCore: 0, inputsOfCore: 1)
        }
    }

    @Test("without zeros a core has all its weights; with as many in every group, its share; in blocks, more by chance")
    func patterns() {
        func most(_ density: Double, _ pattern: WeightSparsity.Pattern) -> Double {
            NonZeroLoad.expectedMost(ofWeights: 400, density: density, pattern: pattern, cores: 5000)
        }
        for pattern in WeightSparsity.Pattern.allCases { #expect(most(1, pattern) == 400) }
        #expect(most(0.25, .nOfM) == 100)
        #expect(most(0.25, .unstructured) > 100)
        #expect(most(0.25, .block4) > most(0.25, .unstructured))
        #expect(most(0.999, .block4) <= 400)
    }

    private static func effect(
        _ share: Double, _ pattern: WeightSparsity.Pattern = .unstructured, on name: String = "cs1",
        execution: WaferExecution? = nil
    ) throws -> SparsityEffect {
        try SparsityEffect(
            job: StepModelTests.job(globalBatch: 65_536), profile: HardwareCatalogue.profile(name), phase: 0,
            sparsity: try WeightSparsity(density: 1 - share, pattern: pattern),
            layout: .init(workers: 1, execution: execution))
    }

    @Test("more zeros save more time, less than the multiply-adds that they save, and balanced ones save most")
    func saves() throws {
        var before = 0.0
        for share in [0.25, 0.5, 0.75, 0.9] {
            let effect = try Self.effect(share)
            #expect(effect.savedShare > before)
            #expect(effect.savedShare < 1 - effect.multiplyAddShare + 0.02)
            #expect(effect.imbalance > 1)
            #expect(abs(effect.density - (1 - share)) < 1e-12)
            before = effect.savedShare
        }
        let (random, balanced) = (try Self.effect(0.75), try Self.effect(0.75, .nOfM))
        #expect(balanced.imbalance < 1 + 1e-12)
        #expect(balanced.savedShare > random.savedShare)
    }

    @Test("streamed weights that are zero are neither sent nor multiplied")
    func streamed() throws {
        let effect = try Self.effect(0.75, on: "cs2", execution: .streaming)
        #expect(effect.savedShare > 0.2)
        #expect(effect.imbalance < 1.1)
    }

    @Test("counted shares of single matrices go before the common one")
    func matrices() throws {
        let counted = try WeightSparsity(
            density: 0.5, counted: [WeightSparsity.Matrix(role: .feedForwardIn, layer: 1): 0.25])
        let workload = Workload(
            model: ModelShape(layers: 2, hidden: 128, heads: 2), vocabularySize: 1000, sequence: 64,
            maskedPositions: 8, microBatch: 1, optimizer: .adamw)
        let graph = WaferGraph(workload, sparsity: counted)
        func density(_ role: WaferKernel.Role, _ layer: Int?) -> Double? {
            graph.kernels.first { $0.role == role && $0.layer == layer }?.density
        }
        #expect(density(.feedForwardIn, 1) == 0.25)
        #expect(density(.feedForwardIn, 0) == 0.5)
        #expect(density(.vocabulary, nil) == 1)
        #expect(density(.attention, 0) == 1)
    }

    @Test("a density that is none is refused", arguments: [0, -0.5, 1.5, Double.nan])
    func refusals(density: Double) {
        #expect(throws: PerformanceModelError.self) { try WeightSparsity(density: density) }
    }
}
