import Jobs
import Testing

@Suite("Measuring again")
struct RepetitionTests {
    @Test(
        "ends once the two quickest of at least five agree, whatever the others were",
        arguments: [
            ([], false), ([1.0, 1.0, 1.0, 1.0], false), ([1.0, 1.0, 1.0, 1.0, 1.0], true),
            ([1.5, 1.0, 1.5, 1.01, 1.5], true), ([1.5, 1.0, 1.5, 1.03, 1.5], false),
            ([1.5, 1.5, 1.5, 1.5, 1.0], false), ([1.5, 1.0, 1.5, 1.5, 1.5, 1.02], true),
        ])
    func isEnough(durations: [Double], expected: Bool) {
        #expect(Repetition.isEnough(durations) == expected)
    }
}
