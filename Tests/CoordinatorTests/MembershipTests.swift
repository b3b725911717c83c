import Cluster
import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The membership of a run")
struct MembershipTests {
    @Test("F1: a worker's death ends the membership; the step in flight is made again by the rest, who own its lanes")
    func death() throws {
        var life = try Life(workers: 3, steps: 10)
        life.begin()
        life.step(0)
        life.lanes(1, of: 0)
        life.say(1, .heartbeat(Heartbeat(step: StepNumber(1), phase: .forwardBackward)))
        let actions = life.exit(1, .signal(9), lastWords: "so long")
        #expect(actions.end == nil)
        #expect(actions.halted == [0, 2])
        let words = try #require(actions.words.first)
        for part in ["worker 1", "step 1", "forward and backward pass", "SIGKILL", "so long"] {
            #expect(words.contains(part), "\(words)")
        }
        life.halted(2, after: 1)
        let assignments = life.halted(0, after: 1).assignments
        #expect(assignments.map(\.rank.index) == [0, 2])
        #expect(assignments.map(\.lanes) == [0..<2, 2..<4])
        #expect(assignments.allSatisfy { $0.epoch == 2 && $0.firstStep == StepNumber(1) && $0.stateReceivers.isEmpty })
        #expect(life.step(1, among: [0, 2]).recorded == [1])
    }

    @Test("a survivor that has applied the step passes its state to one that has not, and the step is on record once")
    func betweenCommitAndApply() throws {
        var life = try Life(workers: 3, steps: 10)
        life.begin()
        life.step(0)
        for rank in 0..<3 { life.lanes(1, of: rank) }
        life.applied(1, of: 2)
        _ = life.exit(1)
        life.halted(0, after: 1)
        let actions = life.halted(2, after: 2)
        #expect(actions.recorded == [1])
        #expect(actions.assignments.allSatisfy { $0.firstStep == StepNumber(2) })
        #expect(
            actions.assignments.allSatisfy { $0.stateReceivers == [WorkerRank(0)] && $0.stateSource == WorkerRank(2) })
    }

    @Test("a step that only the lost had applied is made again, and only then on record")
    func appliedByTheLostAlone() throws {
        var life = try Life(workers: 2, steps: 10)
        life.begin()
        life.step(0)
        for rank in 0..<2 { life.lanes(1, of: rank) }
        life.applied(1, of: 1)
        #expect(life.exit(1).halted == [0])
        let actions = life.halted(0, after: 1)
        #expect(actions.recorded.isEmpty)
        #expect(actions.assignments.map(\.firstStep) == [StepNumber(1)])
        #expect(life.step(1, among: [0]).recorded == [1])
    }

    @Test("F8: three deep: one dies, another while the rest halts, a third after the next assignment")
    func threeDeep() throws {
        var life = try Life(workers: 4, steps: 10)
        life.begin()
        #expect(life.exit(3).halted == [0, 1, 2])
        life.halted(0, after: 0)
        _ = life.exit(2)
        #expect(life.halted(1, after: 0).assignments.map(\.rank.index) == [0, 1])
        #expect(life.exit(0).halted == [1])
        let last = life.halted(1, after: 0)
        #expect(last.assignments.map(\.lanes) == [0..<4])
        #expect(life.machine.membershipEpoch == 3)
        #expect(life.step(0, among: [1]).recorded == [0])
    }

    @Test("F8: where all die as many are started again, from the newest whole checkpoint, under new numbers")
    func allDie() throws {
        var life = try Life(steps: 10)
        life.begin()
        life.step(0)
        _ = life.exit(0)
        let actions = life.exit(1)
        #expect(actions.isSearching)
        #expect(actions.events.contains(.restarted))
        #expect(life.handle(.restored(path: "/c1", stepsMade: 1, passedOver: [])).started == [2, 3])
        _ = life.hello(2)
        let assignments = life.hello(3).assignments
        #expect(assignments.allSatisfy { $0.checkpoint == "/c1" && $0.firstStep == StepNumber(1) })
    }

    @Test("F9: three restarts without a new step end the run, with what came first; a new step starts the count again")
    func crashLoop() throws {
        var life = try Life(workers: 1, steps: 10)
        life.begin()
        life.step(0)
        var rank = 0
        func crash() -> [RunMachine.Action] {
            let actions = life.exit(rank, .signal(rank == 2 ? 11 : 6))
            guard actions.isSearching else { return actions }
            rank += 1
            _ = life.handle(.restored(path: nil, stepsMade: 0, passedOver: []))
            _ = life.hello(rank)
            // What was made before is made again: that is no progress.
            life.step(0, among: [rank])
            return actions
        }
        #expect(crash().isSearching)
        life.step(1, among: [rank])
        for _ in 0..<3 { #expect(crash().isSearching) }
        let end = crash()
        let reason = try #require(end.failure)
        #expect(reason.contains("4 times") && reason.contains("SIGABRT"), "\(reason)")
        #expect(life.machine.hasGivenUp)
    }

    @Test("F1: a worker that dies before its hello is not waited for")
    func beforeHello() throws {
        var life = try Life(workers: 3, steps: 4)
        life.prepare()
        _ = life.hello(0)
        _ = life.hello(2)
        let actions = life.exit(1, .status(1))
        #expect(actions.assignments.map(\.rank.index) == [0, 2])
        #expect(actions.isTraining)
    }

    @Test("F7, B18: it is said how many workers arrived and which are missing, and the run goes on with those")
    func missing() throws {
        var life = try Life(workers: 3, lanes: 3, steps: 4)
        life.prepare()
        _ = life.hello(1)
        #expect(life.live(seconds: 59, speaking: [1]).isTraining == false)
        let actions = life.live(seconds: 3, speaking: [1])
        #expect(actions.words.contains { $0.contains("1 of 3 workers arrived within 60 s; missing: 0, 2") })
        #expect(actions.assignments.map(\.lanes) == [0..<3])
    }

    @Test("F2, F6: a silent worker is lost, and is told so when it speaks again; one that speaks is never lost")
    func silence() throws {
        var life = try Life(steps: 4)
        life.begin()
        #expect(life.live(seconds: 9, speaking: [0]).halted.isEmpty)
        let actions = life.live(seconds: 3, speaking: [0])
        #expect(actions.halted == [0])
        #expect(actions.words.contains { $0.contains("worker 1 was silent for 11 s in step 0") }, "\(actions.words)")
        #expect(life.halted(0, after: 0).assignments.count == 1)
        for message in [
            WorkerToCoordinator.heartbeat(Heartbeat(step: StepNumber(0), phase: .exchanging)),
            .laneResults(step: StepNumber(0), [Reports.lane(2), Reports.lane(3)]), .halted(stepsMade: 0),
        ] {
            let answer = life.say(1, epoch: 1, message)
            #expect(answer.fenced == [1] && answer.count == 1)
        }
        #expect(life.step(0, among: [0]).recorded == [0])
    }

    @Test(
        "F16, F30: a coordinator that was suspended for a minute, or slept for ten or for a night, takes nobody for lost",
        arguments: [60.0, 600, 36_000])
    func suspendedCoordinator(seconds: Double) throws {
        var life = try Life(steps: 4)
        life.begin()
        life.live(seconds: 5, speaking: [0, 1])
        life.pass(seconds: seconds)
        #expect(life.handle(.tick).isEmpty)
        #expect(life.live(seconds: 5, speaking: [0, 1]).halted.isEmpty)
    }

    @Test("F5: a worker that gives signs of life but gets no further is lost, once all others wait for it for long")
    func stuck() throws {
        var life = try Life(workers: 3, steps: 10)
        life.begin()
        life.step(0)
        for rank in [0, 2] { life.lanes(1, of: rank) }
        let waited = life.live(seconds: 58, speaking: [1], waiting: [0, 2], step: 1)
        #expect(waited.halted.isEmpty)
        let told = waited.words
        #expect(told.count == 1, "a stall is told once")
        for part in [
            "no progress for 1", "worker 1: step 1, forward and backward pass",
            "worker 0: step 1, exchanging gradients, waits for worker 1",
        ] { #expect(told.first?.contains(part) == true, "\(told)") }
        let actions = life.live(seconds: 4, speaking: [1], waiting: [0, 2], step: 1)
        #expect(actions.halted == [0, 2])
        #expect(actions.words.contains { $0.contains("worker 1 made no progress for 6") }, "\(actions.words)")
    }

    @Test(
        "F12: a worker that is twice or ten times as slow, or now one and now another, is not lost", arguments: [2, 10])
    func straggler(factor: Int) throws {
        var life = try Life(steps: 100)
        life.begin()
        for step in 0..<10 {
            let slow = step % 2
            life.live(seconds: 5, speaking: [0, 1], step: step)
            life.lanes(step, of: 1 - slow)
            let waited = life.live(seconds: 5 * (factor - 1), speaking: [slow], waiting: [1 - slow], step: step)
            #expect(waited.halted.isEmpty)
            life.lanes(step, of: slow)
            #expect(life.applied(step, of: 0).recorded.isEmpty)
            #expect(life.applied(step, of: 1).recorded == [step])
        }
    }

    @Test("F13: a worker that joins is admitted after the step in flight, and gets state and lanes")
    func join() throws {
        var life = try Life(steps: 10)
        life.begin()
        life.step(0)
        life.lanes(1, of: 0)
        let answer = life.handle(.joinRequested(by: [7]))
        guard case .reply(let requester, .admitted(let rank, _))? = answer.first else {
            Issue.record("\(answer)")
            return
        }
        #expect(requester == [7] && rank == WorkerRank(2))
        #expect(life.hello(2).sent.isEmpty, "nothing is interrupted")
        let commits = life.lanes(1, of: 1).commits
        #expect(commits.allSatisfy { $0.halts } && commits.count == 2)
        for rank in 0..<2 { life.applied(1, of: rank) }
        life.halted(0, after: 2)
        let assignments = life.halted(1, after: 2).assignments
        #expect(assignments.map(\.rank.index) == [0, 1, 2])
        #expect(assignments.allSatisfy { $0.stateReceivers == [WorkerRank(2)] && $0.firstStep == StepNumber(2) })
        #expect(life.step(2, among: [0, 1, 2]).recorded == [2])
    }

    @Test("F13: no more workers than lanes are admitted, and none to a wafer or before there is anything to join")
    func joinRefused() throws {
        var life = try Life(workers: 2, lanes: 2, steps: 4)
        func isRefused() -> Bool {
            life.handle(.joinRequested(by: [7])).contains { if case .reply(_, .refused) = $0 { true } else { false } }
        }
        #expect(isRefused())
        life.begin()
        #expect(isRefused())
    }

    @Test("F13: a second worker of one number is refused and changes nothing")
    func joinsTwice() throws {
        var life = try Life(steps: 4)
        life.prepare()
        _ = life.hello(0)
        #expect(life.hello(0).events == [.peerRefused])
        #expect(life.hello(1).isTraining)
        #expect(life.hello(1).events == [.peerRefused])
    }

    @Test("an evaluation that was under way is measured anew; one that was decided comes with the assignment")
    func evaluations() throws {
        for isDecided in [false, true] {
            var life = try Life(steps: 10)
            life.begin()
            life.step(0)
            life.step(1)
            _ = life.evaluation(after: 2, of: 0)
            if isDecided { #expect(life.evaluation(after: 2, of: 1).verdicts.count == 2) }
            _ = life.exit(1)
            let assignment = try #require(life.halted(0, after: 2).assignments.first)
            #expect(assignment.firstStep == StepNumber(2))
            #expect((assignment.verdict?.stepsMade == 2) == isDecided)
            #expect(assignment.target.isEmpty == false)
        }
    }

    @Test("F1: a worker that dies after its last word is not missed; one that dies before is made up for")
    func lastStep() throws {
        var life = try Life(steps: 2)
        life.begin()
        life.step(0)
        life.step(1)
        for rank in 0..<2 { _ = life.evaluation(after: 2, of: rank) }
        _ = life.finished(0, steps: 2)
        var other = life
        #expect(life.exit(0).end == nil)
        #expect(life.finished(1, steps: 2).end?.state == .finished)

        #expect(other.exit(1).halted == [0])
        let assignment = try #require(other.halted(0, after: 2).assignments.first)
        #expect(assignment.verdict?.isFinish == true)
        #expect(other.finished(0, steps: 2).end?.state == .finished)
    }
}
