import Foundation
import Jobs

/// Where the daemon keeps what must outlive it: the database, the runs' files, the prepared datasets, its sockets.
public struct StateDirectory: Sendable, Hashable {
    /// The folder, as an absolute path.
    public let path: String

    /// The folder at `path`, not yet made.
    public init(path: String) {
        self.path = URL(fileURLWithPath: path).standardizedFileURL.path
    }

    /// The folder that a user means who names none: `$WAFERMARK_STATE`, else `$XDG_STATE_HOME/wafermark`, else
    /// `~/.local/state/wafermark`.
    public static func standard(environment: [String: String] = ProcessInfo.processInfo.environment) -> StateDirectory {
        if let path = environment["WAFERMARK_STATE"], !path.isEmpty { return StateDirectory(path: path) }
        if let base = environment["XDG_STATE_HOME"], base.hasPrefix("/") {
            return StateDirectory(path: base + "/wafermark")
        }
        let home = environment["HOME"] ?? NSHomeDirectory()
        return StateDirectory(path: home + "/.local/state/wafermark")
    }

    /// The file whose lock says that a daemon runs here.
    public var lockFile: String { path + "/daemon.lock" }
    /// Prepared datasets, a folder each, named by what they were made from.
    public var datasets: String { path + "/datasets" }
    /// The sockets of the daemon and its workers. Emptied when a daemon starts and when it ends.
    public var sockets: String { path + "/sockets" }
    /// The daemon's key, and the list of those that it lets in from other hosts.
    public var keys: KeyStore { KeyStore(directory: path + "/keys") }
    /// The endpoint at which the daemon takes requests.
    public var controlEndpoint: String { "ipc://" + sockets + "/control" }

    /// The files of one run: logs, checkpoints, the model.
    public func run(_ id: RunID) -> RunDirectory { RunDirectory(path: path + "/runs/\(id)") }

    /// The endpoint at which the workers of `id` find the coordinator.
    public func workersEndpoint(of id: RunID) -> String { "ipc://" + sockets + "/\(id)" }

    /// Makes the folder and those in it; only its owner may enter.
    ///
    /// - Throws: `DaemonError.unusableState` where it can't be made.
    public func create() throws {
        do {
            for folder in [path, path + "/runs", datasets, sockets] {
                try FileManager.default.createDirectory(
                    atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            }
        } catch {
            throw DaemonError.unusableState(path: path, reason: error.localizedDescription)
        }
    }

    /// Removes the sockets that an earlier daemon left behind. Only the holder of the lock may call it.
    public func clearSockets() { removeSockets { _ in true } }

    /// Removes the sockets of a run that has ended, those of workers that were killed among them.
    func clearSockets(of id: RunID) { removeSockets { $0 == id.text || $0.hasPrefix(id.text + "-") } }

    private func removeSockets(where isGone: (String) -> Bool) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: sockets)) ?? []
        for name in names where isGone(name) { try? FileManager.default.removeItem(atPath: sockets + "/" + name) }
    }
}

/// The files of one run.
public struct RunDirectory: Sendable, Hashable {
    /// The folder, as an absolute path.
    public let path: String
    /// The checkpoints.
    public var checkpoints: String { path + "/checkpoints" }
    /// The final model, in Hugging Face's form.
    public var model: String { path + "/model" }
    /// What worker `rank` wrote to its standard output and error.
    public func log(of rank: WorkerRank) -> String { path + "/worker-\(rank).log" }
    /// What the fabric of membership `epoch` is to be, what fabrics wrote to their standard output and error, and what the
    /// last one carried.
    public func fabricPlan(epoch: Int) -> String { path + "/fabric-\(epoch).json" }
    public var fabricLog: String { path + "/fabric.log" }
    public var fabricReport: String { path + "/fabric-report.json" }
    /// What happened to the run, as its coordinator logs it: a JSON object a line.
    public var coordinatorLog: String { path + "/coordinator.log" }
    /// What the preparation of the dataset wrote to its standard error.
    public var preparationLog: String { path + "/prepare.log" }
    /// A key by which workers that a scheduler starts are let in, while the run is under way; only the owner may read it.
    public var keyFile: String { path + "/worker.key" }
    /// What the names of such keys begin with.
    static let keyPrefix = "run-"
    /// The secret by which workers of the run are known, while it is under way; only the owner may read it.
    public var tokenFile: String { path + "/worker.token" }
}

extension RunDirectory {
    /// Makes the folder; only its owner may enter.
    ///
    /// - Throws: `DaemonError.unusableState` where it can't be made.
    func create() throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch {
            throw DaemonError.unusableState(path: path, reason: error.localizedDescription)
        }
    }
}

extension RunDirectory {
    /// Keeps the secret for workers that are started by hand.
    ///
    /// - Throws: `DaemonError.unusableState` where it can't be written.
    func write(token: String) throws {
        guard
            FileManager.default.createFile(
                atPath: tokenFile, contents: Data(token.utf8), attributes: [.posixPermissions: 0o600])
        else { throw DaemonError.unusableState(path: tokenFile, reason: "no space, or not writable") }
    }

    /// Forgets the secret.
    func removeToken() { try? FileManager.default.removeItem(atPath: tokenFile) }
}
