import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("F22: what is lost on the way between workers")
struct LostMessageTests {
    @Test("where all wait and nobody computes, the step is made again on new connections, and nobody is lost")
    func madeAgain() throws {
        var life = try Life(workers: 3, steps: 10)
        life.begin()
        life.step(0)
        for rank in 0..<3 { life.lanes(1, of: rank) }
        let quiet = life.live(seconds: 9, speaking: [], waiting: [0, 1, 2], step: 1)
        #expect(quiet.halted.isEmpty)
        let actions = life.live(seconds: 3, speaking: [], waiting: [0, 1, 2], step: 1)
        #expect(actions.halted == [0, 1, 2])
        #expect(actions.events == [.stalled], "it is told once")
        #expect(actions.words.first?.contains("messages were lost") == true, "\(actions.words)")
        var assignments: [Assignment] = []
        for rank in 0..<3 { assignments += life.halted(rank, after: 1).assignments }
        #expect(assignments.count == 3 && assignments.allSatisfy { $0.reconnects && $0.firstStep == StepNumber(1) })
        #expect(life.step(1).recorded == [1])
    }

    @Test("the same where the membership was to end after the step")
    func beforeAnAnnouncedEnd() throws {
        var life = try Life(workers: 2, steps: 10)
        life.begin()
        life.step(0)
        _ = life.handle(.joinRequested(by: [7]))
        _ = life.hello(2)
        for rank in 0..<2 { life.lanes(1, of: rank) }
        let actions = life.live(seconds: 12, speaking: [], waiting: [0, 1, 2], step: 1)
        #expect(actions.halted == [0, 1])
        life.halted(0, after: 1)
        #expect(life.halted(1, after: 1).assignments.map(\.rank.index) == [0, 1, 2])
        #expect(life.step(1, among: [0, 1, 2]).recorded == [1])
    }

    @Test("a step that was made again in vain three times costs the worker that most wait for, and the run goes on")
    func inVain() throws {
        var life = try Life(workers: 3, steps: 10)
        life.begin()
        life.step(0)
        for _ in 0..<3 {
            for rank in 0..<3 { life.lanes(1, of: rank) }
            let waited = waitingFor(2, seconds: 12, &life)
            #expect(waited.events.contains(.stalled) && waited.halted == [0, 1, 2])
            for rank in 0..<3 { life.halted(rank, after: 1) }
        }
        for rank in 0..<3 { life.lanes(1, of: rank) }
        let actions = waitingFor(2, seconds: 60, &life)
        #expect(actions.halted == [0, 1])
        #expect(actions.words.contains { $0.contains("worker 2 made no progress") }, "\(actions.words)")
    }

    /// Workers 0 and 1 await the gradient of `rank`, which awaits theirs.
    private func waitingFor(_ rank: Int, seconds: Int, _ life: inout Life) -> [RunMachine.Action] {
        var actions: [RunMachine.Action] = []
        for _ in 0..<seconds where actions.halted.isEmpty {
            life.pass(seconds: 1)
            for other in 0..<3 {
                let awaited = other == rank ? [WorkerRank(0)] : [WorkerRank(rank)]
                actions += life.say(
                    other, .heartbeat(Heartbeat(step: StepNumber(1), phase: .exchanging, awaiting: awaited)))
            }
            actions += life.handle(.tick)
        }
        return actions
    }

    @Test("a worker that another's state did not reach has the membership formed anew, but not for ever")
    func disturbed() throws {
        var life = try Life(workers: 2, steps: 10)
        life.begin()
        life.step(0)
        for round in 1...3 {
            let actions = life.say(1, .disturbed(reason: "worker 0 sent nothing for 10 s"))
            #expect(actions.halted == [0, 1], "round \(round)")
            life.halted(1, after: 0)
            let assignments = life.halted(0, after: 1).assignments
            #expect(assignments.allSatisfy { $0.reconnects && $0.stateReceivers == [WorkerRank(1)] })
        }
        let actions = life.say(1, .disturbed(reason: "worker 0 sent nothing for 10 s"))
        #expect(actions.events == [.workerLost] && actions.halted == [0])
        #expect(life.say(0, epoch: 1, .disturbed(reason: "late")).isEmpty, "of a membership that is over")
    }
}
