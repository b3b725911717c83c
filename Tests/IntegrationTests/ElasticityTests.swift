import Foundation
import Jobs
import Runs
import TestSupport
import Testing

/// A run that faults disturb, beside the same run undisturbed.
@Suite("Faults leave no trace in losses and weights", .serialized)
struct ElasticityTests {
    /// What the run gives that nothing disturbs: made once, by the wafer, which no worker's fault can reach.
    private static let reference = Result { try ElasticRun.reference(steps: 12) }
    private static let longReference = Result { try ElasticRun.reference(steps: 60) }

    @Test(
        "F1, F4: a worker that ends at any point of its life",
        arguments: [
            "kill:1@launch", "kill:1@hello", "kill:1@load", "kill:1@forward:3", "kill:1@backward:3",
            "kill:1@exchange:3", "kill:1@apply:3", "kill:0@apply:3", "kill:1@applied:3", "kill:0@applied:3",
            "kill:1@evaluate:6", "kill:0@checkpoint:4", "kill:0@checkpointed:4", "kill:1@finish", "kill:0@finish",
            "kill:1@finished", "segv:1@backward:2", "abort:1@exchange:2", "exit0:1@apply:5", "exit1:0@forward:5",
            "exit137:2@backward:1", "error:1@exchange:4",
        ])
    func ends(fault: String) throws {
        let run = try ElasticRun(steps: 12, workers: 3, environment: ["WAFERMARK_FAULTS": fault])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.events.contains { $0.kind == .workerLost } || fault.contains("@finish"), "\(run.words)")
    }

    @Test(
        "F8: several at once, and again during recovery, three deep; all at once",
        arguments: [
            "kill:1@apply:3,kill:2@apply:3", "kill:3@backward:2,kill:2@load:2,kill:1@forward:2",
            "kill:0@exchange:5,kill:1@load:5,kill:2@apply:5",
            "kill:0@apply:7,kill:1@apply:7,kill:2@apply:7,kill:3@apply:7",
        ])
    func several(faults: String) throws {
        let run = try ElasticRun(steps: 12, workers: 4, environment: ["WAFERMARK_FAULTS": faults])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("F2: a worker that is stopped for ever is lost once it has been silent for long enough")
    func stopped() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, serve: ["--heartbeat-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "stop:1@exchange:3"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.words.contains { $0.contains("worker 1 was silent for") }, "\(run.words)")
    }

    @Test("F6: a worker whose signs of life stop while its gradients keep coming is not lost")
    func mute() throws {
        let run = try ElasticRun(
            steps: 60, workers: 3, serve: ["--heartbeat-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "mute:1@forward:3,slow:0@forward:3"])
        try run.waitForEnd()
        try run.expect(like: Self.longReference.get())
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
    }

    @Test("F2: a stopped worker that goes on after it was declared lost is told so and joins anew")
    func zombie() throws {
        let run = try ElasticRun(
            steps: 60, workers: 2, serve: ["--heartbeat-seconds", "2"],
            environment: ["WAFERMARK_FAULTS": "stop:1@exchange:3,slow:0@forward:3"])
        #expect(Eventually.holds(within: 60) { run.words.contains { $0.contains("worker 1 was silent for") } })
        for process in Leftovers.processes(of: run.state) { kill(process, SIGCONT) }
        #expect(Eventually.holds(within: 30) { run.words.contains { $0.contains("is worker 2") } }, "\(run.words)")
        try run.waitForEnd()
        try run.expect(like: Self.longReference.get())
        #expect(run.words.contains { $0.contains("worker 2: lanes") }, "\(run.words)")
    }

    @Test("F5: a worker that computes for ever is named, and lost where others wait for it")
    func spinning() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, serve: ["--collective-seconds", "3", "--stall-seconds", "1"],
            environment: ["WAFERMARK_FAULTS": "spin:1@forward:3"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(
            run.words.contains { $0.contains("no progress for") && $0.contains("waits for worker 1") }, "\(run.words)")
        #expect(run.words.contains { $0.contains("worker 1 made no progress for") }, "\(run.words)")
    }

    @Test("F9: workers that crash again and again without a step in between end the run with an exit code of its own")
    func crashLoop() throws {
        let run = try ElasticRun(
            steps: 12, workers: 2, environment: ["WAFERMARK_FAULTS": "segv@forward:5"])
        let watch = try Program.run(["runs", "watch", run.id, "--state", run.state], seconds: 120)
        #expect(watch.status == 4, "\(watch.standardError)")
        let reason = try #require(RunListing.runs(run.state).first?["failure"] as? String)
        #expect(reason.contains("4 times without a step in between") && reason.contains("SIGSEGV"), "\(reason)")
        #expect(Leftovers.processes(of: run.state).isEmpty)
    }

    @Test("F12: a slow worker is not lost")
    func slow() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, serve: ["--heartbeat-seconds", "2", "--collective-seconds", "1"],
            environment: ["WAFERMARK_FAULTS": "slow:1@forward:2"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
    }

    @Test("F38: a plan of faults that never come changes nothing")
    func injectorAlone() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, environment: ["WAFERMARK_FAULTS": "kill:77@forward:3,abort@forward:77"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
    }

    @Test("F13: a worker joins a run that is under way, gets its state from a peer, and takes lanes")
    func join() throws {
        let run = try ElasticRun(steps: 80, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 3 })
        let joined = try Program.start(["worker", "--join", "ipc://\(run.state)/sockets/\(run.id)"])
        try run.waitForEnd()
        #expect(try joined.wait(seconds: 30).status == 0, "\(joined.standardError)")
        try run.expect(like: try ElasticRun.reference(steps: 80))
        #expect(
            run.words.contains { $0.contains("worker 2: lanes") && $0.contains("passes its state to [2]") },
            "\(run.words)")
    }

    @Test("F37: a quarter of a minute of chaos leaves no trace, whatever the seed", arguments: ["1", "2"])
    func chaos(seed: String) throws {
        let outcome = try Program.run(
            ["bench", "chaos", "--minutes", "0.25", "--steps", "200", "--seed", seed, "--json"], seconds: 240)
        #expect(outcome.status == 0, "\(outcome.standardError.suffix(3_000))")
        let result = try outcome.json()
        // How many there are is the machine's pace.
        #expect((result["faults"] as? [String: Int])?.values.reduce(0, +) ?? 0 > 0, "\(result)")
        #expect(result["runs"] as? Int ?? 0 > 0)
    }
}
