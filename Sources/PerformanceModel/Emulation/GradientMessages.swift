import Jobs

/// The messages of one gradient exchange and what each waits for, derived from the published description of the algorithms:
/// what an emulated step is replayed with. It knows nothing of how workers carry them out; a test and
/// `validate --emulation` hold the two against each other.
package struct GradientMessages: Sendable {
    /// What a message or a worker's completion waits for.
    package enum Need: Hashable, Sendable {
        /// The worker's beginning of the step: what came before is not looked at until then.
        case begun(worker: Int)
        /// The worker's own gradient of a bucket.
        case own(worker: Int, bucket: Int)
        /// The arrival of a message.
        case arrival(Int)
        /// The sending of a message.
        case sending(Int)
    }

    /// A sum on its way.
    package struct Message: Sendable {
        package let sender: Int
        package let receiver: Int
        package let elements: Int
        package let needs: [Need]
        /// Whether it carries the sum over all lanes.
        package var isTotal = false
    }

    /// All messages, numbered from 0.
    package private(set) var messages: [Message] = []
    /// What each worker waits for until it has the whole sum.
    package private(set) var completions: [[Need]]

    private let tree: LaneTree
    private let shares: [Range<Int>]
    private var workers: Int { shares.count }

    /// Gradients up to this many bytes are summed by everybody: the hop is what costs.
    static let summedByAllBytes = 16 << 10
    /// Buckets are cut at multiples of this many elements.
    static let grain = 16

    /// The exchange of `elements` f32 in buckets of `bucketElements` among workers that own the lanes `shares` of `tree`.
    package init(
        _ algorithm: CollectiveAlgorithm, tree: LaneTree, shares: [Range<Int>], elements: Int, bucketElements: Int
    ) {
        self.tree = tree
        self.shares = shares
        completions = Array(repeating: [], count: shares.count)
        guard shares.count > 1 else { return }
        let count = (elements + bucketElements - 1) / bucketElements
        for bucket in 0..<count {
            let size = min(bucketElements, elements - bucket * bucketElements)
            switch algorithm {
            case .star: throughOwner(0, bucket, size)
            case .tree: alongTree(bucket, size)
            case .direct where shares.count == 2 || 4 * size <= Self.summedByAllBytes: amongAll(bucket, size)
            case .direct, .ring:
                for (owner, part) in parts(of: bucket, size, buckets: count) where part > 0 {
                    if algorithm == .ring {
                        aroundRing(owner, bucket, part)
                    } else {
                        throughOwner(owner, bucket, part)
                    }
                }
            }
        }
    }

    /// Who sums how much of a bucket: one worker all of it, in turn, where there are two buckets or more for each;
    /// otherwise each an even part.
    private func parts(of bucket: Int, _ size: Int, buckets: Int) -> [(owner: Int, elements: Int)] {
        if buckets >= 2 * workers { return [(bucket % workers, size)] }
        let grains = (size + Self.grain - 1) / Self.grain
        func edge(_ part: Int) -> Int { min(size, grains * part / workers * Self.grain) }
        return (0..<workers).map { ($0, edge($0 + 1) - edge($0)) }
    }

    /// About how many messages there are: exactly as many where each worker's lanes have one sum and buckets fill.
    package static func count(
        _ algorithm: CollectiveAlgorithm, workers: Int, elements: Int, bucketElements: Int
    ) -> Int {
        let buckets = (elements + bucketElements - 1) / bucketElements
        switch algorithm {
        case .star, .tree: return buckets * 2 * (workers - 1)
        case .direct where 4 * bucketElements <= Self.summedByAllBytes: return buckets * workers * (workers - 1)
        case .direct, .ring: return buckets * (buckets >= 2 * workers ? 1 : workers) * 2 * (workers - 1)
        }
    }

    private func cover(_ worker: Int) -> [LaneTree.Node] { tree.cover(of: shares[worker]) }

    /// Adds a message, which leaves after `previous`, and returns its number.
    @discardableResult
    private mutating func send(
        from sender: Int, to receiver: Int, _ elements: Int, _ needs: [Need], after previous: Int? = nil,
        isTotal: Bool = false
    ) -> Int {
        messages.append(
            Message(
                sender: sender, receiver: receiver, elements: elements,
                needs: needs + (previous.map { [.sending($0)] } ?? []), isTotal: isTotal))
        return messages.count - 1
    }

    private mutating func amongAll(_ bucket: Int, _ elements: Int) {
        for worker in 0..<workers { completions[worker].append(.own(worker: worker, bucket: bucket)) }
        for sender in 0..<workers {
            for offset in 1..<workers {
                let receiver = (sender + offset) % workers
                for _ in cover(sender) {
                    let message = send(from: sender, to: receiver, elements, [.own(worker: sender, bucket: bucket)])
                    completions[receiver].append(.arrival(message))
                }
            }
        }
    }

    private mutating func throughOwner(_ owner: Int, _ bucket: Int, _ elements: Int) {
        var gathered: [Need] = [.own(worker: owner, bucket: bucket)]
        for offset in 1..<workers {
            let sender = (owner + offset) % workers
            for _ in cover(sender) {
                gathered.append(
                    .arrival(send(from: sender, to: owner, elements, [.own(worker: sender, bucket: bucket)])))
            }
        }
        completions[owner] += gathered
        // All leave at once; what the first waits for need not be kept for each.
        var first: Int?
        for offset in 1..<workers {
            let receiver = (owner + offset) % workers
            let message = send(
                from: owner, to: receiver, elements, first == nil ? gathered : [], after: first, isTotal: true)
            first = first ?? message
            completions[receiver].append(.arrival(message))
        }
    }

    private mutating func aroundRing(_ owner: Int, _ bucket: Int, _ elements: Int) {
        // The sums that have reached the present worker, each with the message that brought it.
        var arrived: [(node: LaneTree.Node, message: Int)] = []
        for place in 0..<(workers - 1) {
            let sender = (owner + 1 + place) % workers
            let own = Need.own(worker: sender, bucket: bucket)
            var next: [(node: LaneTree.Node, message: Int)] = []
            for node in gathered(place + 1, after: owner) {
                let parts = arrived.filter { node.lanes.contains($0.node.lanes) }
                let message = send(
                    from: sender, to: (sender + 1) % workers, elements,
                    parts.map { .arrival($0.message) }
                        + [node.lanes.overlaps(shares[sender]) ? own : .begun(worker: sender)],
                    after: next.last?.message)
                next.append((node, message))
            }
            arrived = next
        }
        let total: [Need] = arrived.map { .arrival($0.message) } + [.own(worker: owner, bucket: bucket)]
        completions[owner] += total
        var needs = total
        for place in 0..<(workers - 1) {
            let sender = (owner + place) % workers
            let message = send(from: sender, to: (sender + 1) % workers, elements, needs, isTotal: true)
            needs = [.arrival(message)]
            completions[(sender + 1) % workers] += needs
        }
    }

    /// The fewest nodes that hold the lanes of the first `count` workers after `owner`.
    private func gathered(_ count: Int, after owner: Int) -> [LaneTree.Node] {
        func cover(_ workers: Range<Int>) -> [LaneTree.Node] {
            workers.isEmpty
                ? []
                : tree.cover(of: shares[workers.lowerBound].lowerBound..<shares[workers.upperBound - 1].upperBound)
        }
        let last = owner + 1 + count
        return cover(min(owner + 1, workers)..<min(last, workers)) + cover(0..<max(0, last - workers))
    }

    private mutating func alongTree(_ bucket: Int, _ elements: Int) {
        var raised: [Int: [Need]] = [:]
        // From the leaves on: a worker's subtree is the ranks up to the lowest bit that is set in its own.
        for worker in (0..<workers).reversed() {
            let needs = [Need.own(worker: worker, bucket: bucket)] + (raised[worker] ?? [])
            guard worker > 0 else {
                lower(from: 0, bucket, elements, needs)
                continue
            }
            let reach = worker & -worker
            let lanes = shares[worker].lowerBound..<shares[min(worker + reach, workers) - 1].upperBound
            for _ in tree.cover(of: lanes) {
                let message = send(from: worker, to: worker - reach, elements, needs)
                raised[worker - reach, default: []].append(.arrival(message))
            }
        }
    }

    private mutating func lower(from worker: Int, _ bucket: Int, _ elements: Int, _ needs: [Need]) {
        completions[worker] += needs
        let reach = worker == 0 ? workers : worker & -worker
        let children = sequence(first: 1) { $0 * 2 }.prefix { $0 < reach && worker + $0 < workers }
        for width in children.reversed() {
            let message = send(from: worker, to: worker + width, elements, needs, isTotal: true)
            lower(from: worker + width, bucket, elements, [.arrival(message)])
        }
    }
}

extension Range<Int> {
    fileprivate func contains(_ other: Range<Int>) -> Bool {
        lowerBound <= other.lowerBound && other.upperBound <= upperBound
    }
}
