import Jobs
import Synchronization

/// Which examples of a global batch each lane computes: dealt so that lanes have about as many tokens, and so have the
/// threads and workers that own several of them. Padding isn't computed, so without that everybody would wait for whoever has
/// the longest texts. (NVIDIA's MLPerf BERT exchanges samples between devices for the same reason.)
///
/// It follows from the lengths and the number of lanes alone, so every process deals alike, and bits don't depend on who
/// computes what.
package struct LaneDealing: Hashable {
    /// The example that stands at each place of the global batch; lane after lane, in each by number.
    package let examples: [Int]

    /// Deals examples of `lengths` tokens to `lanes` lanes, each of which gets equally many.
    ///
    /// From the root of the lane tree down, each subtree's examples go, the longest first, to whichever half has fewer
    /// tokens for its lanes and still has room.
    package init(lengths: [Int], lanes: Int) {
        precondition(lanes > 0 && lengths.count.isMultiple(of: lanes), "\(lengths.count) examples for \(lanes) lanes")
        let perLane = lengths.count / lanes
        let tree = LaneTree(laneCount: lanes)
        var places = [Int](repeating: 0, count: lengths.count)
        func deal(_ examples: [Int], to node: LaneTree.Node) {
            guard let (left, right) = tree.children(of: node) else {
                for (offset, example) in examples.sorted().enumerated() {
                    places[node.lanes.lowerBound * perLane + offset] = example
                }
                return
            }
            let split = Self.split(
                examples, lengths, left: left.lanes.count, right: right.lanes.count, perLane: perLane)
            deal(split.left, to: left)
            deal(split.right, to: right)
        }
        deal(lengths.indices.sorted { (-lengths[$0], $0) < (-lengths[$1], $1) }, to: tree.root)
        examples = places
    }

    /// Splits `examples`, the longest first, between subtrees of `left` and `right` lanes; order is kept.
    private static func split(
        _ examples: [Int], _ lengths: [Int], left: Int, right: Int, perLane: Int
    ) -> (left: [Int], right: [Int]) {
        var halves: (left: [Int], right: [Int]) = ([], [])
        var (leftTokens, rightTokens) = (0, 0)
        for example in examples {
            let isLeftFull = halves.left.count == left * perLane
            let isRightFull = halves.right.count == right * perLane
            if !isLeftFull, isRightFull || leftTokens * right <= rightTokens * left {
                halves.left.append(example)
                leftTokens += lengths[example]
            } else {
                halves.right.append(example)
                rightTokens += lengths[example]
            }
        }
        return halves
    }
}

/// Keeps the dealing of the step that was asked for last: its micro-batches are made one after the other.
final class LastDealing: Sendable {
    private let last = Mutex<(step: StepPlan, dealing: LaneDealing)?>(nil)

    /// The dealing of `step`, of whose examples `lengths` tells the tokens where that isn't known yet.
    func dealing(of step: StepPlan, lengths: () throws -> [Int]) rethrows -> LaneDealing {
        if let last = last.withLock({ $0 }), last.step == step { return last.dealing }
        let dealing = LaneDealing(lengths: try lengths(), lanes: step.lanes)
        last.withLock { $0 = (step, dealing) }
        return dealing
    }
}
