import Jobs

/// How fast a worker was beside the others over the same steps.
///
/// What counts is the time of its own work on one lane, reading examples and computing: not what it waited for, and not how
/// many lanes it had. All statistics are medians, so that a hiccup is no trait.
public struct WorkerPace: Hashable, Sendable {
    /// What a worker does by itself in a step.
    public enum OwnWork: String, Hashable, Sendable, CaseIterable {
        case input
        case compute

        /// In words, as they stand in events.
        public var name: String {
            switch self {
            case .input: "reading examples"
            case .compute: "forward and backward passes"
            }
        }
    }

    /// The worker.
    public var rank: WorkerRank
    /// Its own work on a lane: the median over its steps.
    public var perLane: HostSeconds
    /// The median over the other workers of theirs.
    public var othersPerLane: HostSeconds
    /// By how many of the usual deviations of a step its own work differs from the others'; above 0 for a slow worker.
    ///
    /// The modified z-score of Iglewicz and Hoaglin 1993: medians in place of means, and 1.4826 times the median absolute
    /// deviation, here of every worker's steps from its own median, in place of the standard deviation.
    public var zScore: Double
    /// The part of its own work in which it lies furthest behind the others.
    public var slowestPart: OwnWork

    /// How many times as long as the others it takes.
    public var ratio: Double { othersPerLane > .zero ? perLane.seconds / othersPerLane.seconds : 1 }

    /// A z-score beyond which a value is no ordinary one, by the same authors.
    public static let outlier = 3.5
    /// A difference that is worth speaking of, however surely it is one.
    public static let notable = 1.2

    /// Whether it is surely, and notably, slower than the others.
    public var isStraggler: Bool { zScore > Self.outlier && ratio > Self.notable }

    /// The pace of every worker in `records`, by rank; none where there are fewer than two.
    public static func all(of records: some Sequence<WorkerStepRecord>) -> [WorkerPace] {
        let records = Array(records)
        func perLane(_ record: WorkerStepRecord, _ part: OwnWork) -> Double {
            let seconds =
                switch part {
                case .input: record.input.seconds
                case .compute: record.compute.seconds
                }
            return seconds / Double(max(1, record.lanes))
        }
        func perLane(_ record: WorkerStepRecord) -> Double {
            OwnWork.allCases.reduce(0) { $0 + perLane(record, $1) }
        }
        let medians = WorkerMedians(of: records) { perLane($0) }
        guard medians.byRank.count > 1 else { return [] }
        let (input, compute) = (
            WorkerMedians(of: records) { perLane($0, .input) }, WorkerMedians(of: records) { perLane($0, .compute) }
        )
        let deviations = records.map { abs(perLane($0) - medians[$0.rank]) }
        let scatter = 1.4826 * (Quantiles(deviations).median ?? 0)
        return medians.ranks.map { rank in
            let (own, others) = (medians[rank], medians.ofOthers(than: rank))
            // Steps that are equal to the microsecond still have a clock's grain.
            let deviation = max(scatter, 0.01 * others, 1e-6)
            func behind(_ part: WorkerMedians) -> Double { part[rank] - part.ofOthers(than: rank) }
            return WorkerPace(
                rank: rank, perLane: HostSeconds(own), othersPerLane: HostSeconds(others),
                zScore: (own - others) / deviation,
                slowestPart: behind(input) > behind(compute) ? .input : .compute)
        }
    }
}
