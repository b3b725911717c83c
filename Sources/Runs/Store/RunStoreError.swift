import GRDB
import Jobs

/// Why the store of runs could not do what it was asked.
public enum RunStoreError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No run's id starts with `prefix`.
    case noRun(prefix: String)
    /// More than one run's id starts with `prefix`; `ids` names the newest few.
    case severalRuns(prefix: String, ids: [RunID])
    /// What was given is no prefix of any id.
    case notAnID(String)
    /// A run of that id is there already.
    case duplicateRun(RunID)
    /// A run that has not ended can't be deleted.
    case notEnded(RunID, state: String)
    /// A run's stored record can't be decoded.
    case unreadableRun(String, detail: String)
    /// The store was opened for reading alone.
    case readOnly(path: String)
    /// The file is damaged, or is no SQLite database.
    case corrupted(path: String, detail: String)
    /// The file was written by a later version of Wafermark.
    case newerSchema(path: String)
    /// The file was written by an earlier version, and reading alone can't bring it up to date.
    case olderSchema(path: String)
    /// The disk is full; what the failed call would have written is not there, what was there before is.
    case diskFull(path: String)
    /// Another process holds the store for longer than the busy timeout.
    case busy(path: String)
    /// The file or its folder can't be opened.
    case cannotOpen(path: String, detail: String)
    /// Any other complaint of SQLite.
    case database(path: String, detail: String)

    /// One line: what happened, and what to do.
    public var description: String {
        switch self {
        case .noRun(let prefix):
            "no run's id starts with '\(prefix)'; `wafermark runs list` shows the runs"
        case .severalRuns(let prefix, let ids):
            """
            '\(prefix)' is the start of several runs' ids (\(ids.map(\.text).joined(separator: ", "))); give \
            more characters
            """
        case .notAnID(let text):
            """
            \(PrintableText.quoted(text, limit: 64)) is no run id: one is \(RunID.length) characters of 0-9 and a-z \
            without i, l, o, u, or the start of one
            """
        case .duplicateRun(let id):
            "run \(id) is there already"
        case .notEnded(let id, let state):
            "run \(id) is \(state), so it can't be deleted; cancel it first with `wafermark runs cancel \(id)`"
        case .unreadableRun(let id, let detail):
            "the record of run \(id) can't be read (\(detail)); it was probably written by another version of Wafermark"
        case .readOnly(let path):
            "\(path) was opened for reading alone"
        case .corrupted(let path, let detail):
            """
            \(path) is damaged or no SQLite database (\(detail)); move it away to start afresh, or try to save \
            it with `sqlite3 FILE .recover`
            """
        case .newerSchema(let path):
            "\(path) was written by a later version of Wafermark; use that version, or another state directory"
        case .olderSchema(let path):
            """
            \(path) was written by an earlier version of Wafermark; start the daemon once (`wafermark serve`) \
            to bring it up to date
            """
        case .diskFull(let path):
            "the disk that holds \(path) is full; free some space, then try again (what was stored before is intact)"
        case .busy(let path):
            "\(path) is held by another process; try again, or stop the other daemon on this state directory"
        case .cannotOpen(let path, let detail):
            "\(path) can't be opened (\(detail)); check that the folder exists and may be written to"
        case .database(let path, let detail):
            "\(path): \(detail)"
        }
    }

    /// The store's own name for an error of SQLite about the file at `path`.
    init(_ error: any Error, path: String) {
        guard let error = error as? DatabaseError else {
            self = (error as? RunStoreError) ?? .database(path: path, detail: String(describing: error))
            return
        }
        let detail = error.message ?? "SQLite error \(error.resultCode.rawValue)"
        switch error.resultCode {
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .corrupted(path: path, detail: detail)
        case .SQLITE_FULL: self = .diskFull(path: path)
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .busy(path: path)
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_AUTH: self = .cannotOpen(path: path, detail: detail)
        case .SQLITE_READONLY: self = .readOnly(path: path)
        // A write or fsync that the file system refuses mostly has one cause, but SQLite doesn't tell it apart.
        case .SQLITE_IOERR: self = .database(path: path, detail: "\(detail); is the disk full or failing?")
        default: self = .database(path: path, detail: detail)
        }
    }
}
