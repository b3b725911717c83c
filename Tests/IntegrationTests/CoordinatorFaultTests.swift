import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("Faults of the coordinator and its host", .serialized)
struct CoordinatorFaultTests {
    private static let steps = 60
    private static let reference = Result { try ElasticRun.reference(steps: steps) }

    @Test(
        "F15: killed at moments that a seed chooses, again and again, it goes on to the same bits", arguments: [1, 2])
    func killedAtRandom(seed: UInt64) throws {
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        var run = try ElasticRun(steps: Self.steps, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        for _ in 0..<5 {
            usleep(UInt32(50_000 + random.nextIndex(below: 2_500_000)))
            run.daemon.signal(SIGKILL)
            #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
            try run.serveAgain(["--resume-all"])
        }
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("F16: stopped for longer than a worker may be silent, it takes nobody for lost, and nobody leaves it")
    func suspended() throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 3, serve: ["--heartbeat-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 5 })
        run.daemon.signal(SIGSTOP)
        usleep(7_000_000)
        run.daemon.signal(SIGCONT)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
    }

    @Test("F14: with one worker left of three the run goes on, and with those that join later, too")
    func downToOne() throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 3,
            environment: ["WAFERMARK_FAULTS": "slow@forward:0,kill:0@apply:5,kill:2@exchange:8"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 10 }, "\(run.words)")
        let joined = try (0..<2).map { _ in
            try Program.start(["worker", "--join", "ipc://\(run.state)/sockets/\(run.id)"])
        }
        try run.waitForEnd()
        for worker in joined { #expect(try worker.wait(seconds: 30).status == 0, "\(worker.standardError)") }
        try run.expect(like: Self.reference.get())
        #expect(run.words.contains { $0.contains("worker 1: lanes 0 to 3") }, "\(run.words)")
        #expect(try run.record().workerSteps.suffix(3).map(\.rank.index) == [1, 3, 4])
    }

    @Test("F20: 64 descriptors suffice for a run of four workers; with too few, the run fails with its reason")
    func fewDescriptors() throws {
        let run = try ElasticRun(steps: 12, workers: 4, descriptors: 64)
        try run.waitForEnd()
        try run.expect(like: try ElasticRun.reference(steps: 12))
    }

    @Test("F21: a worker that does not leave after its last word holds nothing up, and is ended")
    func lingeringWorker() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, environment: ["WAFERMARK_FAULTS": "stop:1@finished"])
        try run.waitForEnd(seconds: 60)
        try run.expect(like: try ElasticRun.reference(steps: 12))
    }
}
