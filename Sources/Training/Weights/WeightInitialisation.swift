import BERT
import Jobs
import Kernels

/// The weights that training begins with, as `transformers` draws them: dense and embedding weights from a normal
/// distribution of deviation 0.02, biases 0, layer norms 1 and 0, and the padding token's embedding 0.
///
/// Every element is a function of (seed, tensor name, element), so any number of threads, workers or layouts draws the same.
public enum WeightInitialisation {
    /// `initializer_range` of the published configurations.
    public static let deviation: Float = 0.02
    private static let chunk = 1 << 18

    /// Sets all `weights` of `layout` (which are zero), on the threads of `crew`.
    public static func fill(_ weights: FloatBuffer, layout: ParameterLayout, seed: UInt64, crew: ThreadCrew) throws {
        try crew.run { thread in
            for tensor in layout.tensors {
                let range = UnsafeMutableBufferPointer(rebasing: weights.buffer[tensor.range])
                // Chunks are dealt in turn: each is a function of its place alone.
                for (index, start) in stride(from: 0, to: range.count, by: chunk).enumerated()
                where index % crew.count == thread {
                    let part = UnsafeMutableBufferPointer(rebasing: range[start..<min(start + chunk, range.count)])
                    fill(part, of: tensor, from: start, seed: seed)
                }
            }
        }
    }

    /// Sets one whole tensor.
    public static func fill(_ values: UnsafeMutableBufferPointer<Float>, of tensor: ParameterTensor, seed: UInt64) {
        fill(values, of: tensor, from: 0, seed: seed)
    }

    private static func fill(
        _ values: UnsafeMutableBufferPointer<Float>, of tensor: ParameterTensor, from start: Int, seed: UInt64
    ) {
        guard tensor.shape.count > 1 else {
            values.update(repeating: tensor.name.hasSuffix("LayerNorm.weight") ? 1 : 0)
            return
        }
        NormalKernel.fill(
            values, key: CounterRandom.key(seed: seed, purpose: .initialisation), stream: stream(of: tensor.name),
            start: start, deviation: deviation)
        if tensor.name == "bert.embeddings.word_embeddings.weight", start < tensor.shape[1] {
            // `padding_idx` of torch.nn.Embedding.
            UnsafeMutableBufferPointer(rebasing: values[0..<min(values.count, tensor.shape[1] - start)])
                .update(repeating: 0)
        }
    }

    /// FNV-1a of the name: a stream of its own for each tensor, whatever the layout's order.
    static func stream(of name: String) -> UInt64 {
        name.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
    }
}
