@_exported import CKernels

/// The table of fused kernels that this machine runs; what each computes is said in `ckernels.h`.
public struct FusedKernels: @unchecked Sendable {
    // A constant table of functions in the binary: nothing ever writes to it.
    /// The functions.
    public let table: UnsafePointer<wm_kernels>

    /// The best for this machine.
    public static let active = FusedKernels(table: wm_kernels_active())

    /// The table `avx512f`, `avx2` or `default`, or nil where this machine cannot run it.
    public static func named(_ name: String) -> FusedKernels? {
        wm_kernels_named(name).map { FusedKernels(table: $0) }
    }

    /// Floats of scratch that attention over one sequence needs.
    public static func attentionScratch(length: Int, width: Int) -> Int {
        wm_attention_scratch(length, width)
    }
}
