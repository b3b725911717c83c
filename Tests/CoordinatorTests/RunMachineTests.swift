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
        #expect(life.handle(.prepared(Life.dataset)).contains { if case .startWorkers = $0 { true } else { false } })
        #expect(life.hello(0).sent.isEmpty)
        let admitted = life.hello(1)
        #expect(admitted.sent.map(\.rank) == [0, 1])
        #expect(
            admitted.sent.allSatisfy {
                if case .assignment(let assignment) = $0.message { assignment.rank.index == $0.rank } else { false }
            })
        #expect(admitted.isTraining)
        for step in 0..<4 {
            #expect(life.step(step, of: 0).recorded.isEmpty)
            #expect(life.step(step, of: 1).recorded == [step])
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

    @Test("a worker's death fails the run and names worker, step, phase, signal and last words")
    func death() throws {
        var life = try Life(steps: 4)
        life.begin()
        life.step(0)
        life.say(1, .heartbeat(Heartbeat(epoch: 0, step: StepNumber(1), phase: .forwardBackward)))
        let actions = life.handle(.exited(WorkerRank(1), .signal(9), lastWords: "so long"))
        let reason = try #require(actions.failure)
        for part in ["worker 1", "step 1", "forward and backward pass", "SIGKILL", "so long"] {
            #expect(reason.contains(part), "\(reason)")
        }
        #expect(actions.stopped == [0])
    }

    @Test("a failed exchange is blamed on the worker that died, in whichever order the news comes")
    func firstCause() throws {
        let complaint = WorkerFailure(step: StepNumber(0), phase: .exchanging, message: "worker 1 is silent")
        var life = try Life(steps: 4)
        life.begin()
        #expect(life.say(0, .failure(complaint)).end == nil)
        let reason = life.handle(.exited(WorkerRank(1), .signal(11), lastWords: nil)).failure
        #expect(reason?.contains("worker 1 ended") == true)

        var other = try Life(steps: 4)
        other.begin()
        #expect(other.handle(.exited(WorkerRank(1), .signal(11), lastWords: nil)).failure?.contains("SIGSEGV") == true)
    }

    @Test("a failure that nobody's death explains is the cause itself, after a moment")
    func ownFailure() throws {
        let failure = WorkerFailure(step: StepNumber(2), phase: .applying, message: "the gradient is no number")
        for endsByItself in [false, true] {
            var life = try Life(steps: 4)
            life.begin()
            #expect(life.say(0, .failure(failure)).end == nil)
            if endsByItself {
                let reason = life.handle(.exited(WorkerRank(0), .status(1), lastWords: nil)).failure
                #expect(reason?.contains("the gradient is no number") == true)
            } else {
                life.pass(seconds: 1.9)
                #expect(life.handle(.tick).end == nil)
                life.pass(seconds: 0.2)
                #expect(life.handle(.tick).failure?.contains("the gradient is no number") == true)
            }
        }
    }

    @Test("B18: says how many workers arrived and which are missing, once the time is up")
    func missing() throws {
        var life = try Life(workers: 3, lanes: 3, steps: 4)
        _ = life.handle(.prepared(Life.dataset))
        _ = life.hello(1)
        life.pass(seconds: 59)
        #expect(life.handle(.tick).end == nil)
        life.pass(seconds: 2)
        #expect(life.handle(.tick).failure?.contains("1 of 3 workers arrived within 60 s; missing: 0, 2") == true)
    }

    @Test("F6: a worker that is silent for too long fails the run; one that speaks does not")
    func silence() throws {
        var life = try Life(steps: 4)
        life.begin()
        for _ in 0..<10 {
            life.pass(seconds: 10)
            life.say(0, .heartbeat(Heartbeat(epoch: 0, step: StepNumber(0), phase: .forwardBackward)))
            life.say(1, .heartbeat(Heartbeat(epoch: 0, step: StepNumber(0), phase: .forwardBackward)))
            #expect(life.handle(.tick).end == nil)
        }
        life.pass(seconds: 10)
        life.say(0, .heartbeat(Heartbeat(epoch: 0, step: StepNumber(0), phase: .forwardBackward)))
        life.pass(seconds: 6)
        #expect(life.handle(.tick).failure?.contains("worker 1 was silent for 16 s in step 0") == true)
    }

    @Test("workers that would compute different bits are refused before the first step")
    func mixedMachines() throws {
        var life = try Life(steps: 4)
        _ = life.handle(.prepared(Life.dataset))
        _ = life.hello(0, instructionSet: "avx512f")
        let actions = life.hello(1, instructionSet: "avx2")
        #expect(actions.failure?.contains("avx2") == true)
        #expect(!actions.isTraining)
        #expect(actions.stopped == [0, 1])
    }

    @Test("F13: a second worker of one rank is refused and changes nothing")
    func joinsTwice() throws {
        var life = try Life(steps: 4)
        _ = life.handle(.prepared(Life.dataset))
        _ = life.hello(0)
        #expect(life.hello(0).events == [.peerRefused])
        #expect(life.hello(1).isTraining)
        #expect(life.hello(1).events == [.peerRefused])
    }

    @Test("weights that differ at the end fail the run")
    func digestsDiffer() throws {
        var life = try Life(steps: 4)
        life.begin()
        _ = life.finished(0, digest: "d")
        #expect(life.finished(1, digest: "e").failure?.contains("the final weights differ") == true)
    }

    @Test("ends as cancelled by request and as interrupted with the daemon, from every stage")
    func asked() throws {
        for (input, state) in [(RunMachine.Input.cancel, RunState.cancelled), (.shutDown, .interrupted)] {
            for stage in 0..<4 {
                var life = try Life(steps: 4)
                if stage == 1 { _ = life.handle(.prepared(Life.dataset)) }
                if stage >= 2 { life.begin() }
                if stage == 3 {
                    let failure = WorkerFailure(step: StepNumber(0), phase: .exchanging, message: "m")
                    life.say(0, .failure(failure))
                }
                #expect(life.handle(input).end?.state == state)
            }
        }
    }

    @Test("text that can't be prepared and workers that can't be started fail the run with the reason")
    func beforeTheFirstStep() throws {
        var life = try Life(steps: 4)
        #expect(life.handle(.preparationFailed(reason: "text.txt: is empty")).failure == "text.txt: is empty")
        var other = try Life(steps: 4)
        _ = other.handle(.prepared(Life.dataset))
        let reason = other.handle(.launchFailed(WorkerRank(1), reason: "no such program")).failure
        #expect(reason == "worker 1 could not be started: no such program")
    }

    @Test(
        "whatever the order of events, it ends exactly once and stops every worker that is not gone", arguments: 0..<200
    )
    func anyOrder(seed: Int) throws {
        var random = CounterRandom(seed: UInt64(seed), purpose: .statistics, step: 0)
        var life = try Life(workers: 3, lanes: 3, steps: 4)
        var gone: Set<Int> = []
        var ends = 0
        for _ in 0..<400 where ends == 0 {
            life.pass(seconds: Double(random.nextUnit()))
            let rank = random.nextIndex(below: 3)
            let step = random.nextIndex(below: 4)
            let actions: [RunMachine.Action]
            switch random.nextIndex(below: 40) {
            case 0..<8: actions = life.handle(.prepared(Life.dataset))
            case 8..<16: actions = life.hello(rank)
            case 16..<24: actions = life.step(step, of: rank)
            case 24..<30: actions = life.evaluation(after: step + 1, of: rank)
            case 30..<33: actions = life.finished(rank)
            case 33:
                gone.insert(rank)
                actions = life.handle(.exited(WorkerRank(rank), .status(1), lastWords: nil))
            case 34:
                actions = life.say(
                    rank, .failure(WorkerFailure(step: StepNumber(step), phase: .exchanging, message: "m")))
            default: actions = life.handle(.tick)
            }
            ends += actions.filter { if case .end = $0 { true } else { false } }.count
            if actions.end != nil { #expect(Set(actions.stopped) == Set(0..<3).subtracting(gone)) }
        }
        #expect(ends == 1)
        #expect(life.machine.hasEnded)
        for input in [RunMachine.Input.tick, .cancel, .prepared(Life.dataset)] {
            #expect(life.handle(input).isEmpty)
        }
    }
}
