import GRDB

extension RunStore {
    /// What SQLite finds wrong with the database: pages, indices, references; empty for a sound one.
    ///
    /// Reads all of it (SQLite's `integrity_check` and `foreign_key_check`).
    public func integrityProblems() throws -> [String] {
        try read(absent: []) { database in
            let problems = try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
            let references = try Row.fetchAll(database, sql: "PRAGMA foreign_key_check").map { row in
                "a row of \(row["table"] as String? ?? "?") belongs to nothing"
            }
            return problems + references
        }
    }
}
