import Foundation
import GRDB
import Jobs
import Runs
import Testing

@Suite("The store on bad days")
struct StoreFaultTests {
    @Test("a file that is no database is named as such, for the daemon and for readers")
    func notADatabase() throws {
        let folder = try TemporaryFolder()
        try Data(repeating: 0x5A, count: 8_192).write(to: URL(fileURLWithPath: folder.database))
        for open in Self.openings(folder) {
            let error = #expect(throws: RunStoreError.self) { try open() }
            guard case .corrupted(let path, _)? = error else {
                Issue.record("expected a damaged database, found \(String(describing: error))")
                continue
            }
            #expect(path == folder.database)
        }
    }

    @Test("a database whose pages are overwritten is reported as damaged, not trusted")
    func overwrittenPages() throws {
        let folder = try TemporaryFolder()
        do {
            let store = try RunStore(directory: folder.path)
            let run = try StoreFixture.run("aaaaaaaa")
            try store.insert(run)
            try store.append(StoreFixture.additions(steps: 0..<500), to: run.id)
        }
        try Self.settle(folder)
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: folder.database))
        // Everything but the first page, which holds the schema.
        let size = try file.seekToEnd()
        try file.seek(toOffset: 4_096)
        try file.write(contentsOf: Data(repeating: 0xA5, count: Int(size) - 4_096))
        try file.close()
        let error = #expect(throws: RunStoreError.self) {
            let store = try RunStore(readingFrom: folder.path)
            _ = try store.list()
            _ = try store.record(of: StoreFixture.id("aaaaaaaa"))
        }
        guard case .corrupted? = error else {
            Issue.record("expected a damaged database, found \(String(describing: error))")
            return
        }
    }

    @Test("a database of a later version is refused, and left as it is")
    func newerSchema() throws {
        let folder = try TemporaryFolder()
        do { _ = try RunStore(directory: folder.path) }
        try DatabaseQueue(path: folder.database).write { database in
            try database.execute(sql: "INSERT INTO grdb_migrations VALUES ('99 something later')")
        }
        for open in Self.openings(folder) {
            #expect(throws: RunStoreError.newerSchema(path: folder.database)) { try open() }
        }
    }

    @Test("a reader of an earlier version's database says what to do")
    func olderSchema() throws {
        let folder = try TemporaryFolder()
        try DatabaseQueue(path: folder.database).write { database in
            try database.execute(sql: "CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY)")
        }
        #expect(throws: RunStoreError.olderSchema(path: folder.database)) { try RunStore(readingFrom: folder.path) }
        #expect(try RunStore(directory: folder.path).list().isEmpty)
    }

    @Test("runs of a version that did not measure when parts began are read, and go on to be written")
    func withoutStarts() throws {
        let folder = try TemporaryFolder()
        let run = try StoreFixture.run("aaaaaaaa")
        let additions = StoreFixture.additions(steps: 0..<3)
        do {
            let store = try RunStore(directory: folder.path)
            try store.insert(run)
            try store.append(additions, to: run.id)
        }
        // What the migration adds is taken away again.
        try DatabaseQueue(path: folder.database).write { database in
            for part in [
                "started", "compute_start", "waiting_start", "exposed_communication_start", "commit_start",
                "optimizer_start",
            ] {
                try database.execute(sql: "ALTER TABLE worker_steps DROP COLUMN \(part)_host_seconds")
            }
            try database.execute(
                sql: "DELETE FROM grdb_migrations WHERE identifier LIKE '% when the parts of a step began'")
            #expect(database.changesCount == 1)
        }
        #expect(throws: RunStoreError.olderSchema(path: folder.database)) { try RunStore(readingFrom: folder.path) }
        let store = try RunStore(directory: folder.path)
        var before = additions.workerSteps
        for index in before.indices { before[index].timeline = nil }
        #expect(try store.record(of: run.id).workerSteps == before)
        try store.append(StoreFixture.additions(steps: 3..<4), to: run.id)
        #expect(try store.record(of: run.id).workerSteps.last?.timeline != nil)
    }

    @Test("F18: a full disk loses the batch that did not fit, and nothing else")
    func fullDisk() throws {
        let folder = try TemporaryFolder()
        let run = try StoreFixture.run("aaaaaaaa")
        do {
            let store = try RunStore(directory: folder.path, maximumPageCount: 40)
            try store.insert(run)
            try store.append(StoreFixture.additions(steps: 0..<20), to: run.id)
            #expect(throws: RunStoreError.diskFull(path: folder.database)) {
                try store.append(StoreFixture.additions(steps: 20..<5_000), to: run.id)
            }
            #expect(try store.record(of: run.id).steps.count == 20)
            // Once there is room again, or less to write, the store works on.
            try store.append(StoreFixture.additions(steps: 20..<25), to: run.id)
        }
        let record = try RunStore(readingFrom: folder.path).record(of: run.id)
        #expect(record.steps.count == 25)
        #expect(record.workerSteps.count == 50)
        #expect(try Self.integrity(folder) == "ok")
    }

    @Test("F15, F18: a log that was cut anywhere, as a kill -9 may leave it, gives whole transactions")
    func cutLog() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        let run = try StoreFixture.run("aaaaaaaa")
        try store.insert(run)
        for step in 0..<12 { try store.append(StoreFixture.additions(steps: step..<step + 1), to: run.id) }
        // The files as they are while the daemon lives: the log holds all of it.
        let log = try Data(contentsOf: URL(fileURLWithPath: folder.database + "-wal"))
        #expect(log.count > 40_000)
        for cut in stride(from: 0, through: log.count, by: 7_919) {
            let copy = try TemporaryFolder()
            try FileManager.default.copyItem(atPath: folder.database, toPath: copy.database)
            try log.prefix(cut).write(to: URL(fileURLWithPath: copy.database + "-wal"))
            let reopened = try RunStore(directory: copy.path)
            guard let found = try reopened.list().first else { continue }
            let record = try reopened.record(of: found.id)
            #expect(record.steps.map(\.step.index) == Array(0..<record.steps.count))
            #expect(record.workerSteps.count == 2 * record.steps.count)
            #expect(record.events.count == record.steps.count)
        }
    }

    @Test("a folder that can't be made is named")
    func noFolder() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
        let error = #expect(throws: RunStoreError.self) { try RunStore(directory: folder.path + "/file/state") }
        guard case .cannotOpen(let path, _)? = error else {
            Issue.record("expected an error about the folder, found \(String(describing: error))")
            return
        }
        #expect(path == folder.path + "/file/state")
    }

    @Test("every error is one line that says what to do")
    func descriptions() throws {
        let id = try StoreFixture.id("aaaaaaaa")
        let errors: [RunStoreError] = [
            .noRun(prefix: "4k"), .severalRuns(prefix: "4k", ids: [id]), .notAnID("\u{1B}[31mx"), .duplicateRun(id),
            .notEnded(id, state: "running"), .unreadableRun("aaaaaaaa", detail: "x"), .readOnly(path: "/d"),
            .corrupted(path: "/d", detail: "x"), .newerSchema(path: "/d"), .olderSchema(path: "/d"),
            .diskFull(path: "/d"), .busy(path: "/d"), .cannotOpen(path: "/d", detail: "x"),
            .database(path: "/d", detail: "x"),
        ]
        for error in errors {
            #expect(!error.description.contains("\n"))
            #expect(!error.description.isEmpty)
            #expect(error.description.unicodeScalars.allSatisfy { $0.value >= 0x20 })
        }
    }

    private static func openings(_ folder: TemporaryFolder) -> [() throws -> RunStore] {
        [{ try RunStore(directory: folder.path) }, { try RunStore(readingFrom: folder.path) }]
    }

    /// Moves the log into the database.
    private static func settle(_ folder: TemporaryFolder) throws {
        try DatabaseQueue(path: folder.database).writeWithoutTransaction { database in
            try database.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)")
        }
    }

    private static func integrity(_ folder: TemporaryFolder) throws -> String? {
        try DatabaseQueue(path: folder.database).read { try String.fetchOne($0, sql: "PRAGMA integrity_check") }
    }
}
