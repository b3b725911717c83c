import Foundation
import Jobs
import Logging
import Runs
import SystemPackage

/// The log of a run's coordinator, in the run's folder: a JSON object a line, with time, level, run, and the rank and step
/// concerned. What happened is in the store, too; this is for those who gather logs.
struct RunLog: Sendable {
    private let run: RunID
    private let path: String

    /// The log of `run`, kept at `path`.
    init(of run: RunID, at path: String) {
        self.run = run
        self.path = path
    }

    /// Adds an event. A log that can't be written is no reason to end a run: the record has the same.
    func append(_ event: RunEvent) {
        var fields = [(name: "run", value: run.text), (name: "kind", value: event.kind.rawValue)]
        if let rank = event.rank { fields.append((name: "rank", value: "\(rank)")) }
        if let step = event.step { fields.append((name: "step", value: "\(step)")) }
        let line = DiagnosticLine.json(
            at: event.time.timeIntervalSince1970, level: event.kind.logLevel.rawValue, message: event.message,
            fields: fields)
        guard
            let file = try? FileDescriptor.open(
                FilePath(path), .writeOnly, options: [.create, .append, .closeOnExec], permissions: [.ownerReadWrite])
        else { return }
        // One write a line: lines of several writers don't mix.
        _ = try? file.closeAfter { try file.writeAll(Data((line + "\n").utf8)) }
    }
}

extension RunEvent.Kind {
    /// How grave it is, as logs say it.
    var logLevel: Logger.Level {
        switch self {
        case .warning, .stalled, .straggler, .peerRefused, .workerLost, .restarted: .warning
        case .stateChanged, .datasetPrepared, .workerStarted, .workerJoined, .workerExited, .membershipChanged,
            .resumed,
            .checkpointWritten, .targetReached, .imported:
            .info
        }
    }
}
