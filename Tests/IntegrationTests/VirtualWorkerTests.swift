import Foundation
import Runs
import TestSupport
import Testing

@Suite("Virtual devices beside workers", .serialized)
struct VirtualWorkerTests {
    private static let steps = 6
    private static let reference = Result { try ElasticRun.reference(steps: steps, lanes: 8) }
    private static let machine = ["--hardware", "dgx1-v100-16g", "--emulate", "--devices-per-node", "2"]

    private func run(
        workers: Int, virtual: Int, dilation: Int = 200, _ more: [String] = [], environment: [String: String] = [:]
    ) throws -> ElasticRun {
        let virtual = virtual == 0 ? [] : ["--virtual", "\(virtual)"]
        let run = try ElasticRun(
            steps: Self.steps, lanes: 8, workers: workers,
            launch: Self.machine + ["--dilation", "\(dilation)"] + virtual + more, environment: environment)
        try run.waitForEnd(seconds: 240)
        return run
    }

    @Test(
        "four workers and four virtual ones take as long as eight workers, within 3 %, and train the same bits",
        arguments: ["direct", "ring"])
    func likeWorkers(algorithm: String) throws {
        // Seconds of a step, so that a busy host's lateness is little beside it.
        let real = try run(workers: 8, virtual: 0, dilation: 1_500, ["--algorithm", algorithm])
        let mixed = try run(workers: 4, virtual: 4, dilation: 1_500, ["--algorithm", algorithm])
        try real.expect(like: Self.reference.get())
        try mixed.expect(like: Self.reference.get())
        let (all, half) = (try real.record(), try mixed.record())
        let whole = try #require(all.emulatedStepMean?.seconds, "\(all.emulatedSteps)")
        let part = try #require(half.emulatedStepMean?.seconds, "\(half.emulatedSteps)")
        #expect(abs(part / whole - 1) < 0.03, "\(part) s with virtual workers, \(whole) s without")
        // Whoever sends: the links of all eight devices carry what they would.
        let bytes = { (record: RunRecord) in (record.run.emulation?.links ?? []).map(\.bytes).reduce(0, +) }
        #expect(abs(bytes(half) / bytes(all) - 1) < 0.05, "\(bytes(half)) \(bytes(all))")
    }

    @Test("one worker trains for sixteen devices, and the record and the page of the run say which is it")
    func oneForAll() throws {
        let run = try run(workers: 1, virtual: 15, dilation: 100)
        try run.expect(like: Self.reference.get())
        let record = try run.record()
        #expect(record.run.emulation?.settings.virtualWorkers == 15)
        #expect(record.emulatedSteps.count == Self.steps - 1, "\(run.words)")
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state]).standardOutput
        let words = shown.split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(words.contains("16 devices: worker 0 is a process, 1 to 15 are virtual"), "\(shown)")
        let json = try Program.run(["runs", "show", run.id, "--state", run.state, "--json"]).standardOutput
        #expect(json.contains("\"virtual_workers\" : 15") || json.contains("\"virtual_workers\": 15"), "\(json)")
    }

    @Test("F1: a worker that is killed beside virtual ones is done without")
    func lostWorker() throws {
        let run = try run(
            workers: 3, virtual: 5, dilation: 50, environment: ["WAFERMARK_FAULTS": "kill:1@exchange:5"])
        try run.expect(like: Self.reference.get())
        #expect(run.events.contains { $0.kind == .workerLost })
    }

    @Test("F22: lost frames cost what a retransmission costs, and change no bit", arguments: [0, 2])
    func loss(virtual: Int) throws {
        let run = try run(workers: 4 - virtual, virtual: virtual, dilation: 20, ["--inject", "drop=10%"])
        try run.expect(like: Self.reference.get())
        let emulation = try #require(try run.record().run.emulation)
        #expect((emulation.links ?? []).compactMap(\.lost).reduce(0, +) > 0)
        let cost = try #require(emulation.faultCosts?.first)
        let step = try #require(emulation.modelledStep)
        // One frame of a step in ten or more: every step has one, and waits for its time-out.
        #expect(step.seconds - cost.stepWithout.seconds > 0.19, "\(step) \(cost)")
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state]).standardOutput
        #expect(shown.contains("Cost of a fault") && shown.contains("drop=10.0%"), "\(shown)")
    }

    @Test(
        "B7: what can't be virtual is refused before anything is started",
        arguments: [
            ["--virtual", "0"], ["--virtual", "5000"], ["--virtual", "20"],
            ["--virtual", "2", "--inject", "fail-node=1@5"], ["--virtual", "1"], ["--inject", "drop=60%"],
            ["--inject", "drop=0.1"], ["--inject", "drop=node7:1%"],
        ])
    func refused(arguments: [String]) throws {
        let folder = try TemporaryFolder()
        let job = try folder.write(JobFixtures.small(), to: "job.yaml")
        let outcome = try Program.run(
            ["launch", "cluster", job, "--workers", "2", "--state", folder.path + "/s"] + Self.machine + arguments)
        #expect(outcome.status == 2, "\(outcome.status) \(outcome.standardError)")
        #expect(!outcome.standardError.contains("daemon"), "\(outcome.standardError)")
    }
}
