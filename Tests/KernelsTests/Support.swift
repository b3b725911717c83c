import Foundation
import Kernels

/// Reproducible numbers without a distribution to speak of: enough to tell right from wrong.
struct Numbers {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    /// In [-1, 1).
    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }

    mutating func row(_ count: Int, times factor: Float = 1) -> [Float] { (0..<count).map { _ in unit() * factor } }
}

/// The tables of kernels that this machine can run.
let tables: [FusedKernels] = ["avx512f", "avx2", "default"].compactMap(FusedKernels.named)

extension FusedKernels {
    var functions: wm_kernels { table.pointee }
}

/// The largest difference of two rows, relative to the largest magnitude of the reference (0.25 at least: gradients that
/// cancel to zero are rounding errors of terms near 1).
func difference(_ found: [Float], _ reference: [Double]) -> Double {
    precondition(found.count == reference.count)
    var worst = 0.0
    var magnitude = 0.25
    for (a, b) in zip(found, reference) {
        worst = a.isNaN ? .infinity : max(worst, abs(Double(a) - b))
        magnitude = max(magnitude, abs(b))
    }
    return worst / magnitude
}

/// Masks as ckernels.h defines them, one element at a time.
enum MaskReference {
    static func words(_ counter: [UInt32], _ key: (UInt32, UInt32)) -> [UInt32] {
        var c = counter
        var (k0, k1) = key
        for _ in 0..<10 {
            let p0 = UInt64(0xD251_1F53) * UInt64(c[0])
            let p1 = UInt64(0xCD9E_8D57) * UInt64(c[2])
            c = [
                UInt32(p1 >> 32) ^ c[1] ^ k0, UInt32(truncatingIfNeeded: p1), UInt32(p0 >> 32) ^ c[3] ^ k1,
                UInt32(truncatingIfNeeded: p0),
            ]
            k0 &+= 0x9E37_79B9
            k1 &+= 0xBB67_AE85
        }
        return c
    }

    /// What element `element` of row `row`, of `groups` groups of 128, is multiplied by.
    static func factor(_ mask: wm_dropout, example: UInt32, row: Int, groups: Int, element: Int) -> Double {
        if mask.threshold == 0 { return 1 }
        let group = row * groups + element / 128
        let counter = [
            UInt32(group * 16 + element % 16), example, mask.site | mask.step_high << 16, mask.step_low,
        ]
        let slot = element % 128 / 16
        let word = words(counter, (mask.key0, mask.key1))[slot / 2]
        let draw = slot % 2 == 0 ? word & 0xffff : word >> 16
        return draw >= mask.threshold ? Double(mask.scale) : 0
    }
}

let noDropout = wm_dropout(key0: 0, key1: 0, step_low: 0, step_high: 0, site: 0, threshold: 0, scale: 1)
let someDropout = wm_dropout(
    key0: 0x1234_5678, key1: 0x9abc_def0, step_low: 77, step_high: 1, site: 19, threshold: 13107,
    scale: 65536 / Float(65536 - 13107))

/// Tokens of one or more examples, for kernels that address masks by them.
struct TokenRows {
    let examples: [UInt32]
    let positions: [UInt32]

    init(_ count: Int) {
        examples = (0..<count).map { UInt32(5 + $0 / 7) }
        positions = (0..<count).map { UInt32($0 % 7) }
    }

    func with<Result>(_ body: (wm_tokens) throws -> Result) rethrows -> Result {
        try examples.withUnsafeBufferPointer { examples in
            try positions.withUnsafeBufferPointer { positions in
                try body(
                    wm_tokens(
                        count: examples.count, example: examples.baseAddress ?? fallback,
                        position: positions.baseAddress ?? fallback))
            }
        }
    }

    private var fallback: UnsafePointer<UInt32> { UnsafePointer(bitPattern: 64).unsafelyUnwrapped }
}
