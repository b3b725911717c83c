import Testing
import Training

@Suite("Benches of what surrounds a pass")
struct BenchTests {
    @Test(
        "lanes' sums and norms are booked with the elements that they move, by one thread and by two",
        arguments: [1, 2])
    func laneGradients(threads: Int) throws {
        let result = try LaneGradientBench.run(threads: threads)
        // In nanoseconds: what no memory undercuts, and what even a hard disk does not take.
        let plausible = 1e-3...1e4
        #expect(plausible.contains(result.sumNanosecondsPerElement))
        #expect(plausible.contains(result.normNanosecondsPerElement))
    }

    @Test("no number of threads that a step can't have is measured")
    func refusesThreads() {
        #expect(throws: TrainingError.self) { try LaneGradientBench.run(threads: 0) }
        #expect(throws: TrainingError.self) { try OptimizerBench.nanosecondsPerParameter(.lamb, threads: 0) }
    }
}
