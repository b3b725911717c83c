import CKernels
import Kernels

/// What ReLU leaves of a feed-forward layer's inner activations, packed for the five products that its zeros take part in:
/// with A `[tokens, inner]` the activations before ReLU, H = ReLU(A), W1 and W2 the layer's matrices, and dY the slopes of
/// its output,
///
///     Y = H W2^T,   dA = (dY W2) where H isn't 0,   dW2 = dY^T H,   dW1 = dA^T X,   dX = dA W1.
///
/// Only entries of H are multiplied. An object serves one engine, layer after layer.
package final class PackedActivations {
    /// The share of H that may be other than zero. A constant of the program, not of the machine: which products leave zeros
    /// out decides the last bits, and these must be the same everywhere.
    package static let densityLimit = 0.4

    /// H, or dA, by tokens.
    private let byToken: PackedMatrix
    /// H, or dA, by inner activations: the same entries, turned.
    private let byActivation: PackedMatrix
    private let mask: UnsafeMutablePointer<UInt64>
    private let turnedMask: UnsafeMutablePointer<UInt64>
    private let scratch: FloatBuffer

    /// Elements that the last `pack` found to stay, also where it did not pack.
    package private(set) var activeCount = 0
    /// Entries, where `pack` has packed.
    package var count: Int { byToken.count }
    private var tokens: Int { byToken.rows }
    private var width: Int { byToken.columns }

    private let densityLimit: Double

    /// Room for activations `[tokens, width]`, or fewer tokens, where no more than a share of them stays.
    package init(tokens: Int, width: Int, densityLimit: Double = PackedActivations.densityLimit) {
        self.densityLimit = densityLimit
        let entries = Self.limit(densityLimit, tokens: tokens, width: width)
        byToken = PackedMatrix(rows: tokens, columns: width, entries: entries)
        byActivation = PackedMatrix(rows: width, columns: tokens, entries: entries)
        mask = .allocate(capacity: tokens * MaskLayout.words(of: width))
        turnedMask = .allocate(capacity: width * MaskLayout.words(of: tokens))
        scratch = FloatBuffer(count: byToken.scratchCount)
    }

    deinit {
        mask.deallocate()
        turnedMask.deallocate()
    }

    private static func limit(_ density: Double, tokens: Int, width: Int) -> Int {
        Int(density * Double(tokens * width))
    }

    /// Takes the pattern of H from `inner`, which is A, if so few of its elements stay.
    package func pack(_ inner: UnsafePointer<Float>, tokens: Int, width: Int, stride: Int) -> Bool {
        wm_mask_of_active(tokens, width, stride, inner, mask)
        activeCount = wm_mask_count(tokens * MaskLayout.words(of: width), mask)
        guard activeCount <= Self.limit(densityLimit, tokens: tokens, width: width) else { return false }
        byToken.setPattern(rows: tokens, columns: width, mask: mask, count: activeCount)
        return true
    }

    /// Y `[tokens, hidden]`, from H and W2 `[hidden, width]`.
    package func output(
        _ kernels: wm_kernels, hidden: Int, activations: UnsafePointer<Float>, stride: Int,
        weight: UnsafePointer<Float>, into y: UnsafeMutablePointer<Float>, yStride: Int
    ) {
        byToken.gather(activations, rowStride: stride, columnStride: 1)
        byToken.multiply(
            kernels, tokens: hidden, wm_dense(weight, stride: width),
            into: wm_dense(y, stride: yStride, liesTurned: true),
            scratch: scratch.pointer)
    }

    /// dA `[tokens, width]`, zero where H is, from dY `[tokens, hidden]` and W2; keeps its entries for `inputSlopes`.
    package func slopes(
        _ kernels: wm_kernels, hidden: Int, outputSlopes: UnsafePointer<Float>, outputStride: Int,
        weight: UnsafePointer<Float>, into slopes: UnsafeMutablePointer<Float>, stride: Int
    ) {
        byToken.products(
            kernels, tokens: hidden, slopes: wm_dense(outputSlopes, stride: outputStride, liesTurned: true),
            wm_dense(weight, stride: width), into: byToken.values.pointer, scratch: scratch.pointer)
        byToken.scatter(byToken.values.pointer, accumulate: false, into: slopes, stride: stride)
        wm_mask_transpose(tokens, width, mask, turnedMask)
        byActivation.setPattern(rows: width, columns: tokens, mask: turnedMask, count: count)
    }

    /// dW2 `[hidden, width]`, from H and dY, after `slopes`.
    package func outputWeight(
        _ kernels: wm_kernels, hidden: Int, activations: UnsafePointer<Float>, stride: Int,
        outputSlopes: UnsafePointer<Float>, outputStride: Int, accumulate: Bool,
        into gradient: UnsafeMutablePointer<Float>
    ) {
        byActivation.gather(activations, rowStride: 1, columnStride: stride)
        byActivation.multiply(
            kernels, tokens: hidden, wm_dense(outputSlopes, stride: outputStride, liesTurned: true),
            accumulate: accumulate, into: wm_dense(gradient, stride: width), scratch: scratch.pointer)
    }

    /// dW1 `[width, hidden]`, from dA and the layer's input X `[tokens, hidden]`, after `slopes`.
    package func inputWeight(
        _ kernels: wm_kernels, hidden: Int, slopes: UnsafePointer<Float>, stride: Int, input: UnsafePointer<Float>,
        inputStride: Int, accumulate: Bool, into gradient: UnsafeMutablePointer<Float>
    ) {
        byActivation.gather(slopes, rowStride: 1, columnStride: stride)
        byActivation.multiply(
            kernels, tokens: hidden, wm_dense(input, stride: inputStride, liesTurned: true), accumulate: accumulate,
            into: wm_dense(gradient, stride: hidden, liesTurned: true), scratch: scratch.pointer)
    }

    /// Adds dX `[tokens, hidden]` to what is there, from dA and W1 `[width, hidden]`, after `slopes`.
    package func inputSlopes(
        _ kernels: wm_kernels, hidden: Int, weight: UnsafePointer<Float>, into x: UnsafeMutablePointer<Float>,
        xStride: Int
    ) {
        byToken.multiply(
            kernels, tokens: hidden, wm_dense(weight, stride: hidden, liesTurned: true), accumulate: true,
            into: wm_dense(x, stride: xStride, liesTurned: true), scratch: scratch.pointer)
    }
}
