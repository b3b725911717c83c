import Dashboard
import Foundation
import Jobs
import Runs
import Testing

@Suite("A run's feed")
struct RunFeedTests {
    /// A store of one run in a folder that the system clears.
    private func store() throws -> (store: RunStore, run: Run) {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("feed-\(UUID().uuidString)").path
        let store = try RunStore(directory: folder)
        let run = Run(
            id: RunID.random(), job: try JobExample.demo.job(), backend: .cluster, workers: 2, hardware: nil,
            submitted: Date(timeIntervalSince1970: 0))
        try store.insert(run)
        return (store, run)
    }

    private func step(_ index: Int, loss: Double = 5) -> StepRecord {
        StepRecord(
            step: StepNumber(index), loss: loss, maskedLoss: 4, nextSentenceLoss: 1, maskedAccuracy: 0.1,
            learningRate: 1,
            gradientNorm: 1, sequences: 8, tokens: 64, elapsed: HostSeconds(0.5 * Double(index + 1)),
            duration: HostSeconds(0.5))
    }

    @Test("tells each step once, and nothing where nothing is new")
    func steps() throws {
        let (store, run) = try store()
        var feed = RunFeed(of: run.id, in: store)
        let first = try #require(try feed.next())
        #expect(first.steps.isEmpty && first.run.state == "queued" && !first.run.isFinal)
        #expect(try feed.next() == nil)
        try store.append(
            RunAdditions(
                steps: [step(0), step(1, loss: .nan)],
                events: [RunEvent(time: Date(timeIntervalSince1970: 1), kind: .warning, message: "m")]), to: run.id)
        let second = try #require(try feed.next())
        #expect(second.steps.map(\.step) == [0, 1])
        #expect(second.steps.map(\.lossNats) == [5, nil])
        #expect(second.events.map(\.message) == ["m"])
        #expect(second.run.stepsMade == 2)
        #expect(second.run.sequencesPerHostSecond == 16)
        try store.append(RunAdditions(steps: [step(2)]), to: run.id)
        let third = try #require(try feed.next())
        #expect(third.steps.map(\.step) == [2] && third.events.isEmpty && third.run.stepsMade == 3)
        #expect(third.run.remainingHostSeconds == 0.5 * Double(run.job.totalSteps - 3))
    }

    @Test("a long run's first frame is thinned, and has the newest step")
    func thinned() throws {
        let (store, run) = try store()
        try store.append(RunAdditions(steps: (0..<4_501).map { step($0) }), to: run.id)
        var feed = RunFeed(of: run.id, in: store)
        let frame = try #require(try feed.next())
        #expect(frame.steps.count <= 2_001 && frame.steps.count > 1_000)
        #expect(frame.steps.last?.step == 4_500)
        #expect(frame.run.stepsMade == 4_501)
    }

    @Test("the end is told")
    func end() throws {
        let (store, run) = try store()
        var feed = RunFeed(of: run.id, in: store)
        _ = try feed.next()
        var ended = run
        ended.state = .failed(reason: "why")
        try store.update(ended)
        let frame = try #require(try feed.next())
        #expect(frame.run.isFinal && frame.run.canResume && frame.run.failure == "why")
    }
}
