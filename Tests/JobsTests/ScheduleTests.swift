import Jobs
import Testing

@Suite("A schedule")
struct ScheduleTests {
    @Test("grows to its peak at the end of the warm-up, then decays towards zero", arguments: Schedule.Decay.allCases)
    func shape(decay: Schedule.Decay) {
        let schedule = Schedule(peak: 1, warmupSteps: 10, decay: decay, power: 2)
        #expect(schedule.learningRate(step: 0, of: 110) == 0.1)
        #expect(schedule.learningRate(step: 9, of: 110) == 1)
        #expect(schedule.learningRate(step: 10, of: 110) == 1)
        let middle = schedule.learningRate(step: 60, of: 110)
        let expected: Float = decay == .constant ? 1 : decay == .polynomial ? 0.25 : 0.5
        #expect(abs(middle - expected) < 1e-6)
        #expect(schedule.learningRate(step: 109, of: 110) > 0)
    }

    @Test("that is all warm-up never divides by zero")
    func allWarmup() {
        let schedule = Schedule(peak: 1, warmupSteps: 5, decay: .linear)
        #expect((0..<5).map { schedule.learningRate(step: $0, of: 5) }.allSatisfy { $0.isFinite && $0 > 0 })
    }
}
