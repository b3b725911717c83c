/// The workers of an exchange by the lanes that they own.
package struct LaneShares: Hashable, Sendable {
    /// The tree in which lanes are summed.
    package let tree: LaneTree
    /// The lanes of each rank: adjoining ranges in the order of ranks.
    package let lanes: [Range<Int>]

    /// Workers that own the lanes of `tree`, each at least one.
    package init(tree: LaneTree, lanes: [Range<Int>]) {
        self.tree = tree
        self.lanes = lanes
    }

    /// The number of workers.
    package var count: Int { lanes.count }

    /// What rank `rank` has to give: the sums over the fewest nodes that hold its lanes.
    package func cover(_ rank: Int) -> [LaneTree.Node] { tree.cover(of: lanes[rank]) }

    /// The fewest nodes that hold the lanes of the adjoining ranks `ranks`.
    func cover(_ ranks: Range<Int>) -> [LaneTree.Node] {
        guard let first = ranks.first, let last = ranks.last else { return [] }
        return tree.cover(of: lanes[first].lowerBound..<lanes[last].upperBound)
    }

    /// What `rank` does with a whole gradient: its routes for the segments of it, and the share of the gradient's elements that
    /// takes each. Gradients so small that every worker sums all of them are not meant.
    package func routes(_ algorithm: CollectiveAlgorithm, of rank: Int) -> [(route: SegmentRoute, share: Double)] {
        switch algorithm {
        case .direct where count == 2: [(everybodySums(rank), 1)]
        case .star, .tree: [(route(algorithm, of: rank, owner: 0), 1)]
        case .direct, .ring:
            lanes.indices.map { (route(algorithm, of: rank, owner: $0), 1 / Double(count)) }
        }
    }

    /// What `rank` sends to each other rank, in whole gradients.
    package func sent(_ algorithm: CollectiveAlgorithm, by rank: Int) -> [Int: Double] {
        routes(algorithm, of: rank).reduce(into: [:]) { sent, part in
            for shipment in part.route.shipments { sent[shipment.receiver, default: 0] += part.share }
        }
    }

    /// The route of `rank` for the segment that `owner` sums, where the algorithm has owners.
    package func route(_ algorithm: CollectiveAlgorithm, of rank: Int, owner: Int) -> SegmentRoute {
        switch algorithm {
        case .direct, .star: throughOwner(rank, owner)
        case .ring: aroundRing(rank, owner)
        case .tree: alongTree(rank)
        }
    }

    /// All send their own sums to the segment's owner, who joins them and sends the total to all. With an owner for each
    /// segment this is `direct`, with one for all it is `star`.
    ///
    /// A worker sends, of a gradient of G bytes and with c nodes in its cover, (c + 1) (n - 1) / n G bytes: with lanes in
    /// powers of two (c = 1) as many as a ring's 2 (n - 1) / n G, in 2 hops instead of 2 (n - 1). The server of a star
    /// receives c (n - 1) G and sends (n - 1) G, as textbook parameter servers do.
    private func throughOwner(_ rank: Int, _ owner: Int) -> SegmentRoute {
        var route = SegmentRoute()
        let peers = (1..<max(count, 1)).map { (rank + $0) % count }
        if rank == owner {
            for peer in peers { route.expect(cover(peer), from: peer) }
            for peer in peers { route.send([tree.root], to: peer) }
        } else {
            route.send(cover(rank), to: owner)
            route.expect([tree.root], from: owner)
        }
        return route
    }

    /// Everybody sends its own sums to everybody, and everybody joins them: one hop, for c (n - 1) G bytes. With two
    /// workers that is what `direct` sends, too; with more it pays for messages whose cost is the hop.
    package func everybodySums(_ rank: Int) -> SegmentRoute {
        var route = SegmentRoute()
        for offset in 1..<max(count, 1) {
            let peer = (rank + offset) % count
            route.send(cover(rank), to: peer)
            route.expect(cover(peer), from: peer)
        }
        return route
    }

    /// From the worker after the owner around to the owner, each adding what the lane tree lets it add; then the total
    /// goes around again.
    ///
    /// A textbook ring adds in the order of the ring, which gives each segment another order and each cluster size other
    /// bits. Here a hop carries every sum that can't be joined yet: the covers of the ranks behind it, which with lanes in
    /// powers of two are at most 2 log2 n sums, where the textbook carries one. The second round costs the same.
    private func aroundRing(_ rank: Int, _ owner: Int) -> SegmentRoute {
        var route = SegmentRoute()
        let place = (rank - owner - 1 + count) % count
        let (before, after) = ((rank - 1 + count) % count, (rank + 1) % count)
        if place > 0 { route.expect(gathered(upTo: place, after: owner), from: before) }
        if rank != owner {
            route.send(gathered(upTo: place + 1, after: owner), to: after)
            route.expect([tree.root], from: before)
        }
        if after != owner { route.send([tree.root], to: after) }
        return route
    }

    /// The fewest nodes that hold the lanes of the first `places` workers after `owner` in the ring.
    private func gathered(upTo places: Int, after owner: Int) -> [LaneTree.Node] {
        let last = owner + 1 + places
        return cover(min(owner + 1, count)..<min(last, count)) + cover(0..<max(0, last - count))
    }

    /// Up a binomial tree, whose subtrees are adjoining ranks, to rank 0, and down again: 2 log2 n hops.
    ///
    /// With lanes in powers of two every worker sends one sum up, as the textbook's does; otherwise the cover of its
    /// subtree's lanes. Rank 0 sends log2 n G bytes, which bounds the bandwidth.
    private func alongTree(_ rank: Int) -> SegmentRoute {
        var route = SegmentRoute()
        let reach = rank == 0 ? count : rank & -rank
        let children = sequence(first: 1) { $0 * 2 }.prefix { $0 < reach && rank + $0 < count }
        for width in children {
            route.expect(cover(rank + width..<min(rank + 2 * width, count)), from: rank + width)
        }
        if rank > 0 {
            let parent = rank - reach
            route.send(cover(rank..<min(rank + reach, count)), to: parent)
            route.expect([tree.root], from: parent)
        }
        for width in children.reversed() { route.send([tree.root], to: rank + width) }
        return route
    }
}
