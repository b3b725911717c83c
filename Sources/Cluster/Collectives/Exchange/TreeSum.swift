import Jobs
import Kernels

/// Adds up partial sums in the order of the lane tree. It works block by block, so that what lies between the parts and
/// the sum stays in the cache: every part is read once, the sum is written once, and no part is changed.
package struct TreeSum {
    /// Elements of a block: with its scratch it fits the first-level cache.
    package static let block = 2_048

    private enum Operand {
        case part(UnsafePointer<Float>)
        case scratch(Int)
        case target
    }

    private struct Addition {
        let left: Operand
        let right: Operand
        let sum: Operand
    }

    private let tree: LaneTree
    private let half: Vector.Half?
    private var scratch: [FloatBuffer] = []

    /// Sums in the order of `tree`, every sum rounded to `half` where that is given.
    package init(tree: LaneTree, roundedTo half: Vector.Half? = nil) {
        self.tree = tree
        self.half = half
    }

    /// Writes the sum over `node` into `target`.
    ///
    /// - Parameters:
    ///   - node: a node that `part` knows, or both of whose children can be summed.
    ///   - count: the elements of every part and of the target.
    ///   - part: `count` elements for a node that is there, nil for one that is not. The target is none of them.
    package mutating func write(
        _ node: LaneTree.Node, into target: UnsafeMutablePointer<Float>, count: Int,
        part: (LaneTree.Node) -> UnsafePointer<Float>?
    ) {
        var additions: [Addition] = []
        let result = plan(node, sum: .target, freeScratch: 0, part, &additions)
        if case .part(let only) = result {
            Vector.copy(into: target, from: only, count: count)
            return
        }
        for start in stride(from: 0, to: count, by: Self.block) {
            let size = min(Self.block, count - start)
            for addition in additions {
                Vector.sum(
                    into: address(of: addition.sum, target, start), left: address(of: addition.left, target, start),
                    right: address(of: addition.right, target, start), count: size, roundedTo: half)
            }
        }
    }

    private mutating func plan(
        _ node: LaneTree.Node, sum: Operand, freeScratch: Int, _ part: (LaneTree.Node) -> UnsafePointer<Float>?,
        _ additions: inout [Addition]
    ) -> Operand {
        if let elements = part(node) { return .part(elements) }
        guard let (left, right) = tree.children(of: node) else {
            preconditionFailure("lane \(node.lanes) is summed before it is there")
        }
        while scratch.count <= freeScratch { scratch.append(FloatBuffer(count: Self.block)) }
        let leftSum = plan(left, sum: sum, freeScratch: freeScratch, part, &additions)
        let rightSum = plan(right, sum: .scratch(freeScratch), freeScratch: freeScratch + 1, part, &additions)
        additions.append(Addition(left: leftSum, right: rightSum, sum: sum))
        return sum
    }

    private func address(
        of operand: Operand, _ target: UnsafeMutablePointer<Float>, _ start: Int
    ) -> UnsafeMutablePointer<Float> {
        switch operand {
        // Only ever read: parts are left and right operands, never a sum.
        case .part(let elements): UnsafeMutablePointer(mutating: elements + start)
        case .scratch(let index): scratch[index].pointer
        case .target: target + start
        }
    }
}
