import Jobs
import Testing

@Suite("Measuring again")
struct RepetitionTests {
    @Test(
        "ends once the two quickest agree, whatever the others were, and not before there are as many as asked for",
        arguments: [
            ([], false), ([1.0, 1.0], false), ([1.0, 1.5, 1.01], true), ([1.0, 1.5, 1.03], false),
            ([1.5, 1.5, 1.0], false), ([1.5, 1.0, 1.5, 1.02], true),
        ])
    func isEnough(durations: [Double], expected: Bool) {
        #expect(Repetition.isEnough(durations, least: 3) == expected)
    }

    @Test("takes two at least, and five where nothing else is asked for")
    func least() {
        #expect(!Repetition.isEnough([1], least: 0))
        #expect(!Repetition.isEnough([1, 1, 1, 1]))
        #expect(Repetition.isEnough([1, 1, 1, 1, 1]))
    }

    @Test(
        "tells how much longer the median took than the quickest",
        arguments: [([], 0.0), ([2.0], 0.0), ([3.0, 2.0, 4.0], 0.5)])
    func excess(durations: [Double], expected: Double) {
        #expect(Repetition.excess(durations) == expected)
    }
}
