import Foundation
import Jobs
import Report
import Testing

@Suite("Statistics of steps")
struct StatisticsTests {
    /// Golden values: their source is in the file.
    struct Golden: Decodable {
        var source: String
        var first: [Double]
        var second: [Double]
        var firstRest: Double
        var secondRest: Double
        var shares: [Double]
        var firstQuantiles: [Double]
        var firstMedianStandardError: Double
        var singleStepInterval: [Double]
        var blockInterval: [Double]
        var seeds: [Double]
        var otherSeeds: [Double]
        var medianInterval: [Double]
        var medianRatioInterval: [Double]

        static func read() throws -> Golden {
            let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/statistics.json")
            let decoder = JSONDecoder()
            decoder.keyDecodingStrategy = .convertFromSnakeCase
            return try decoder.decode(Golden.self, from: try Data(contentsOf: file))
        }
    }

    @Test("quantiles are NumPy's")
    func quantiles() throws {
        let golden = try Golden.read()
        let quantiles = Quantiles(golden.first)
        for (share, expected) in zip(golden.shares, golden.firstQuantiles) {
            let found = try #require(quantiles.quantile(share))
            #expect(abs(found - expected) <= 1e-14)
        }
        #expect(quantiles.median == quantiles.quantile(0.5))
    }

    @Test("the standard error of a median is by SciPy's scaled quartiles; there is none of a single number")
    func medianStandardError() throws {
        let golden = try Golden.read()
        let found = try #require(Quantiles(golden.first).medianStandardError)
        #expect(abs(found / golden.firstMedianStandardError - 1) <= 1e-12)
        #expect(Quantiles([2.0, 2.0]).medianStandardError == 0 && Quantiles([2.0]).medianStandardError == nil)
    }

    @Test("quantiles of nothing are nothing; of one number, that number; what is no number is left out")
    func fewValues() {
        #expect(Quantiles([]).median == nil)
        #expect(Quantiles([3]).quantile(0.9) == 3)
        #expect(Quantiles([.nan, 1, .infinity, 3]).median == 2)
        #expect(Quantiles([5, 1]).quantile(-1) == 1)
        #expect(Quantiles([5, 1]).quantile(7) == 5)
    }

    @Test("drawing single steps gives SciPy's interval")
    func singleSteps() throws {
        let golden = try Golden.read()
        let interval = try #require(
            RatioInterval(
                of: RatioInterval.Series(steps: golden.first), over: RatioInterval.Series(steps: golden.second),
                resamples: 20_000, blockSteps: 1, seed: 1))
        expect(interval, isLike: golden.singleStepInterval)
    }

    @Test("drawing blocks gives the interval of the same method in NumPy, time between steps kept")
    func blocks() throws {
        let golden = try Golden.read()
        let interval = try #require(
            RatioInterval(
                of: RatioInterval.Series(steps: golden.first, rest: golden.firstRest),
                over: RatioInterval.Series(steps: golden.second, rest: golden.secondRest), resamples: 20_000, seed: 1))
        expect(interval, isLike: golden.blockInterval)
        #expect(interval.blockSteps == (6, 6))
    }

    @Test("the same seed gives the same interval")
    func seeded() throws {
        let golden = try Golden.read()
        let series = (RatioInterval.Series(steps: golden.first), RatioInterval.Series(steps: golden.second))
        #expect(
            RatioInterval(of: series.0, over: series.1, seed: 9) == RatioInterval(of: series.0, over: series.1, seed: 9)
        )
        #expect(
            RatioInterval(of: series.0, over: series.1, seed: 9) != RatioInterval(of: series.0, over: series.1, seed: 8)
        )
    }

    @Test(
        "a verdict needs an interval that excludes one, and a difference worth naming",
        arguments: [
            (1.10, 0.02, RatioInterval.Verdict.slower), (0.90, 0.02, .faster), (1.005, 0.02, .noSignificantDifference),
            (1.004, 0.0001, .noSignificantDifference), (1.10, 1.5, .noSignificantDifference),
        ])
    func verdict(level: Double, spread: Double, expected: RatioInterval.Verdict) throws {
        // Alternating steps, so that the mean is the level exactly.
        let first = (0..<40).map { level * (1 + ($0 % 3 == 0 ? spread : $0 % 3 == 1 ? -spread / 2 : -spread / 2)) }
        let second = (0..<40).map { 1 + ($0 % 3 == 0 ? spread : -spread / 2) }
        let interval = try #require(
            RatioInterval(
                of: RatioInterval.Series(steps: first), over: RatioInterval.Series(steps: second), blockSteps: 1))
        #expect(interval.verdict == expected)
    }

    @Test("no interval is made of a single step, or of no time at all")
    func tooLittle() {
        let steps = RatioInterval.Series(steps: [1, 1, 1])
        #expect(RatioInterval(of: RatioInterval.Series(steps: [1]), over: steps) == nil)
        #expect(RatioInterval(of: steps, over: RatioInterval.Series(steps: [0, 0])) == nil)
        #expect(RatioInterval(of: RatioInterval.Series(steps: [1, .nan]), over: steps) == nil)
    }

    /// Two intervals from 20,000 resamples each differ by a small part of their width.
    private func expect(_ interval: RatioInterval, isLike expected: [Double]) {
        let tolerance = 0.06 * (expected[1] - expected[0])
        #expect(abs(interval.low - expected[0]) < tolerance)
        #expect(abs(interval.high - expected[1]) < tolerance)
    }
}
