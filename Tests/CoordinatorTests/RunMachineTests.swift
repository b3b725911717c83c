import Cluster
import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("The life of a run")
struct RunMachineTests {
    @Test("goes from text over hellos, steps and evaluations to equal digests")
    func wholeLife() throws {
        var life = try Life(steps: 4)
        #expect(life.handle(.prepared(Life.dataset)).isSearching)
        #expect(life.handle(.restored(path: nil, stepsMade: 0, passedOver: [])).started == [0, 1])
        #expect(life.hello(0).sent.isEmpty)
        let admitted = life.hello(1)
        #expect(admitted.assignments.map(\.rank.index) == [0, 1])
        #expect(admitted.assignments.map(\.lanes) == [0..<2, 2..<4])
        #expect(admitted.isTraining)
        for step in 0..<4 {
            #expect(life.lanes(step, of: 0).commits.isEmpty)
            let commits = life.lanes(step, of: 1).commits
            #expect(commits.map(\.rank) == [0, 1] && commits.allSatisfy { $0.step == step && !$0.halts })
            #expect(life.applied(step, of: 0).recorded.isEmpty)
            #expect(life.applied(step, of: 1).recorded == [step])
            guard step % 2 == 1 else { continue }
            #expect(life.evaluation(after: step + 1, of: 1).sent.isEmpty)
            let verdicts = life.evaluation(after: step + 1, of: 0).verdicts
            #expect(verdicts.map(\.isFinish) == [step == 3, step == 3])
        }
        #expect(life.finished(0).end == nil)
        let last = life.finished(1)
        #expect(last.end?.state == .finished)
        #expect(last.end?.outcome?.weightsDigest == "d")
        #expect(last.end?.outcome?.steps == 4)
        #expect(last.end?.outcome?.modelDirectory == "/model")
        #expect(last.stopped == [0, 1])
        #expect(life.machine.hasEnded)
        #expect(life.handle(.cancel).isEmpty)
    }

    @Test("what a worker wants known is an event, and changes nothing")
    func notice() throws {
        var life = try Life(steps: 4)
        life.begin()
        let actions = life.say(1, .notice("worker 0 can't read the memory of worker 1"))
        #expect(actions.events == [.warning] && actions.count == 1)
        #expect(life.step(0).recorded == [0])
    }

    @Test("ends at the first evaluation that meets the target")
    func target() throws {
        var life = try Life(steps: 4, target: Target(quality: .maskedAccuracy(0.01)))
        life.begin()
        life.step(0)
        life.step(1)
        _ = life.evaluation(after: 2, of: 0)
        let decided = life.evaluation(after: 2, of: 1)
        #expect(decided.verdicts.map(\.isFinish) == [true, true])
        #expect(decided.events == [.targetReached])
        _ = life.finished(0, steps: 2)
        let end = life.finished(1, steps: 2).end
        #expect(end?.state == .finished)
        #expect(end?.outcome?.steps == 2)
        #expect(end?.outcome?.timeToTarget == end?.outcome?.trainingTime)
    }

    @Test("a checkpoint is allowed only once the steps before it are stored")
    func checkpoint() throws {
        var life = try Life(steps: 2)
        life.begin()
        #expect(life.step(0).recordedNews.isEmpty)
        let actions = life.step(1)
        let order = actions.compactMap { action -> String? in
            switch action {
            case .record: "record"
            case .flush: "flush"
            case .send(_, .recorded, _): "allow"
            default: nil
            }
        }
        #expect(order == ["record", "flush", "allow"])
        #expect(actions.recordedNews.map(\.rank) == [0] && actions.recordedNews.map(\.stepsMade) == [2])
    }

    @Test("a worker's own error that every other would meet fails the run, by its words")
    func commonFailure() throws {
        let failure = WorkerFailure(step: StepNumber(2), phase: .applying, message: "the gradient is no number")
        var life = try Life(steps: 4)
        life.begin()
        let actions = life.say(0, .failure(failure))
        let reason = try #require(actions.failure)
        for part in ["worker 0", "step 2", "applying the gradient", "no number"] { #expect(reason.contains(part)) }
        #expect(actions.stopped == [0, 1])
    }

    @Test("workers that would compute different bits are refused before the first step")
    func mixedMachines() throws {
        var life = try Life(steps: 4)
        life.prepare()
        _ = life.hello(0, instructionSet: "avx512f")
        let actions = life.hello(1, instructionSet: "avx2")
        #expect(actions.failure?.contains("avx2") == true)
        #expect(!actions.isTraining)
        #expect(actions.stopped == [0, 1])
    }

    @Test("weights that differ at the end fail the run")
    func digestsDiffer() throws {
        var life = try Life(steps: 4)
        life.begin()
        _ = life.finished(0, digest: "d")
        #expect(life.finished(1, digest: "e").failure?.contains("the final weights differ") == true)
    }

    @Test("before the first step it ends at once by request and with the daemon")
    func askedEarly() throws {
        for (input, state) in [(RunMachine.Input.cancel, RunState.cancelled), (.shutDown, .interrupted)] {
            for stage in 0..<3 {
                var life = try Life(steps: 4)
                if stage >= 1 { _ = life.handle(.prepared(Life.dataset)) }
                if stage >= 2 { _ = life.handle(.restored(path: nil, stepsMade: 0, passedOver: [])) }
                #expect(life.handle(input).end?.state == state)
            }
        }
    }

    @Test("asked to end in training it halts, has one worker write a checkpoint, and ends")
    func graceful() throws {
        var life = try Life(steps: 10)
        life.begin()
        life.step(0)
        #expect(life.handle(.cancel).halted == [0, 1])
        #expect(life.halted(0, after: 1).saving.isEmpty)
        let actions = life.halted(1, after: 1)
        #expect(actions.saving == [0])
        let report = CheckpointReport(stepsMade: 1, path: "/run/checkpoints/step-1", duration: HostSeconds(1))
        let end = life.say(0, .checkpointReport(report))
        #expect(end.events == [.checkpointWritten])
        #expect(end.end?.state == .cancelled)
        #expect(end.stopped == [0, 1])
    }

    @Test("the last checkpoint is written by a worker that has made the most steps, also if others die meanwhile")
    func gracefulAmongLosses() throws {
        var life = try Life(workers: 3, lanes: 4, steps: 10)
        life.begin()
        life.step(0)
        for rank in 0..<3 { life.lanes(1, of: rank) }
        _ = life.handle(.shutDown)
        life.halted(0, after: 1)
        life.applied(1, of: 1)
        life.halted(1, after: 2)
        #expect(life.exit(2).saving == [1])
        // Its state is lost with it: the step that it alone had made is given up.
        #expect(life.exit(1).saving == [0])
        let report = CheckpointReport(stepsMade: 1, path: "/c", duration: HostSeconds(1))
        #expect(life.say(0, .checkpointReport(report)).end?.state == .interrupted)
    }

    @Test("asked twice it ends at once, and where nobody answers it ends when the time is up")
    func impatient() throws {
        var life = try Life(steps: 10)
        life.begin()
        _ = life.handle(.cancel)
        #expect(life.handle(.cancel).end?.state == .cancelled)

        var other = try Life(steps: 10)
        other.begin()
        _ = other.handle(.shutDown)
        #expect(other.live(seconds: 59, speaking: [0, 1]).end == nil)
        #expect(other.live(seconds: 3, speaking: [0, 1]).end?.state == .interrupted)
    }

    @Test("text that can't be prepared and workers that can't be started fail the run with the reason")
    func beforeTheFirstStep() throws {
        var life = try Life(steps: 4)
        #expect(life.handle(.preparationFailed(reason: "text.txt: is empty")).failure == "text.txt: is empty")
        var other = try Life(steps: 4)
        other.prepare()
        let reason = other.handle(.launchFailed(WorkerRank(1), reason: "no such program")).failure
        #expect(reason == "worker 1 could not be started: no such program")
    }

    @Test("a run that goes on begins at its checkpoint, in the time and with the evaluations that are on record")
    func goesOn() throws {
        var earlier = RunProgressSoFar()
        earlier.steps = 7
        earlier.elapsed = HostSeconds(70)
        earlier.evaluations = [
            EvaluationRecord(
                stepsMade: 6, elapsed: HostSeconds(60), maskedLoss: 3, maskedAccuracy: 0.5, nextSentenceAccuracy: nil,
                baselineAccuracy: 0.04, maskedTokens: 10)
        ]
        var life = try Life(steps: 10, earlier: earlier)
        let found =
            life.handle(.prepared(Life.dataset))
            + life.handle(.restored(path: "/c6", stepsMade: 6, passedOver: ["/c7: changed"]))
        #expect(found.words.contains { $0.contains("passed over: /c7") })
        #expect(found.words.contains { $0.contains("goes on from the checkpoint after 6 steps") })
        _ = life.hello(0)
        let assignments = life.hello(1).assignments
        #expect(assignments.allSatisfy { $0.firstStep == StepNumber(6) && $0.checkpoint == "/c6" })
        #expect(assignments.allSatisfy { $0.verdict?.isFinish == false && $0.stateReceivers.isEmpty })
        for case .record(let closed) in life.step(6) { #expect(closed.step.elapsed > HostSeconds(70)) }
    }
}
