import Foundation
import Jobs
import Runs
import Testing

@Suite("A run in one file")
struct ArchiveTests {
    private func record() throws -> RunRecord {
        var run = try StoreFixture.run("0123abcd")
        run.state = .failed(reason: "why \"so\"")
        var steps = (0..<10).map { StoreFixture.step($0) }
        steps[3].loss = .nan
        steps[4].gradientNorm = .infinity
        let additions = StoreFixture.additions(steps: 0..<10)
        return RunRecord(
            run: run, steps: steps, workerSteps: additions.workerSteps, evaluations: additions.evaluations,
            events: additions.events)
    }

    @Test("comes back to the bit, numbers that are none among them")
    func roundTrip() throws {
        let record = try record()
        let back = try RunArchive.decode(try RunArchive.encode(record), name: "f")
        #expect(back.steps[3].loss.isNaN && back.steps[4].gradientNorm == .infinity)
        var (a, b) = (record, back)
        // NaN is not equal to itself.
        a.steps[3].loss = 0
        b.steps[3].loss = 0
        #expect(a == b)
    }

    @Test("B9: parts that begin in another order than they are made in are refused")
    func partsInOrder() throws {
        var record = try record()
        record.workerSteps[1].timeline?.parts.commit = .zero
        let data = try RunArchive.encode(record)
        #expect(throws: RunArchiveError.self) { try RunArchive.decode(data, name: "f") }
    }

    @Test("is kept in a store with an event that says where it came from; once")
    func store() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let record = try record()
        try store.insert(record, importedFrom: "there.json")
        let kept = try store.record(of: record.run.id)
        #expect(kept.run == record.run && kept.workerSteps == record.workerSteps)
        #expect(kept.events.dropLast() == record.events[...])
        #expect(kept.events.last?.kind == .imported)
        #expect(kept.events.last?.message == "imported from there.json")
        #expect(throws: RunStoreError.duplicateRun(record.run.id)) { try store.insert(record, importedFrom: "again") }
        #expect(try store.record(of: record.run.id).events.count == kept.events.count)
    }

    @Test("is not made of a run that goes on")
    func notEnded() throws {
        var record = try record()
        record.run.state = .running
        #expect(throws: RunArchiveError.notEnded(record.run.id, state: "running")) { try RunArchive.encode(record) }
    }

    @Test("that was changed is refused, wherever")
    func altered() throws {
        let text = String(decoding: try RunArchive.encode(try record()), as: UTF8.self)
        let changed = text.replacingOccurrences(of: "\"sequences\":8", with: "\"sequences\":9")
        #expect(changed != text)
        #expect(throws: RunArchiveError.altered(file: "f")) { try RunArchive.decode(Data(changed.utf8), name: "f") }
        // Whatever byte is lost, there is an error and no trap.
        let data = Data(text.utf8)
        for index in stride(from: 0, to: data.count, by: max(1, data.count / 97)) {
            #expect(throws: RunArchiveError.self) { try RunArchive.decode(data.prefix(index), name: "f") }
        }
    }

    @Test(
        "that is something else is refused by name",
        arguments: ["", "[]", "{}", "{\"format\":\"x\",\"version\":1}", "\u{0}"])
    func somethingElse(text: String) {
        #expect(throws: RunArchiveError.notAnArchive(file: "f")) { try RunArchive.decode(Data(text.utf8), name: "f") }
    }

    @Test("of a later version is refused, and says which is read")
    func laterVersion() throws {
        let text = "{\"format\":\"wafermark-run\",\"version\":2}"
        #expect(throws: RunArchiveError.otherVersion(file: "f", found: 2, allowed: 1)) {
            try RunArchive.decode(Data(text.utf8), name: "f")
        }
    }

    @Test("that no run could have recorded is refused although its digest is right")
    func impossible() throws {
        func refused(_ key: String, _ change: (inout RunRecord) -> Void) throws {
            var record = try record()
            change(&record)
            let data = try RunArchive.encode(record)
            let error = #expect(throws: RunArchiveError.self) { try RunArchive.decode(data, name: "f") }
            #expect(error?.description.contains(key) == true, "\(error?.description ?? "no error")")
        }
        try refused("record.steps") { $0.steps.swapAt(0, 1) }
        try refused("record.steps") { $0.steps[9].step = StepNumber(10) }
        try refused("record.steps") { $0.steps[1].duration = HostSeconds(-1) }
        try refused("record.workerSteps") { $0.workerSteps[0].sent = Bytes(-1) }
        try refused("record.workerSteps") { $0.workerSteps[0].rank = WorkerRank(-1) }
        try refused("record.evaluations") { $0.evaluations[0].stepsMade = 11 }
        try refused("record.run.workers") { $0.run.workers = 0 }
        try refused("record.run.job") { $0.run.job.lanes = 0 }
    }
}
