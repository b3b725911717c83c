import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("F31: checkpoints on bad days", .serialized)
struct CheckpointFaultTests {
    private static let steps = 40
    private static let reference = Result { try ElasticRun.reference(steps: steps) }

    private func checkpointFolder(_ run: ElasticRun) -> String { run.state + "/runs/\(run.id)/checkpoints" }

    /// `CHECKPOINT_KILLS=100 swift test -c release --filter killedWhileSaving` runs the long version.
    private static var kills: Int {
        ProcessInfo.processInfo.environment["CHECKPOINT_KILLS"].flatMap(Int.init) ?? 6
    }

    @Test(
        "workers that are killed in the middle of a save, at moments that a seed chooses, leave the save before it whole"
    )
    func killedWhileSaving() throws {
        // Every fourth step is saved, and what was killed in a save makes it again.
        let steps = max(Self.steps, 4 * Self.kills + 16)
        let reference = steps == Self.steps ? try Self.reference.get() : try ElasticRun.reference(steps: steps)
        var random = CounterRandom(seed: 3, purpose: .statistics, step: 0)
        var run = try ElasticRun(steps: steps, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        var halfSaved = 0
        for _ in 0..<Self.kills {
            let made = run.stepsMade
            guard Eventually.holds(within: 60, { run.stepsMade > made || run.stepsMade >= steps }) else { break }
            let processes = Leftovers.processes(of: run.state)
            // A save takes some milliseconds, so that it is looked for without a pause.
            let end = DispatchTime.now() + 10
            while partialSaves(run).isEmpty, DispatchTime.now() < end { usleep(200) }
            usleep(UInt32(random.nextIndex(below: 4_000)))
            for process in processes { kill(process, SIGKILL) }
            run.daemon.signal(SIGKILL)
            #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
            if !partialSaves(run).isEmpty { halfSaved += 1 }
            try run.serveAgain(["--resume-all"])
        }
        #expect(halfSaved > Self.kills / 10, "\(halfSaved) saves were hit: the test tests nothing")
        try run.waitForEnd()
        try run.expect(like: reference)
        #expect(partialSaves(run).isEmpty)
    }

    private func partialSaves(_ run: ElasticRun) -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: checkpointFolder(run))) ?? []).filter {
            $0.hasSuffix(".partial")
        }
    }

    @Test("what four workers saved is read by three, and by one, to the same bits", arguments: [3, 1])
    func fewerWorkers(count: Int) throws {
        let run = try ElasticRun(steps: Self.steps, workers: 4, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 9 })
        #expect(try Program.run(["runs", "cancel", run.id, "--state", run.state]).status == 0)
        #expect(Eventually.holds(within: 30) { RunListing.states(run.state) == ["cancelled"] }, "\(run.words)")
        #expect(
            try Program.run(["runs", "resume", run.id, "--state", run.state, "--workers", "\(count)"]).status == 0)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test("a folder in which nothing can be made fails the run with its name; it goes on once that is mended")
    func unwritable() throws {
        let run = try ElasticRun(steps: Self.steps, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        let folder = checkpointFolder(run)
        #expect(Eventually.holds(within: 60) { run.checkpoints.count > 1 })
        // A file in the folder's place: nobody can make anything in it, root included.
        try FileManager.default.moveItem(atPath: folder, toPath: folder + "-aside")
        try Data().write(to: URL(fileURLWithPath: folder))
        let hasFailed = Eventually.holds(within: 60) { RunListing.states(run.state) == ["failed"] }
        #expect(hasFailed, "\(run.words)")
        guard case .failed(let reason) = try run.record().run.state else { return }
        #expect(reason.contains(folder), "\(reason)")
        try FileManager.default.removeItem(atPath: folder)
        try FileManager.default.moveItem(atPath: folder + "-aside", toPath: folder)
        #expect(try Program.run(["runs", "resume", run.id, "--state", run.state]).status == 0)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }
}
