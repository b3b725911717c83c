import Cluster
import Jobs
import Kernels

/// Lane gradients that can be made anywhere, and their sum as the lane tree says, computed with nothing but `+`.
struct PlainSum {
    let tree: LaneTree
    let count: Int
    let step: Int
    var encoding = SumEncoding.float32

    /// A number of lane `lane`. Magnitudes differ widely, so that another order of additions gives other bits.
    func element(_ index: Int, lane: Int) -> Float {
        var word = UInt64(truncatingIfNeeded: index &* 0x9e37_79b9 &+ lane &* 0x85eb_ca6b &+ step &* 0xc2b2_ae35)
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        word ^= word >> 31
        // As if lanes had held the others back.
        if encoding == .nonZeros, word >> 41 & 15 != 0 { return 0 }
        let mantissa = Float(Int32(truncatingIfNeeded: word)) * 0x1p-31
        return mantissa * (word & 1 << 40 == 0 ? 1 : 1024)
    }

    /// The sum over the lanes of `node`.
    func sum(over node: LaneTree.Node) -> [Float] {
        guard let (left, right) = tree.children(of: node) else {
            return (0..<count).map { rounded(element($0, lane: node.lanes.lowerBound)) }
        }
        let (leftSum, rightSum) = (sum(over: left), sum(over: right))
        return (0..<count).map { rounded(leftSum[$0] + rightSum[$0]) }
    }

    /// The nearest number that the encoding has, by exact arithmetic in Double; these are all finite.
    private func rounded(_ value: Float) -> Float {
        let (precision, lowest): (Int, Int)
        switch encoding {
        case .float32, .nonZeros: return value
        case .half(.bfloat16): (precision, lowest) = (8, -133)
        case .half(.float16(let scale)): (precision, lowest) = (11, -24 - Int(scale.exponent))
        }
        guard value != 0 else { return value }
        let unit = Double(sign: .plus, exponent: max(Int(value.exponent) - precision + 1, lowest), significand: 1)
        return Float((Double(value) / unit).rounded(.toNearestOrEven) * unit)
    }
}

extension [Float] {
    /// The numbers' bits, by which sums are compared.
    var bits: [UInt32] { map(\.bitPattern) }
}
