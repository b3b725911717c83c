import Foundation
import Runs
import TestSupport
import Testing

@Suite("Emulated clusters", .serialized)
struct EmulationTests {
    private static let reference = Result { try ElasticRun.reference(steps: 12) }
    /// Four workers, each a node of its own, so that every frame passes two network interfaces.
    private static let machine = ["--hardware", "dgx1-v100-16g", "--emulate", "--devices-per-node", "1"]

    @Test("the bits are the wafer's, whatever the algorithm", arguments: ["direct", "star", "ring", "tree"])
    func sameBits(algorithm: String) throws {
        let run = try ElasticRun(
            steps: 12, workers: 4, launch: Self.machine + ["--dilation", "50", "--algorithm", algorithm])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        let record = try run.record()
        // All but the first, in which connections are made.
        #expect(record.emulatedSteps.count == 11, "\(run.words)")
        #expect(record.run.exchange?.transport == .ipc)
        let links = try #require(record.run.emulation?.links)
        // The first worker sends and takes gradients by any algorithm.
        #expect(links.contains { $0.name == "node0.nic0.out" && $0.bytes > 0 && $0.busy.seconds > 0 })
        #expect(links.contains { $0.name == "node0.nic0.in" && $0.bytes > 0 })
    }

    @Test("the dilation is measured in the first steps, and the run says so")
    func measuredDilation() throws {
        let run = try ElasticRun(steps: 12, workers: 2, launch: Self.machine)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        let record = try run.record()
        let dilation = try #require(record.run.emulation?.dilation)
        #expect(dilation > 1)
        #expect((1..<12).contains(record.emulatedSteps.count))
        #expect(record.steps.prefix(3).allSatisfy { $0.emulated == nil })
        #expect(run.words.contains { $0.contains("its clock runs") }, "\(run.words)")
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state])
        #expect(shown.standardOutput.contains("Emulated step"), "\(shown.standardOutput)")
    }

    @Test("a worker by itself stands for a device, too")
    func alone() throws {
        let run = try ElasticRun(steps: 12, workers: 1, launch: Self.machine + ["--dilation", "50"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(try run.record().emulatedSteps.count == 11)
    }

    @Test("F12: a worker that is slow on the emulated machine costs time and changes no bit")
    func slowWorker() throws {
        let sound = try ElasticRun(steps: 12, workers: 2, launch: Self.machine + ["--dilation", "60"])
        try sound.waitForEnd()
        let slow = try ElasticRun(
            steps: 12, workers: 2,
            launch: Self.machine + ["--dilation", "60", "--inject", "slow-worker=1:3x", "--inject", "jitter=0.02"])
        try slow.waitForEnd()
        try slow.expect(like: Self.reference.get())
        let (before, after) = (try sound.record().emulatedSteps, try slow.record().emulatedSteps)
        let mean = { (steps: [EmulatedStep]) in steps.map(\.duration.seconds).reduce(0, +) / Double(steps.count) }
        #expect(mean(after) > 1.5 * mean(before), "\(before) \(after)")
    }

    @Test("writing a checkpoint takes no time on the emulated machine")
    func checkpoint() throws {
        // Those that wait for the worker that writes it would add a tenth to the fifth step, of two seconds.
        let run = try ElasticRun(
            steps: 6, workers: 2, launch: Self.machine + ["--dilation", "1000"],
            environment: ["WAFERMARK_FAULTS": "slow:0@checkpoint,slow:0@checkpointed"])
        try run.waitForEnd()
        let steps = try run.record().emulatedSteps.map(\.duration.seconds)
        let after = try #require(steps.dropFirst(3).first, "\(steps)")
        let others = steps.prefix(3).reduce(0, +) / 3
        #expect(steps.count == 5 && abs(after / others - 1) < 0.05, "\(steps)")
    }

    @Test("a worker that is killed is done without, on the same emulated machine")
    func lostWorker() throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, launch: Self.machine + ["--dilation", "50"],
            environment: ["WAFERMARK_FAULTS": "kill:1@exchange:5"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("F1: a node of the emulated machine that fails takes its workers with it, and changes no bit")
    func failedNode() throws {
        let run = try ElasticRun(
            steps: 12, workers: 4,
            launch: [
                "--hardware", "dgx1-v100-16g", "--emulate", "--devices-per-node", "2", "--dilation", "50", "--inject",
                "fail-node=1@5",
            ])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.events.count { $0.kind == .workerLost } == 2, "\(run.words)")
    }

    @Test("the run ends, and names the fabric, when that is killed")
    func killedFabric() throws {
        let run = try ElasticRun(steps: 400, workers: 2, launch: Self.machine + ["--dilation", "100"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 2 }, "\(run.words)")
        let fabric = try #require(Leftovers.processes(of: run.state, kinds: ["fabric"]).first)
        kill(fabric, SIGKILL)
        #expect(Eventually.holds(within: 30) { (try? run.record())?.run.state.isFinal ?? false })
        guard case .failed(let reason) = try run.record().run.state else {
            Issue.record("\(try run.record().run.state)")
            return
        }
        #expect(reason.contains("fabric") && reason.contains("SIGKILL"), "\(reason)")
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
        #expect(Leftovers.sockets(of: run.state) == ["control"])
    }

    @Test(
        "B7: what makes no emulation is refused before anything is started",
        arguments: [
            ["--dilation", "2"], ["--emulate"], ["--emulate", "--hardware", "cs1"],
            ["--emulate", "--hardware", "dgx1-v100-16g", "--dilation", "fast"],
            ["--emulate", "--hardware", "dgx1-v100-16g", "--inject", "slow-worker=7:2x"],
            ["--emulate", "--hardware", "dgx1-v100-16g", "--inject", "slow-link=node0:2x"],
            ["--emulate", "--hardware", "dgx1-v100-16g", "--devices-per-node", "16"],
            ["--emulate", "--hardware", "dgx1-v100-16g", "--stand-for", "huge"],
        ])
    func refused(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let outcome = try Program.run(
            ["launch", "cluster", job, "--workers", "2", "--state", folder.path + "/s"] + arguments)
        #expect(outcome.status == 2, "\(outcome.status) \(outcome.standardError)")
        #expect(!outcome.standardError.contains("daemon"), "\(outcome.standardError)")
    }
}
