import CKernels

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The scalars of one optimizer step, computed in double and rounded once.
public struct OptimizerScalars: Sendable {
    var values: wm_optimizer_scalars

    /// - Parameters:
    ///   - learningRate: of this step.
    ///   - beta1: decay of the first moment.
    ///   - beta2: decay of the second moment.
    ///   - epsilon: added to the root of the second moment.
    ///   - weightDecay: decoupled; 0 for tensors that it spares.
    ///   - step: from 1, the number of updates including this one.
    ///   - gradientScale: multiplies every gradient first.
    public init(
        learningRate: Double, beta1: Double, beta2: Double, epsilon: Double, weightDecay: Double, step: Int,
        gradientScale: Double
    ) {
        let first = 1 - pow(beta1, Double(step))
        let second = 1 - pow(beta2, Double(step))
        values = wm_optimizer_scalars(
            gradient_scale: Float(gradientScale), beta1: Float(beta1), one_minus_beta1: Float(1 - beta1),
            beta2: Float(beta2), one_minus_beta2: Float(1 - beta2), epsilon: Float(epsilon),
            decay_factor: Float(1 - learningRate * weightDecay), step_size: Float(learningRate / first),
            weight_decay: Float(weightDecay), inverse_root2: Float(1 / second.squareRoot()),
            inverse_first: Float(1 / first))
    }
}

/// Fused optimizer kernels. All work on ranges of f32 elements, elementwise unless said, to the same bits however a tensor
/// is cut and on every instruction set.
public enum OptimizerKernels {
    /// Elements of the blocks in which norms are summed: partial sums of blocks are added in block order, so that a norm
    /// doesn't depend on who computed which block.
    public static let blockSize = 1 << 14

    private static var kernels: UnsafePointer<wm_kernels> { FusedKernels.active.table }

    /// AdamW, as `torch.optim.AdamW`, over `count` elements of one tensor.
    public static func adamW(
        weights: UnsafeMutablePointer<Float>, firstMoments: UnsafeMutablePointer<Float>,
        secondMoments: UnsafeMutablePointer<Float>, gradients: UnsafePointer<Float>, count: Int,
        scalars: OptimizerScalars
    ) {
        withUnsafePointer(to: scalars.values) {
            kernels.pointee.adamw(count, $0, gradients, weights, firstMoments, secondMoments)
        }
    }

    /// LAMB's first half: the moments, then the update, written over the gradient.
    ///
    /// - Returns: the sums of squares of these weights and updates, for the tensor's trust ratio.
    public static func lambUpdate(
        weights: UnsafePointer<Float>, firstMoments: UnsafeMutablePointer<Float>,
        secondMoments: UnsafeMutablePointer<Float>, gradients: UnsafeMutablePointer<Float>, count: Int,
        scalars: OptimizerScalars
    ) -> (weights: Double, update: Double) {
        let norms = withUnsafePointer(to: scalars.values) {
            kernels.pointee.lamb_update(count, $0, weights, gradients, firstMoments, secondMoments)
        }
        return (weights: norms.weights, update: norms.update)
    }

    /// LAMB's second half: weights -= rate x update.
    public static func lambApply(
        weights: UnsafeMutablePointer<Float>, update: UnsafePointer<Float>, count: Int, rate: Float
    ) {
        kernels.pointee.lamb_apply(count, rate, update, weights)
    }

    /// The sum of squares of `count` elements, in double, in an order that depends on `count` alone.
    public static func sumOfSquares(_ values: UnsafePointer<Float>, count: Int) -> Double {
        kernels.pointee.sum_of_squares(count, values)
    }
}

/// Normal random numbers addressed by element.
public enum NormalKernel {
    /// Elements that one step of the generator makes: ranges begin at multiples of it.
    public static let granularity = 64

    /// Sets `values` to normal numbers of mean 0 and the given standard deviation.
    ///
    /// Element `e` of a stream is a pure function of (key, stream, e); `values` begins at element `start`.
    /// - Precondition: `start` is a multiple of `granularity`, below 2^38.
    public static func fill(
        _ values: UnsafeMutableBufferPointer<Float>, key: SIMD2<UInt32>, stream: UInt64, start: Int, deviation: Float
    ) {
        precondition(start % granularity == 0 && start < 1 << 38, "element \(start) is not where a block begins")
        guard let first = values.baseAddress else { return }
        FusedKernels.active.table.pointee.fill_normal(
            values.count, UInt32(start / granularity), key.x, key.y, stream, deviation, first)
    }
}
