import Foundation
import Jobs
import Runs
import Testing

@Suite("The gradient noise scale")
struct GradientNoiseTests {
    /// A step of a problem whose |G|² and tr(Σ) are known: every example's gradient is G plus normal noise.
    private func step(
        _ index: Int, gradient: [Double], deviation: Double, lanes: Int, perLane: Int, _ random: inout CounterRandom
    ) -> StepRecord {
        func normal() -> Double {
            // Box and Muller 1958.
            let (radius, angle) = (Double(random.nextUnit()), Double(random.nextUnit()))
            return (-2 * log(max(radius, 1e-12))).squareRoot() * cos(2 * .pi * angle)
        }
        let laneGradients = (0..<lanes).map { _ in
            gradient.map { $0 + deviation / Double(perLane).squareRoot() * normal() }
        }
        func square(_ vector: [Double]) -> Double { vector.reduce(0) { $0 + $1 * $1 } }
        let mean = gradient.indices.map { place in laneGradients.reduce(0) { $0 + $1[place] } / Double(lanes) }
        return StepRecord(
            step: StepNumber(index), loss: 1, maskedLoss: 1, nextSentenceLoss: 0, maskedAccuracy: 0, learningRate: 0,
            gradientNorm: square(mean).squareRoot(), sequences: lanes * perLane, tokens: 0, elapsed: .zero,
            duration: .zero, laneGradientSquaredNorm: laneGradients.map(square).reduce(0, +) / Double(lanes))
    }

    @Test(
        "estimates are unbiased: their mean is the truth, for any number of lanes", arguments: [(2, 4), (4, 2), (8, 1)])
    func unbiased(lanes: Int, perLane: Int) throws {
        let gradient = [0.5, -1, 0.25, 0, 2]
        let deviation = 1.5
        var random = CounterRandom(seed: 5, purpose: .statistics, step: 0)
        var (norms, traces) = ([Double](), [Double]())
        for index in 0..<4_000 {
            let step = step(
                index, gradient: gradient, deviation: deviation, lanes: lanes, perLane: perLane, &random)
            let laneSquaredNorm = try #require(step.laneGradientSquaredNorm)
            let noise = try #require(
                GradientNoise(
                    laneSquaredNorm: laneSquaredNorm, gradientNorm: step.gradientNorm, sequences: step.sequences,
                    lanes: lanes))
            norms.append(noise.squaredNorm)
            traces.append(noise.covarianceTrace)
        }
        func check(_ values: [Double], _ truth: Double) {
            let mean = values.reduce(0, +) / Double(values.count)
            let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
            // Four standard errors: a sound estimator fails this for one seed in sixteen thousand.
            #expect(abs(mean - truth) < 4 * (variance / Double(values.count)).squareRoot(), "\(mean), \(truth)")
        }
        check(norms, gradient.reduce(0) { $0 + $1 * $1 })
        check(traces, deviation * deviation * Double(gradient.count))
    }

    @Test("the average finds the scale, and forgets steps that are made again and sequences of another length")
    func average() throws {
        var random = CounterRandom(seed: 6, purpose: .statistics, step: 0)
        var average = GradientNoiseAverage(lanes: 4)
        func observe(_ range: Range<Int>, deviation: Double, sequence: Int, into average: inout GradientNoiseAverage) {
            for index in range {
                average.observe(
                    step(
                        index, gradient: Array(repeating: 0.5, count: 200), deviation: deviation, lanes: 4, perLane: 8,
                        &random), sequence: sequence)
            }
        }
        #expect(average.noise(after: 0) == nil)
        observe(0..<100, deviation: 3, sequence: 128, into: &average)
        // tr(Σ)/|G|² = 200 x 9 / (200 x 0.25).
        let short = try #require(average.noise(after: 100)?.scale)
        #expect(abs(short - 36) < 4)
        let before = average.noise(after: 90)
        observe(90..<100, deviation: 3, sequence: 128, into: &average)
        #expect(average.noise(after: 90) == before)
        observe(100..<150, deviation: 6, sequence: 512, into: &average)
        let long = try #require(average.noise(after: 150)?.scale)
        #expect(abs(long - 144) < 20)
    }

    @Test("no scale comes of one lane, of a step that was not measured, or of noise alone")
    func none() throws {
        #expect(GradientNoise(laneSquaredNorm: 1, gradientNorm: 1, sequences: 8, lanes: 1) == nil)
        #expect(GradientNoise(laneSquaredNorm: .infinity, gradientNorm: 1, sequences: 8, lanes: 2) == nil)
        let noise = try #require(GradientNoise(laneSquaredNorm: 8, gradientNorm: 1, sequences: 32, lanes: 4))
        #expect(noise.squaredNorm < 0 && noise.scale == nil)
    }
}
