import Jobs
import Messaging

/// The names of the lines between a run's workers and its coordinator.
///
/// A part of the run's secret is in them, which every coordinator chooses anew: a worker that outlived its coordinator
/// can't be taken for the one of the same number that belongs to the next.
public enum WorkerLine {
    /// The name of worker `rank`'s line.
    public static func name(of rank: WorkerRank, token: String) -> [UInt8] {
        Array("worker-\(token.prefix(8))-\(rank)".utf8)
    }

    /// Whether `name` is that of a worker's line to another coordinator than the one of `token`.
    public static func isForeign(_ name: [UInt8], token: String) -> Bool {
        name.starts(with: "worker-".utf8) && !name.starts(with: "worker-\(token.prefix(8))-".utf8)
    }
}

extension Socket.Options {
    /// The limits of the line between a worker and its coordinator. A connection on which nothing comes any more, though
    /// nobody has closed it, is given up and made anew well before either end takes the other for lost.
    public static var workerLine: Socket.Options {
        var options = Socket.Options()
        options.heartbeat = HeartbeatTimes(intervalMilliseconds: 1_000, deadlineMilliseconds: 3_000)
        return options
    }
}
