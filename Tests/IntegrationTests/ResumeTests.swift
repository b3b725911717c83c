import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("A run that was cut short goes on to the same bits", .serialized)
struct ResumeTests {
    private static let steps = 60
    private static let reference = Result { try ElasticRun.reference(steps: steps) }

    @Test(
        "F15, F31: after kill -9 of the coordinator, with as many workers, fewer, more, and on the wafer",
        arguments: [("cluster", 4, 4), ("cluster", 4, 1), ("cluster", 2, 3), ("wafer", 1, 1)])
    func killedCoordinator(backend: String, before: Int, after: Int) throws {
        var run = try ElasticRun(
            steps: Self.steps, backend: backend, workers: before, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 9 })
        run.daemon.signal(SIGKILL)
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
        try run.serveAgain()
        let resume = try Program.run(
            ["runs", "resume", run.id, "--state", run.state] + (backend == "wafer" ? [] : ["--workers", "\(after)"]))
        #expect(resume.status == 0, "\(resume.standardError)")
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.words.contains { $0.contains("goes on from the checkpoint after") }, "\(run.words)")
    }

    @Test("a daemon that is started with --resume-all goes on by itself")
    func resumeAll() throws {
        var run = try ElasticRun(steps: Self.steps, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 9 })
        run.daemon.signal(SIGKILL)
        try run.serveAgain(["--resume-all"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("F31: where the newest checkpoint is damaged the one before it serves, and that is said")
    func damagedCheckpoint() throws {
        var run = try ElasticRun(steps: Self.steps, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.checkpoints.count >= 2 })
        run.daemon.signal(SIGKILL)
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
        let names = run.checkpoints
        let newest = try #require(names.last)
        let file = run.state + "/runs/\(run.id)/checkpoints/\(newest)/weights.safetensors"
        var bytes = try #require(FileManager.default.contents(atPath: file))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: file))
        try run.serveAgain()
        #expect(try Program.run(["runs", "resume", run.id, "--state", run.state]).status == 0)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.words.contains { $0.contains("passed over") && $0.contains(newest) }, "\(run.words)")
        #expect(
            run.words.contains { $0.contains("goes on from the checkpoint") && $0.contains(names[names.count - 2]) })
    }

    @Test(
        "a cancelled run has a last checkpoint, leaves nothing behind, and can go on", arguments: ["cluster", "wafer"])
    func cancelled(backend: String) throws {
        let run = try ElasticRun(
            steps: Self.steps, backend: backend, workers: backend == "wafer" ? 1 : 3,
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 5 })
        #expect(try Program.run(["runs", "cancel", run.id, "--state", run.state]).status == 0)
        #expect(Eventually.holds(within: 30) { RunListing.states(run.state) == ["cancelled"] }, "\(run.words)")
        let made = run.stepsMade
        #expect(
            run.checkpoints.last?.hasSuffix("-" + String("0000000\(made)".suffix(8))) == true,
            "\(run.checkpoints) \(made)")
        #expect(Eventually.holds(within: 10) { Leftovers.processes(of: run.state).isEmpty })
        #expect(Leftovers.sockets(of: run.state) == ["control"])
        #expect(try Program.run(["runs", "resume", run.id, "--state", run.state]).status == 0)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("F3: asked twice it ends at once, also where a worker heeds nothing")
    func cancelledTwice() throws {
        let run = try ElasticRun(
            steps: Self.steps, workers: 2,
            environment: ["WAFERMARK_FAULTS": "spin:1@forward:6,slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade >= 6 })
        #expect(try Program.run(["runs", "cancel", run.id, "--state", run.state]).status == 0)
        #expect(RunListing.states(run.state) == ["running"])
        #expect(try Program.run(["runs", "cancel", run.id, "--state", run.state]).status == 0)
        #expect(Eventually.holds(within: 20) { RunListing.states(run.state) == ["cancelled"] }, "\(run.words)")
        #expect(Eventually.holds(within: 10) { Leftovers.processes(of: run.state).isEmpty })
    }

    @Test("what can't go on is refused, by its reason")
    func refused() throws {
        let run = try ElasticRun(steps: 6, workers: 2, environment: [:])
        try run.waitForEnd()
        let complete = try Program.run(["runs", "resume", run.id, "--state", run.state])
        #expect(complete.status == 1 && complete.standardError.contains("is complete"), "\(complete.standardError)")
        let neither = try Program.run(["runs", "resume", "--state", run.state])
        #expect(neither.status == 2 && neither.standardError.contains("--resume-all"))
    }
}
