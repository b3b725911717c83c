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
        let tree = LaneTree(laneCount: lanes)
        let shares = LaneShares(tree: tree, lanes: tree.shares(workerCount: workers))
        var loads: [Load] = []
        var carried = 0.0
        for rank in 0..<workers {
            var load = Load()
            for (route, share) in shares.routes(algorithm, of: rank) {
                load.add(route, own: shares.cover(rank), root: tree.root, share: share)
                carried += share * Double(route.shipments.count)
            }
            loads.append(load)
        }
        (self.carried, self.loads) = (carried, loads)
        switch algorithm {
        case .direct where workers == 2: (hops, piecesOfBucket) = (1, 1)
        case .direct: (hops, piecesOfBucket) = (2, workers)
        case .star: (hops, piecesOfBucket) = (2, 1)
        case .ring: (hops, piecesOfBucket) = (Double(2 * (workers - 1)), workers)
        case .tree:
            hops = 2 * Double(max(1, (workers - 1).bitWidth - (workers - 1).leadingZeroBitCount))
            piecesOfBucket = 1
        }
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
        // Carrying and messages keep the threads of both ends busy.
        let ends = min(cores, 2 * Double(loads.count))
        func nanoseconds(_ load: Load) -> Double {
            load.reads * machine.streams.read + load.writes * machine.streams.write
        }
        // All share the cores, but the busiest worker has one thread for it.
        let each = loads.map(nanoseconds)
        let summing = max(each.max() ?? 0, each.reduce(0, +) / atOnce)
        let carrying = carried * link.carryNanosecondsPerElement * elementBytes / 4 / ends
        let buckets = (4 * parameters / Double(max(1, bucket.count))).rounded(.up)
        let takesTurns = buckets >= 2 * Double(loads.count)
        let messages = carried * buckets * Double(takesTurns ? 1 : piecesOfBucket)
        return parameters * (summing + carrying) * 1e-9 + messages * link.messageMicroseconds * 1e-6 / ends
            + hops * link.latencyMicroseconds * 1e-6
    }
}

extension HostExchange.Load {
    /// Adds what a worker that has the sums `own` reads and writes on `route`, which is that of a share of the gradient.
    ///
    /// A sum that is passed on as it is costs nothing; a total that is taken from a peer is copied into the own gradient.
    fileprivate mutating func add(_ route: SegmentRoute, own: [LaneTree.Node], root: LaneTree.Node, share: Double) {
        let takesTotal = route.awaited[root] != nil
        let parts = Set(own).union(route.awaited.keys.filter { $0 != root })
        var sums = Set(route.shipments.map(\.node))
        if takesTotal { sums.remove(root) } else { sums.insert(root) }
        let made = sums.subtracting(parts)
        let read = parts.count { part in made.contains { $0.lanes.contains(part.lanes.lowerBound) } }
        reads += share * Double(read + (takesTotal ? 1 : 0))
        writes += share * Double(made.count + (takesTotal ? 1 : 0))
    }
}
