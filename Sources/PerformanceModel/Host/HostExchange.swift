import Jobs

/// What a gradient exchange makes the workers of one machine do, in whole gradients: which sums travel, and who reads and
/// writes how much to make them and to take totals.
///
/// A worker gives one sum for each node of the lane tree that its lanes cover, so that what travels depends on the lanes
/// as well; with lanes in powers of two it is what textbooks say. A sum of k parts reads k and writes one, block by block
/// in the cache, however deep its tree is.
public struct HostExchange: Hashable, Sendable {
    /// What one worker reads and writes.
    struct Load: Hashable, Sendable {
        var reads = 0.0
        var writes = 0.0
    }

    /// Gradients that travel, over all workers.
    public let carried: Double
    /// Messages that wait for each other.
    let hops: Double
    /// What each worker reads and writes.
    let loads: [Load]
    /// Pieces that a bucket is cut into where there are too few buckets for workers to take turns.
    let piecesOfBucket: Int

    /// The exchange of `workers` that share `lanes` evenly.
    public init(_ algorithm: CollectiveAlgorithm, lanes: Int, workers: Int) {
        let shares = ShareCovers(lanes: lanes, workers: workers)
        var counted = Counted(workers: workers)
        var piecesOfBucket = 1
        switch algorithm {
        case .direct where workers == 2:
            counted.everybodySums(shares)
            hops = 1
        case .direct:
            for owner in 0..<workers { counted.throughOwner(owner, shares, share: 1 / Double(workers)) }
            piecesOfBucket = workers
            hops = 2
        case .star:
            counted.throughOwner(0, shares, share: 1)
            hops = 2
        case .ring:
            for owner in 0..<workers { counted.aroundRing(owner, shares, share: 1 / Double(workers)) }
            piecesOfBucket = workers
            hops = Double(2 * (workers - 1))
        case .tree:
            counted.alongTree(shares)
            hops = 2 * Double(max(1, (workers - 1).bitWidth - (workers - 1).leadingZeroBitCount))
        }
        (carried, loads) = (counted.carried, counted.loads)
        self.piecesOfBucket = piecesOfBucket
    }

    /// Seconds for gradients of `parameters` weights in buckets of `bucket` by `transport` on `machine`.
    ///
    /// - Parameter elementBytes: bytes of a gradient element that a socket carries; memory that processes share holds f32.
    func seconds(
        parameters: Double, bucket: Bytes, transport: Transport, elementBytes: Double = 4, on machine: HostMachine
    ) -> Double {
        let link = machine.links[transport]
        let cores = Double(machine.cores)
        let atOnce = min(cores, Double(loads.count))
        func nanoseconds(_ load: Load) -> Double {
            load.reads * machine.streams.read + load.writes * machine.streams.write
        }
        // All share the cores, but the busiest worker has one thread for it.
        let each = loads.map(nanoseconds)
        let summing = max(each.max() ?? 0, each.reduce(0, +) / atOnce)
        // Carrying keeps the threads of both ends busy, and the kernel between them: two cores.
        let carrying = carried * link.carryNanosecondsPerElement * elementBytes / 4 / max(1, cores / 2)
        let buckets = (4 * parameters / Double(max(1, bucket.count))).rounded(.up)
        let takesTurns = buckets >= 2 * Double(loads.count)
        let messages = carried * buckets * Double(takesTurns ? 1 : piecesOfBucket)
        return parameters * (summing + carrying) * 1e-9 + messages * link.messageMicroseconds * 1e-6 / atOnce
            + hops * link.latencyMicroseconds * 1e-6
    }
}

/// The nodes of the lane tree that workers, and ranges of them, cover.
private struct ShareCovers {
    let tree: LaneTree
    let shares: [Range<Int>]

    init(lanes: Int, workers: Int) {
        tree = LaneTree(laneCount: lanes)
        shares = tree.shares(workerCount: workers)
    }

    var root: [LaneTree.Node] { [tree.root] }
    var workers: Int { shares.count }

    func cover(_ ranks: Range<Int>) -> [LaneTree.Node] {
        guard let first = ranks.first, let last = ranks.last else { return [] }
        return tree.cover(of: shares[first].lowerBound..<shares[last].upperBound)
    }

    func cover(_ rank: Int) -> [LaneTree.Node] { cover(rank..<rank + 1) }

    /// The nodes over the first `places` workers after `owner` in the ring.
    func gathered(_ places: Int, after owner: Int) -> [LaneTree.Node] {
        let last = owner + 1 + places
        return cover(min(owner + 1, workers)..<min(last, workers)) + cover(0..<max(0, last - workers))
    }
}

/// Sums that travel and are made, counted along the routes of `LaneShares.route` (a test holds the two equal).
private struct Counted {
    var carried = 0.0
    var loads: [HostExchange.Load]

    init(workers: Int) { loads = Array(repeating: .init(), count: workers) }

    /// `rank` makes `sums` of `parts`; what is among both is left as it is. Of a share of the gradient.
    private mutating func make(
        _ sums: [LaneTree.Node], of parts: [LaneTree.Node], by rank: Int, share: Double = 1
    ) {
        let unchanged = Set(sums).intersection(parts).count
        loads[rank].reads += share * Double(parts.count - unchanged)
        loads[rank].writes += share * Double(sums.count - unchanged)
    }

    /// Everybody but `owner` is sent a total, and copies it into its own gradient.
    private mutating func takeTotals(from owner: Int, share: Double) {
        for rank in loads.indices where rank != owner {
            carried += share
            loads[rank].reads += share
            loads[rank].writes += share
        }
    }

    mutating func everybodySums(_ shares: ShareCovers) {
        let all = (0..<shares.workers).flatMap { shares.cover($0) }
        for rank in 0..<shares.workers {
            carried += Double(shares.cover(rank).count * (shares.workers - 1))
            make(shares.root, of: all, by: rank)
        }
    }

    mutating func throughOwner(_ owner: Int, _ shares: ShareCovers, share: Double) {
        for rank in 0..<shares.workers where rank != owner { carried += share * Double(shares.cover(rank).count) }
        make(shares.root, of: (0..<shares.workers).flatMap { shares.cover($0) }, by: owner, share: share)
        takeTotals(from: owner, share: share)
    }

    mutating func aroundRing(_ owner: Int, _ shares: ShareCovers, share: Double) {
        var sums: [LaneTree.Node] = []
        for place in 1..<max(2, shares.workers) {
            let rank = (owner + place) % shares.workers
            let gathered = shares.gathered(place, after: owner)
            make(gathered, of: sums + shares.cover(rank), by: rank, share: share)
            carried += share * Double(gathered.count)
            sums = gathered
        }
        make(shares.root, of: sums + shares.cover(owner), by: owner, share: share)
        takeTotals(from: owner, share: share)
    }

    mutating func alongTree(_ shares: ShareCovers) {
        for rank in 0..<shares.workers {
            let reach = rank == 0 ? shares.workers : rank & -rank
            var parts = shares.cover(rank)
            for width in sequence(first: 1, next: { $0 * 2 }).prefix(while: { $0 < reach && rank + $0 < shares.workers }
            ) {
                parts += shares.cover(rank + width..<min(rank + 2 * width, shares.workers))
            }
            let sums = rank == 0 ? shares.root : shares.cover(rank..<min(rank + reach, shares.workers))
            make(sums, of: parts, by: rank)
            if rank > 0 { carried += Double(sums.count) }
        }
        takeTotals(from: 0, share: 1)
    }
}
