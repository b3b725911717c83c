import Jobs

/// Who computes which lane into which buffer, and in which order buffers are added up, for one process.
///
/// The additions are those of the lane tree, so the sums are the same to the bit however lanes are dealt to threads and
/// processes. Each thread owns contiguous lanes and computes one after the other, adding as soon as both halves of a
/// subtree are there: a thread needs a buffer for each level of its subtree and one more, not one for each lane.
struct LaneSchedule: Hashable {
    /// One thing that a thread does.
    enum Operation: Hashable {
        /// Compute the lane's gradient into the slot.
        case compute(lane: Int, slot: Int)
        /// Add one slot into another.
        case add(from: Int, into: Int)
    }

    /// What one thread does, in order.
    struct Share: Hashable {
        /// Whole lanes and additions before the last lane.
        var before: [Operation] = []
        /// The last lane and its slot.
        var last: (lane: Int, slot: Int) { (lastLane, lastSlot) }
        /// Additions that can follow the last lane's backward pass, range by range.
        var after: [(from: Int, into: Int)] { additions.map { ($0.from, $0.into) } }

        fileprivate var lastLane = 0
        fileprivate var lastSlot = 0
        fileprivate var additions: [Addition] = []
    }

    struct Addition: Hashable {
        let from: Int
        let into: Int
    }

    /// What each thread does; as many as there are threads with lanes.
    let shares: [Share]
    /// Additions across threads, range by range, in order, once every thread's part of the range is there.
    let joins: [Addition]
    /// The tree's nodes that the process contributes, and the slot that then holds each.
    let cover: [(node: LaneTree.Node, slot: Int)]
    /// Buffers needed.
    let slotCount: Int

    static func == (left: Self, right: Self) -> Bool {
        left.shares == right.shares && left.joins == right.joins && left.slotCount == right.slotCount
    }

    func hash(into hasher: inout Hasher) { hasher.combine(shares) }

    /// The schedule of the lanes `lanes` of `tree` on at most `threads` threads.
    init(tree: LaneTree, lanes: Range<Int>, threads: Int) {
        precondition(!lanes.isEmpty && threads > 0, "no lanes or no threads")
        var slotCount = 0
        var free: [Int] = []
        var slotOfNode: [LaneTree.Node: Int] = [:]
        var shares: [Share] = []
        let dealt = LaneTree(laneCount: lanes.count).shares(workerCount: min(threads, lanes.count))
        for share in dealt {
            // Slots are a thread's own while it runs: none is handed from one thread to the next.
            free.removeAll()
            let own = lanes.lowerBound + share.lowerBound..<lanes.lowerBound + share.upperBound
            var operations: [Operation] = []
            func evaluate(_ node: LaneTree.Node) -> Int {
                guard let (left, right) = tree.children(of: node) else {
                    let slot = free.popLast() ?? slotCount
                    if slot == slotCount { slotCount += 1 }
                    operations.append(.compute(lane: node.lanes.lowerBound, slot: slot))
                    return slot
                }
                let into = evaluate(left)
                let from = evaluate(right)
                operations.append(.add(from: from, into: into))
                free.append(from)
                return into
            }
            for node in tree.cover(of: own) { slotOfNode[node] = evaluate(node) }
            shares.append(Self.split(operations))
        }
        var joins: [Addition] = []
        func join(_ node: LaneTree.Node) -> Int {
            if let slot = slotOfNode[node] { return slot }
            guard let (left, right) = tree.children(of: node) else {
                preconditionFailure("a lane that nobody computes")
            }
            let into = join(left)
            joins.append(Addition(from: join(right), into: into))
            return into
        }
        cover = tree.cover(of: lanes).map { ($0, join($0)) }
        self.joins = joins
        self.shares = shares
        self.slotCount = slotCount
    }

    private static func split(_ operations: [Operation]) -> Share {
        var share = Share()
        let last = operations.lastIndex { if case .compute = $0 { true } else { false } }
        for (index, operation) in operations.enumerated() {
            switch operation {
            case .compute(let lane, let slot) where index == last:
                (share.lastLane, share.lastSlot) = (lane, slot)
            case .add(let from, let into) where index > last ?? 0:
                share.additions.append(Addition(from: from, into: into))
            case .compute, .add:
                share.before.append(operation)
            }
        }
        return share
    }
}
