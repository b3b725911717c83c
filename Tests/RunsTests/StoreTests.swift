import Foundation
import GRDB
import Jobs
import Runs
import Testing

@Suite("The store of runs")
struct StoreTests {
    @Test("a record comes back as it was written, to the bit")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        var run = try StoreFixture.run("4kq7x2mz")
        try store.insert(run)
        run.state = .finished
        run.started = StoreFixture.start.addingTimeInterval(0.25)
        run.ended = StoreFixture.start.addingTimeInterval(9.75)
        run.machine = Machine(
            processor: "A processor", cores: 2, instructionSet: "avx2", memory: Bytes(1 << 34),
            operatingSystem: "Linux", oneDNN: "2.6", zeroMQ: "4.3", wafermark: "0.1")
        run.corpus = CorpusFacts(
            isSynthetic: true, trainingDocuments: 95, heldOutDocuments: 5, trainingTokens: 10_000,
            vocabularySize: 500, digest: "abc")
        run.outcome = RunOutcome(
            steps: 10, trainingTime: HostSeconds(9.5), timeToTarget: nil, weightsDigest: "ff", modelDirectory: "/m")
        var additions = StoreFixture.additions(steps: 0..<10)
        additions.steps[3].loss = 0.1 + 0.2
        additions.steps[4].loss = Double(bitPattern: 0x3FF0_0000_0000_0001)
        try store.update(run, appending: additions)

        let expected = RunRecord(
            run: run, steps: additions.steps, workerSteps: additions.workerSteps, evaluations: additions.evaluations,
            events: additions.events)
        #expect(try store.record(of: run.id) == expected)
        let reopened = try RunStore(readingFrom: folder.path)
        #expect(try reopened.record(of: run.id) == expected)
    }

    @Test("a loss that is no number stays one")
    func notANumber() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("4kq7x2mz")
        try store.insert(run)
        try store.append(
            RunAdditions(steps: [StoreFixture.step(0, loss: .nan), StoreFixture.step(1, loss: .infinity)]), to: run.id)
        let steps = try store.record(of: run.id).steps
        #expect(steps[0].loss.isNaN)
        #expect(steps[1].loss == .infinity)
    }

    @Test("a step that is made again replaces its record; events only grow")
    func repeatedStep() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("4kq7x2mz")
        try store.insert(run)
        try store.append(StoreFixture.additions(steps: 0..<5), to: run.id)
        var again = StoreFixture.additions(steps: 4..<6)
        again.steps[0].duration = HostSeconds(3)
        try store.append(again, to: run.id)
        let record = try store.record(of: run.id)
        #expect(record.steps.map(\.step.index) == [0, 1, 2, 3, 4, 5])
        #expect(record.steps[4].duration == HostSeconds(3))
        #expect(record.workerSteps.count == 12)
        #expect(record.events.count == 2)
    }

    @Test("a watcher can ask for the steps that it has not seen")
    func stepsFrom() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("4kq7x2mz")
        try store.insert(run)
        try store.append(StoreFixture.additions(steps: 0..<8), to: run.id)
        let record = try store.record(of: run.id, stepsFrom: StepNumber(6))
        #expect(record.steps.map(\.step.index) == [6, 7])
        #expect(record.workerSteps.map(\.step.index) == [6, 6, 7, 7])
    }

    @Test("runs are listed newest first, with their progress")
    func list() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        try store.insert([
            StoreFixture.run("aaaaaaaa", after: 10),
            StoreFixture.run("bbbbbbbb", backend: .wafer, workers: 1, after: 30),
            StoreFixture.run("cccccccc", after: 20),
        ])
        try store.append(StoreFixture.additions(steps: 0..<7), to: StoreFixture.id("cccccccc"))
        let list = try store.list()
        #expect(list.map(\.id.text) == ["bbbbbbbb", "cccccccc", "aaaaaaaa"])
        #expect(list.map(\.stepsMade) == [0, 7, 0])
        #expect(list.map(\.stepsPlanned) == [10, 10, 10])
        #expect(list[1] == RunSummary(try store.record(of: list[1].id)))
        #expect(try store.list(limit: 1).map(\.id.text) == ["bbbbbbbb"])
    }

    @Test("steps that are made again don't count twice, and a list reads its index alone")
    func listIndex() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        try store.insert([StoreFixture.run("aaaaaaaa"), StoreFixture.run("bbbbbbbb", after: 1)])
        let id = try StoreFixture.id("aaaaaaaa")
        try store.append(StoreFixture.additions(steps: 0..<7), to: id)
        try store.append(StoreFixture.additions(steps: 4..<6), to: id)
        #expect(try store.list().map(\.stepsMade) == [0, 7])
        #expect(try store.count() == 2)
        let plan = try DatabaseQueue(path: folder.database).read {
            try Row.fetchAll(
                $0,
                sql: """
                    EXPLAIN QUERY PLAN SELECT id, job_name, backend, workers, hardware, state, failure, submitted,
                        started, ended, steps_made, steps_planned, training_host_seconds, time_to_target_host_seconds,
                        is_pinned FROM runs ORDER BY submitted DESC, number DESC LIMIT 10
                    """
            ).map { $0["detail"] as String }
        }
        #expect(plan.count == 1 && plan[0].contains("COVERING INDEX runs_listed"), "\(plan)")
    }

    @Test("a pin is the run's until it is taken away, whatever else is written of the run")
    func pins() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        var run = try StoreFixture.run("aaaaaaaa")
        try store.insert(run)
        try store.pin(run.id)
        run.state = .finished
        try store.update(run)
        #expect(try store.list().map(\.isPinned) == [true])
        try RunStore(directory: folder.path).pin(run.id, false)
        #expect(try store.list().map(\.isPinned) == [false])
        #expect(throws: RunStoreError.noRun(prefix: "zzzzzzzz")) { try store.pin(StoreFixture.id("zzzzzzzz")) }
    }

    @Test("a run is followed while one that comes after it has not finished")
    func followed() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let first = try StoreFixture.run("aaaaaaaa")
        var second = try StoreFixture.run("bbbbbbbb", after: 1)
        second.terms = SubmissionTerms(after: [first.id])
        var third = try StoreFixture.run("cccccccc", after: 2)
        third.terms = SubmissionTerms(priority: 3)
        try store.insert([first, second, third])
        #expect(try store.followed() == [first.id])
        for (state, isFollowed) in [(RunState.failed(reason: "x"), true), (.interrupted, true), (.finished, false)] {
            second.state = state
            try store.update(second)
            #expect(try store.followed() == (isFollowed ? [first.id] : []), "\(state)")
        }
    }

    @Test("a run is found by the start of its id, where that is one run's alone")
    func prefix() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        try store.insert([
            StoreFixture.run("4kq7x2mz"), StoreFixture.run("4kzzzzzz", after: 1), StoreFixture.run("9abcdefg"),
        ])
        #expect(try store.id(startingWith: "9").text == "9abcdefg")
        #expect(try store.find("4KQ").id.text == "4kq7x2mz")
        #expect(try store.find("4kq7x2mz").id.text == "4kq7x2mz")
        let several = RunStoreError.severalRuns(
            prefix: "4k", ids: [try StoreFixture.id("4kzzzzzz"), try StoreFixture.id("4kq7x2mz")])
        #expect(throws: several) { try store.find("4k") }
        #expect(throws: RunStoreError.noRun(prefix: "77")) { try store.find("77") }
        for text in ["", "il", "*", "4kq7x2mz0", "'; --", "../x"] {
            #expect(throws: RunStoreError.notAnID(text)) { try store.find(text) }
        }
    }

    @Test("a second run of the same id is refused, and none of its batch is kept")
    func duplicate() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("aaaaaaaa")
        try store.insert(run)
        #expect(throws: RunStoreError.duplicateRun(run.id)) {
            try store.insert([StoreFixture.run("bbbbbbbb"), run])
        }
        #expect(try store.list().count == 1)
    }

    @Test("deleting an ended run forgets its series too; a running one is refused")
    func delete() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        var run = try StoreFixture.run("aaaaaaaa")
        run.state = .running
        try store.insert(run)
        try store.append(StoreFixture.additions(steps: 0..<5), to: run.id)
        #expect(throws: RunStoreError.notEnded(run.id, state: "running")) { try store.delete(run.id) }
        run.state = .cancelled
        try store.update(run)
        try store.delete(run.id)
        #expect(throws: RunStoreError.noRun(prefix: "aaaaaaaa")) { try store.record(of: run.id) }
        #expect(throws: RunStoreError.noRun(prefix: "aaaaaaaa")) { try store.delete(run.id) }
        // A new run of the same number must not find old steps.
        try store.insert(StoreFixture.run("bbbbbbbb"))
        #expect(try store.record(of: StoreFixture.id("bbbbbbbb")).steps.isEmpty)
    }

    @Test("runs that had not ended are marked as interrupted, with an event; ended ones are left alone")
    func interrupted() throws {
        let folder = try TemporaryFolder()
        let states: [(String, RunState)] = [
            ("aaaaaaaa", .queued), ("bbbbbbbb", .preparing), ("cccccccc", .running), ("dddddddd", .finished),
            ("eeeeeeee", .failed(reason: "worker 1 was lost")), ("ffffffff", .cancelled),
        ]
        let runs = try states.map { id, state in
            var run = try StoreFixture.run(id)
            run.state = state
            return run
        }
        try RunStore(directory: folder.path).insert(runs)

        let store = try RunStore(directory: folder.path)
        let time = StoreFixture.start.addingTimeInterval(100)
        #expect(try store.markInterrupted(at: time).map(\.text) == ["aaaaaaaa", "bbbbbbbb", "cccccccc"])
        #expect(try store.markInterrupted(at: time).isEmpty)
        let record = try store.record(of: runs[2].id)
        #expect(record.run.state == .interrupted)
        #expect(record.run.ended == time)
        #expect(record.events.map(\.message) == ["interrupted: the daemon ended while the run was running"])
        #expect(try store.run(runs[4].id).state == .failed(reason: "worker 1 was lost"))
        #expect(try store.list().map(\.state.name).filter { $0 == "interrupted" }.count == 3)
    }

    @Test("reading where there is no database finds no runs and makes no file")
    func absent() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(readingFrom: folder.path + "/nowhere")
        #expect(try store.list().isEmpty)
        #expect(throws: RunStoreError.noRun(prefix: "4k")) { try store.find("4k") }
        #expect(!FileManager.default.fileExists(atPath: folder.path + "/nowhere"))
    }

    @Test("a reader sees what a writer commits, and can't write")
    func readingWhileWriting() throws {
        let folder = try TemporaryFolder()
        let writer = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("aaaaaaaa")
        try writer.insert(run)
        let reader = try RunStore(readingFrom: folder.path)
        #expect(try reader.record(of: run.id).steps.isEmpty)
        try writer.append(StoreFixture.additions(steps: 0..<3), to: run.id)
        #expect(try reader.record(of: run.id).steps.count == 3)
        #expect(throws: RunStoreError.readOnly(path: folder.database)) { try reader.delete(run.id) }
    }

    @Test("ten thousand runs are listed whole, without a job decoded")
    func manyRuns() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        var generator = CounterRandom(seed: 1, purpose: .statistics)
        let job = StoreFixture.job
        let runs = (0..<10_000).map { index in
            Run(
                id: .random(using: &generator), job: job, backend: .wafer, workers: 1, hardware: nil,
                submitted: StoreFixture.start.addingTimeInterval(Double(index)))
        }
        try store.insert(runs)
        let list = try store.list()
        #expect(list.count == 10_000)
        #expect(list.first?.id == runs.last?.id)
    }
}
