import CKernels
import Kernels

/// Which weights of a model's sparse matrices are kept: one bit each.
///
/// `@unchecked Sendable`: the memory never moves; threads that write at once write the words of different tensors, and
/// nobody reads meanwhile.
public final class WeightMasks: @unchecked Sendable {
    /// Where the words lie.
    public let layout: MaskLayout
    /// The words' memory, two floats each: a buffer like those of the parameters, so that it travels with them.
    public let memory: FloatBuffer

    /// Masks that keep nothing yet.
    public init(_ layout: MaskLayout) {
        self.layout = layout
        memory = FloatBuffer(count: 2 * layout.wordCount)
    }

    /// All words.
    public var words: UnsafeMutablePointer<UInt64> {
        UnsafeMutableRawPointer(memory.pointer).bindMemory(to: UInt64.self, capacity: layout.wordCount)
    }

    /// Keeps all weights.
    public func keepAll() {
        words.update(repeating: .max, count: layout.wordCount)
        clearPadding()
    }

    /// Weights of tensor `index` that are kept.
    public func kept(ofTensor index: Int) -> Int {
        let tensor = layout.tensors[index]
        return wm_mask_count(tensor.words.count, words + tensor.words.lowerBound)
    }

    /// Weights that are kept.
    public var kept: Int { wm_mask_count(layout.wordCount, words) }

    /// Sets the elements of tensor `index` that are not kept to zero, in a flat buffer of parameters or the like.
    public func apply(to values: UnsafeMutablePointer<Float>, tensor index: Int) {
        let tensor = layout.tensors[index]
        wm_mask_apply(
            tensor.rows, tensor.columns, words + tensor.words.lowerBound, values + tensor.tensor.range.lowerBound)
    }

    /// Clears the bits beyond each row's last column, which no kernel may see. Masks that came from outside may have some.
    public func clearPadding() {
        for tensor in layout.tensors where tensor.columns % 64 != 0 {
            let (words, last) = (words + tensor.words.lowerBound, tensor.wordsOfRow - 1)
            let used = UInt64.max >> UInt64(64 - tensor.columns % 64)
            for row in 0..<tensor.rows { words[row * tensor.wordsOfRow + last] &= used }
        }
    }
}
