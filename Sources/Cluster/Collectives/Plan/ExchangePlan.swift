import Jobs

/// The routes of one worker for every segment of a gradient.
package struct ExchangePlan: Sendable {
    /// A stretch of the gradient and what this worker does with it.
    package struct Segment: Hashable, Sendable {
        /// Its elements; never empty.
        package let elements: Range<Int>
        /// What travels.
        package let route: SegmentRoute
    }

    /// Gradients of two workers, or small enough for the hop to be what costs: everybody sums.
    package static let largestSummedByAll = Bytes(16 << 10)

    /// Gradients of this many buckets for each worker, or more: workers take turns in summing whole buckets, which makes a
    /// message of what else were one for each worker. With fewer buckets some would sum more than others.
    package static let bucketsOfEach = 2

    /// The cut into buckets.
    package let buckets: GradientBuckets
    /// Who owns which lanes.
    package let shares: LaneShares
    private let rank: Int
    private let algorithm: CollectiveAlgorithm
    /// The routes by owner: they are the same in every bucket.
    private let routes: [SegmentRoute]
    private let summedByAll: SegmentRoute

    /// The plan of worker `rank`.
    package init(_ algorithm: CollectiveAlgorithm, shares: LaneShares, rank: Int, buckets: GradientBuckets) {
        self.algorithm = algorithm
        self.shares = shares
        self.rank = rank
        self.buckets = buckets
        routes = shares.lanes.indices.map { shares.route(algorithm, of: rank, owner: $0) }
        summedByAll = shares.everybodySums(rank)
    }

    /// The segments of bucket `bucket`, in ascending order.
    package func segments(of bucket: Int) -> [Segment] {
        let elements = buckets[bucket]
        switch algorithm {
        case .star, .tree:
            return [Segment(elements: elements, route: routes[0])]
        case .direct where isSummedByAll(elements):
            return [Segment(elements: elements, route: summedByAll)]
        case .direct where takesTurns, .ring where takesTurns:
            return [Segment(elements: elements, route: routes[bucket % shares.count])]
        case .direct, .ring:
            return zip(buckets.segments(of: bucket, parts: shares.count), routes).compactMap { elements, route in
                elements.isEmpty ? nil : Segment(elements: elements, route: route)
            }
        }
    }

    private var takesTurns: Bool { buckets.count >= Self.bucketsOfEach * shares.count }

    private func isSummedByAll(_ elements: Range<Int>) -> Bool {
        shares.count == 2 || elements.count * MemoryLayout<Float>.stride <= Self.largestSummedByAll.count
    }
}
