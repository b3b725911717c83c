import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("F12: slow workers", .serialized)
struct StragglerRunTests {
    private static let reference = Result { try ElasticRun.reference(steps: 50, lanes: 8) }

    private func stragglers(_ run: ElasticRun) -> [RunEvent] { run.events.filter { $0.kind == .straggler } }

    private func lanes(of rank: Int, _ run: ElasticRun) throws -> Int? {
        try run.record().workerSteps.last { $0.rank.index == rank }?.lanes
    }

    @Test("one that computes slowly is named, gets the fewest lanes, and stays; the bits are the same")
    func slow() throws {
        let run = try ElasticRun(
            steps: 50, lanes: 8, workers: 2, environment: ["WAFERMARK_FAULTS": "slow:1@forward:1"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        let told = try #require(
            stragglers(run).first { $0.rank == WorkerRank(1) && $0.message.contains("is slow") }, "\(run.words)")
        #expect(told.message.contains("z-score"))
        #expect(told.message.contains("forward and backward passes"), "\(told.message)")
        let slow = try #require(try lanes(of: 1, run))
        let other = try #require(try lanes(of: 0, run))
        #expect(slow < other && slow + other == 8, "\(run.words)")
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state, "--json"])
        let figures = try #require(try shown.json()["run"] as? [String: Any])
        let workers = try #require(figures["worker_parts"] as? [[String: Any]])
        #expect((workers[1]["straggler_z_score"] as? Double ?? 0) > 3.5)
        #expect((workers[1]["own_work_ratio"] as? Double ?? 0) > 2)
        let events = try Program.run(["runs", "events", run.id, "--state", run.state])
        #expect(events.standardOutput.contains("worker 1 is slow"))
    }

    @Test(
        "one that is slow only in reading examples is named by that; equal shares stay equal where they are asked for")
    func slowInput() throws {
        let run = try ElasticRun(
            steps: 50, lanes: 8, workers: 2, launch: ["--lane-shares", "even"],
            environment: ["WAFERMARK_FAULTS": "slow:0@input:1"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        let told = try #require(stragglers(run).first { $0.rank == WorkerRank(0) }, "\(run.words)")
        #expect(told.message.contains("reading examples"), "\(told.message)")
        #expect(try lanes(of: 0, run) == 4 && lanes(of: 1, run) == 4)
        #expect(!run.events.contains { $0.kind == .workerLost }, "\(run.words)")
    }
}
