import CKernels
import COneDNN
import Glibc

/// What the machine computes with: the part of the promise of equal bits that two machines must have in common.
public enum KernelLibrary {
    /// The fused kernels' instruction set: `avx512f`, `avx2` or `default`.
    public static var instructionSet: String { String(cString: wm_kernels_active().pointee.name) }

    /// oneDNN's version, e.g. `2.6.0`.
    public static var oneDNNVersion: String {
        let version = dnnl_version().pointee
        return "\(version.major).\(version.minor).\(version.patch)"
    }

    /// The instruction set that oneDNN's GEMMs choose, e.g. `avx512_core_bf16`.
    public static var oneDNNInstructionSet: String {
        switch dnnl_get_effective_cpu_isa() {
        case dnnl_cpu_isa_sse41: "sse41"
        case dnnl_cpu_isa_avx: "avx"
        case dnnl_cpu_isa_avx2: "avx2"
        case dnnl_cpu_isa_avx512_core: "avx512_core"
        case dnnl_cpu_isa_avx512_core_vnni: "avx512_core_vnni"
        case dnnl_cpu_isa_avx512_core_bf16: "avx512_core_bf16"
        case let other: "isa \(other.rawValue)"
        }
    }

    /// Holds oneDNN to one thread in the calling thread: a lane never shares its GEMMs, which keeps its bits independent
    /// of the machine's load. OpenMP keeps this setting for each thread.
    public static func useOneThreadPerLane() {
        openMPSetThreads?(1)
    }

    // oneDNN brings its OpenMP runtime along (or has none), so the runtime is not linked but looked up in what is loaded.
    private static let openMPSetThreads: (@convention(c) (Int32) -> Void)? = {
        _ = dnnl_version()
        guard let symbol = dlsym(nil, "omp_set_num_threads") else { return nil }
        return unsafeBitCast(symbol, to: (@convention(c) (Int32) -> Void).self)
    }()
}
