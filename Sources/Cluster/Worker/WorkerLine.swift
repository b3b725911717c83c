import Jobs

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
