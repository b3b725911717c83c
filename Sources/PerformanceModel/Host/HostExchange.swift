import Jobs

/// What a gradient exchange makes one machine do, in whole gradients: all that travels passes the host's sockets, and the
/// sums are made by those whom the algorithm has make them.
///
/// A worker sends one sum for each node of the lane tree that its lanes cover, so that what travels depends on the lanes
/// as well; with lanes in powers of two it is what textbooks say.
struct HostExchange: Hashable, Sendable {
    /// Gradients that travel, over all workers.
    let carried: Double
    /// Gradients that are added to others, over all workers.
    let additions: Double
    /// Workers that add side by side.
    let adders: Double
    /// Messages that wait for each other.
    let hops: Double

    /// The exchange of `workers` that share `lanes`.
    init(_ algorithm: CollectiveAlgorithm, lanes: Int, workers: Int) {
        let tree = LaneTree(laneCount: lanes)
        let shares = tree.shares(workerCount: workers)
        let n = Double(workers)
        func sums(_ ranks: Range<Int>) -> Double {
            guard let first = ranks.first, let last = ranks.last else { return 0 }
            return Double(tree.cover(of: shares[first].lowerBound..<shares[last].upperBound).count)
        }
        let own = (0..<workers).reduce(0) { $0 + sums($1..<$1 + 1) }
        switch algorithm {
        case .direct where workers == 2:
            // Each sends its own to the other, and both add.
            (carried, additions, adders, hops) = (own, own, n, 1)
        case .direct:
            (carried, additions, adders, hops) = (own * (n - 1) / n + n - 1, own - 1, n, 2)
        case .star:
            // The server is rank 0, whose own sums don't travel.
            (carried, additions, adders, hops) = (own - sums(0..<1) + n - 1, own - 1, 1, 2)
        case .ring:
            // A hop of a segment carries all that can't be joined yet: the ranks behind it, around the end and from there on.
            let gathered = (0..<workers).reduce(0.0) { total, owner in
                (1..<max(2, workers)).reduce(total) { total, places in
                    let last = owner + 1 + places
                    return total + sums(min(owner + 1, workers)..<min(last, workers)) + sums(0..<max(0, last - workers))
                }
            }
            (carried, additions, adders, hops) = (gathered / n + n - 1, own - 1, n, 2 * (n - 1))
        case .tree:
            let levels = Double(max(1, (workers - 1).bitWidth - (workers - 1).leadingZeroBitCount))
            (carried, additions, adders, hops) = (2 * (n - 1), own - 1, max(1, (n - 1) / levels), 2 * levels)
        }
    }

    /// Seconds for gradients of `parameters` weights on `machine`, of which each takes `bytes` on its way.
    func seconds(parameters: Double, bytes: Double = 4, on machine: HostMachine) -> Double {
        bytes * parameters * carried / machine.linkBytesPerSecond
            + additions * parameters * machine.sumNanosecondsPerElement * 1e-9 / min(adders, Double(machine.cores))
            + 2 * hops * machine.linkLatencyMicroseconds * 1e-6
    }
}

extension HostMachine {
    /// What all processes together carry between each other, every core at it.
    public var linkBytesPerSecond: Double { linkGigabytesPerSecond * max(1, Double(cores) / 2) * 1e9 }
}
