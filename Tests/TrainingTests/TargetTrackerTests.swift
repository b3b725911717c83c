import Jobs
import Testing
import Training

@Suite("A target tracker")
struct TargetTrackerTests {
    @Test("is reached by the evaluation that meets the target often enough in a row")
    func consecutive() {
        var tracker = TargetTracker(target: Target(quality: .maskedAccuracy(0.5), consecutive: 2))
        let reached = [0.6, 0.4, 0.5, 0.7, 0.1].map { tracker.observe(maskedAccuracy: $0, maskedLoss: 1) }
        #expect(reached == [false, false, false, true, false])
        #expect(tracker.isReached)
    }

    @Test("measures a loss from below")
    func loss() {
        var tracker = TargetTracker(target: Target(quality: .maskedLoss(2)))
        let isReachedAbove = tracker.observe(maskedAccuracy: 1, maskedLoss: 2.1)
        let isReachedBelow = tracker.observe(maskedAccuracy: 0, maskedLoss: 2)
        #expect(!isReachedAbove)
        #expect(isReachedBelow)
    }

    @Test("is never reached without a target or by a quality that is no number")
    func never() {
        var none = TargetTracker(target: nil)
        var strict = TargetTracker(target: Target(quality: .maskedLoss(100)))
        let first = none.observe(maskedAccuracy: 1, maskedLoss: 0)
        let second = strict.observe(maskedAccuracy: .nan, maskedLoss: .nan)
        #expect(!first && !second)
    }
}
