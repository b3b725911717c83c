import Jobs

/// The median over each worker's steps of one quantity of a step, so that a hiccup is no trait.
public struct WorkerMedians: Sendable {
    /// The medians by worker.
    public let byRank: [WorkerRank: Double]

    /// The medians of `quantity` over the steps of `records`.
    public init(of records: some Sequence<WorkerStepRecord>, _ quantity: (WorkerStepRecord) -> Double) {
        byRank = Dictionary(grouping: records, by: \.rank).compactMapValues { Quantiles($0.map(quantity)).median }
    }

    /// The workers in order.
    public var ranks: [WorkerRank] { byRank.keys.sorted() }

    /// A worker's median; 0 for one without steps.
    public subscript(rank: WorkerRank) -> Double { byRank[rank] ?? 0 }

    /// The median over all workers but `rank` of theirs; 0 where there is no other.
    public func ofOthers(than rank: WorkerRank) -> Double {
        Quantiles(byRank.filter { $0.key != rank }.values).median ?? 0
    }

    /// Each worker's median over the mean of all, by rank; none where that is 0.
    public var overMean: [Double] {
        let mean = ranks.reduce(0) { $0 + self[$1] } / Double(max(1, byRank.count))
        return mean > 0 ? ranks.map { self[$0] / mean } : []
    }

    /// The worker whose median is the largest; nil where there is none.
    public var slowest: WorkerRank? { byRank.max { ($0.value, $0.key) < ($1.value, $1.key) }?.key }
}
