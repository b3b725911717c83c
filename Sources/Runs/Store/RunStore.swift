import Foundation
import GRDB
import Jobs

/// The record of every run, in one SQLite database in the daemon's state directory.
///
/// One process writes a run's record (the daemon; the lock on its state directory is its own affair; whole runs may be
/// added by others); any number read at the same time, each of them a consistent moment, because the journal is a
/// write-ahead log.
///
/// **Durability.** `synchronous = FULL`: a transaction that returned survives a power cut, so that a run's record never
/// lags behind a checkpoint that has reached the disk. It costs one fsync a transaction; the daemon makes at most one
/// a step, off the step's own path. A kill -9 at any time loses at most the transaction in flight.
///
/// Every call blocks until SQLite is done and throws `RunStoreError`.
public final class RunStore: Sendable {
    /// The database's name within the state directory.
    public static let fileName = "wafermark.sqlite"

    /// Where the database is.
    public let path: String

    private enum Access: Sendable {
        case writing(DatabasePool)
        case reading(DatabaseQueue)
        /// Opened for reading where there is no database yet: no runs.
        case absent
    }
    private let access: Access

    /// Opens the database in `directory` for writing; makes the folder and the database where they are missing, and
    /// brings an older database up to date.
    public convenience init(directory: String) throws {
        try self.init(directory: directory, maximumPageCount: nil)
    }

    /// As `init(directory:)`; SQLite refuses to let the file grow beyond `maximumPageCount` pages, as a full
    /// disk would.
    package init(directory: String, maximumPageCount: Int?) throws {
        let path = Self.path(in: directory)
        self.path = path
        var configuration = Self.configuration(readonly: false)
        if let maximumPageCount {
            configuration.prepareDatabase { database in
                if !database.configuration.readonly {
                    try database.execute(sql: "PRAGMA max_page_count = \(maximumPageCount)")
                }
            }
        }
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw RunStoreError.cannotOpen(path: directory, detail: error.localizedDescription)
        }
        do {
            let pool = try DatabasePool(path: path, configuration: configuration)
            let migrator = Migrations.migrator
            if try pool.read(migrator.hasBeenSuperseded) { throw RunStoreError.newerSchema(path: path) }
            try migrator.migrate(pool)
            // After the pool has set its own level for a write-ahead log, NORMAL.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA synchronous = FULL") }
            access = .writing(pool)
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    /// Opens the database in `directory` for reading, whether or not a daemon writes it now. Where there is none, the
    /// store has no runs.
    public init(readingFrom directory: String) throws {
        let path = Self.path(in: directory)
        self.path = path
        guard FileManager.default.fileExists(atPath: path) else {
            access = .absent
            return
        }
        do {
            let queue = try DatabaseQueue(path: path, configuration: Self.configuration(readonly: true))
            let migrator = Migrations.migrator
            let standing: (isEmpty: Bool, isNewer: Bool, isComplete: Bool) = try queue.read { database in
                (
                    try Int.fetchOne(database, sql: "SELECT count(*) FROM sqlite_master") == 0,
                    try migrator.hasBeenSuperseded(database), try migrator.hasCompletedMigrations(database)
                )
            }
            if standing.isNewer { throw RunStoreError.newerSchema(path: path) }
            if standing.isEmpty {
                // A daemon that was killed before its first transaction.
                access = .absent
            } else if standing.isComplete {
                access = .reading(queue)
            } else {
                throw RunStoreError.olderSchema(path: path)
            }
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    private static func path(in directory: String) -> String {
        URL(fileURLWithPath: directory, isDirectory: true).appendingPathComponent(fileName).path
    }

    private static func configuration(readonly: Bool) -> Configuration {
        var configuration = Configuration()
        configuration.readonly = readonly
        // Longer than a checkpoint of the log takes, shorter than a user's patience.
        configuration.busyMode = .timeout(5)
        configuration.label = "runs"
        return configuration
    }

    /// Reads one consistent moment; `absent` is the answer where there is no database.
    func read<Value>(absent: @autoclosure () throws -> Value, _ body: (Database) throws -> Value) throws -> Value {
        do {
            switch access {
            case .writing(let pool): return try pool.read(body)
            case .reading(let queue): return try queue.read(body)
            case .absent: return try absent()
            }
        } catch {
            throw RunStoreError(error, path: path)
        }
    }

    /// Runs `body` in one transaction, kept whole or not at all.
    func write<Value>(_ body: (Database) throws -> Value) throws -> Value {
        do {
            switch access {
            case .writing(let pool): return try pool.write(body)
            case .reading, .absent: throw RunStoreError.readOnly(path: path)
            }
        } catch {
            throw RunStoreError(error, path: path)
        }
    }
}
