import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The membership of a run whose lanes hold parts of gradients back")
struct HeldBackTests {
    /// Nothing is held back after every fourth step.
    private func life(workers: Int = 3, steps: Int = 40, target: Target? = nil) throws -> Life {
        var life = try Life(
            workers: workers, steps: steps, target: target,
            compression: .topK(TopKSettings(density: 0.1, flushEvery: 4)))
        life.begin()
        return life
    }

    @Test("F1: a death sends all back to the last point of nothing held back; the steps since then are made again")
    func death() throws {
        var life = try life()
        for step in 0..<6 { life.step(step) }
        life.exit(1)
        life.halted(2, after: 6)
        let actions = life.halted(0, after: 6)
        #expect(actions.assignments.map(\.rank.index) == [0, 2])
        #expect(actions.assignments.allSatisfy { $0.firstStep == StepNumber(4) && $0.stateReceivers.isEmpty })
        #expect(actions.words.contains { $0.contains("goes on after 4 steps, with 2 to be made again") })
        #expect((4..<8).flatMap { life.step($0, among: [0, 2]).recorded } == [4, 5, 6, 7])
    }

    @Test("a second death before that point is reached sends them back to the same one")
    func twice() throws {
        var life = try life()
        for step in 0..<7 { life.step(step) }
        life.exit(1)
        life.halted(2, after: 7)
        life.halted(0, after: 7)
        life.step(4, among: [0, 2])
        life.exit(2)
        let assignments = life.halted(0, after: 5).assignments
        #expect(assignments.map(\.firstStep) == [StepNumber(4)])
        #expect(assignments.first?.lanes == 0..<4)
    }

    @Test("where some have made the step that gives everything and others not, those get its state")
    func betweenCommitAndApply() throws {
        var life = try life()
        for step in 0..<7 { life.step(step) }
        for rank in 0..<3 { life.lanes(7, of: rank) }
        life.applied(7, of: 2)
        life.exit(1)
        life.halted(0, after: 7)
        let assignments = life.halted(2, after: 8).assignments
        #expect(assignments.allSatisfy { $0.firstStep == StepNumber(8) })
        #expect(assignments.first?.stateReceivers == [WorkerRank(0)])
        #expect(assignments.first?.stateSource == WorkerRank(2))
    }

    @Test("F13: who joins waits until nothing is held back, and nothing is made again")
    func join() throws {
        var life = try life()
        life.step(0)
        _ = life.handle(.joinRequested(by: [1]))
        _ = life.hello(3)
        for step in 1..<3 {
            let commits = (0..<3).flatMap { life.lanes(step, of: $0) }.commits
            #expect(commits.count == 3 && commits.allSatisfy { !$0.halts })
            for rank in 0..<3 { life.applied(step, of: rank) }
        }
        let commits = (0..<3).flatMap { life.lanes(3, of: $0) }.commits
        #expect(commits.count == 3 && commits.allSatisfy { $0.halts })
        for rank in 0..<3 { life.applied(3, of: rank) }
        let assignments = (0..<3).flatMap { life.halted($0, after: 4) }.assignments
        #expect(assignments.map(\.rank.index) == [0, 1, 2, 3])
        #expect(assignments.allSatisfy { $0.firstStep == StepNumber(4) && $0.stateReceivers == [WorkerRank(3)] })
    }

    @Test("a cancelled run keeps the last point of nothing held back", arguments: [(6, true), (3, false)])
    func cancelled(made: Int, saves: Bool) throws {
        var life = try life()
        for step in 0..<made { life.step(step) }
        _ = life.handle(.cancel)
        let actions = (0..<3).flatMap { life.halted($0, after: made) }
        #expect(actions.saving == (saves ? [0] : []))
        guard saves else {
            #expect(actions.end?.state == .cancelled)
            return
        }
        let report = CheckpointReport(stepsMade: 4, path: "/c", duration: HostSeconds(1))
        #expect(life.say(0, .checkpointReport(report)).end?.state == .cancelled)
    }

    @Test("all lost, as many begin again from the checkpoint")
    func allLost() throws {
        var life = try life(workers: 2)
        for step in 0..<7 { life.step(step) }
        life.say(0, .checkpointReport(CheckpointReport(stepsMade: 4, path: "/c", duration: HostSeconds(1))))
        life.exit(0)
        #expect(life.exit(1).isSearching)
        #expect(life.handle(.restored(path: "/c", stepsMade: 4, passedOver: [])).started == [2, 3])
        _ = life.hello(2)
        let assignments = life.hello(3).assignments
        #expect(assignments.allSatisfy { $0.firstStep == StepNumber(4) && $0.checkpoint == "/c" })
    }

    @Test("a run that has met its target goes back nowhere")
    func targetReached() throws {
        var life = try life(workers: 2, target: Target(quality: .maskedAccuracy(0.04), consecutive: 1))
        for step in 0..<6 { life.step(step) }
        let verdicts = (0..<2).flatMap { life.evaluation(after: 6, of: $0) }.verdicts
        #expect(verdicts.allSatisfy { $0.isFinish } && !verdicts.isEmpty)
        life.exit(1)
        let assignments = life.halted(0, after: 6).assignments
        #expect(assignments.map(\.firstStep) == [StepNumber(6)])
        #expect(assignments.first?.verdict?.isFinish == true)
    }
}
