import Jobs
import Testing
import Training

@Suite("Examples dealt to lanes by their lengths")
struct LaneDealingTests {
    private func lengths(_ count: Int, seed: UInt64, full: Float = 0) -> [Int] {
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 1)
        return (0..<count).map { _ in random.nextUnit() < full ? 128 : 8 + random.nextIndex(below: 121) }
    }

    private func tokens(_ dealing: LaneDealing, _ lengths: [Int], lanes: Range<Int>, of count: Int) -> Int {
        let perLane = lengths.count / count
        return dealing.examples[lanes.lowerBound * perLane..<lanes.upperBound * perLane].reduce(0) {
            $0 + lengths[$1]
        }
    }

    @Test("every example has one place", arguments: [1, 2, 3, 4, 6, 7, 8, 16], [1, 2, 5, 8])
    func places(lanes: Int, perLane: Int) {
        for seed in 0..<20 {
            let lengths = lengths(lanes * perLane, seed: UInt64(seed))
            #expect(LaneDealing(lengths: lengths, lanes: lanes).examples.sorted() == Array(lengths.indices))
        }
    }

    @Test("halves differ by no more than the longest example, however many lanes are on either side")
    func balance() {
        for seed in 0..<200 {
            let lengths = lengths(64, seed: UInt64(seed), full: 0.5)
            let dealing = LaneDealing(lengths: lengths, lanes: 8)
            let left = tokens(dealing, lengths, lanes: 0..<4, of: 8)
            let right = tokens(dealing, lengths, lanes: 4..<8, of: 8)
            #expect(abs(left - right) <= 128)
        }
    }

    @Test("the imbalance between two halves is a small part of what dealing blindly leaves")
    func gain() {
        var (dealt, blind) = (0, 0)
        for seed in 0..<500 {
            let lengths = lengths(32, seed: UInt64(seed), full: 0.3)
            let dealing = LaneDealing(lengths: lengths, lanes: 2)
            dealt += abs(
                tokens(dealing, lengths, lanes: 0..<1, of: 2) - tokens(dealing, lengths, lanes: 1..<2, of: 2))
            blind += abs(lengths[..<16].reduce(0, +) - lengths[16...].reduce(0, +))
        }
        #expect(dealt * 8 < blind, "\(dealt) against \(blind)")
    }

    @Test("equal lengths, and one lane, keep the order of examples in each lane")
    func order() {
        #expect(LaneDealing(lengths: lengths(12, seed: 1), lanes: 1).examples == Array(0..<12))
        let even = LaneDealing(lengths: Array(repeating: 128, count: 8), lanes: 2).examples
        #expect(even[..<4].elementsEqual(even[..<4].sorted()) && even[4...].elementsEqual(even[4...].sorted()))
    }
}
