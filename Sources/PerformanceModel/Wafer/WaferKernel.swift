import Jobs

/// One operator of the training graph as a rectangle of cores runs it: forward pass, both gradients and the update of its
/// weights, which never leave it. The rectangle's time is shared by samples that go forward and samples that come back.
public struct WaferKernel: Hashable, Sendable, Codable {
    /// What is computed for a sample.
    public enum Work: Hashable, Sendable, Codable {
        /// `rows` rows through weights `[outputs, inputs]`: three products, forward and for both gradients.
        case dense(rows: Int, inputs: Int, outputs: Int)
        /// Scores and context of `heads` heads of `width` over `tokens` tokens: two products forward, four back.
        case attention(tokens: Int, heads: Int, width: Int)
    }

    /// The operator's part in the network.
    public enum Role: String, Hashable, Sendable, Codable, CaseIterable {
        /// Word embedding and, over the same table, the decoder of the masked-language head.
        case vocabulary
        case queryKeyValue = "query_key_value"
        case attention
        case attentionOutput = "attention_output"
        case feedForwardIn = "feed_forward_in"
        case feedForwardOut = "feed_forward_out"
        case transform
        case pooler
    }

    /// The part it plays.
    public var role: Role
    /// The encoder layer from 0; nil outside the encoder.
    public var layer: Int?
    /// What is computed for a sample.
    public var work: Work
    /// Weights, biases, norms.
    public var parameters: Int
    /// Element-wise operations of a sample, forward and back.
    public var elementwiseOperations: Double
    /// Elements of a sample that wait here from the forward pass for the backward pass.
    public var keptElements: Int
    /// The share of its weights that are not zero.
    public var density = 1.0
    /// Which of its weights are zero together.
    public var pattern = WeightSparsity.Pattern.unstructured
    /// Whether a sample must have arrived whole before its first row can be computed (attention looks at all tokens).
    public var waitsForWholeSample: Bool { role == .attention }
    /// The forward pass's share of the multiply-adds.
    public static let forwardShare = 1.0 / 3

    /// Multiply-adds of a sample, forward and back, with weights that are not zero.
    public var multiplyAdds: Double {
        switch work {
        case .dense: denseMultiplyAdds * density
        case .attention: denseMultiplyAdds
        }
    }

    /// Multiply-adds of a sample, forward and back, if no weight were zero.
    public var denseMultiplyAdds: Double {
        switch work {
        case .dense(let rows, let inputs, let outputs): 3 * Double(rows) * Double(inputs) * Double(outputs)
        case .attention(let tokens, let heads, let width):
            6 * Double(tokens) * Double(tokens) * Double(heads * width)
        }
    }

    /// Bytes that a core keeps of a weight: where some are zero, the others' places as well.
    var bytesPerStoredParameter: Double { WaferCore.bytesPerParameter + (density < 1 ? WaferCore.bytesPerPlace : 0) }

    /// Bytes of all its parameters with their optimizer state.
    var storedBytes: Double { Double(parameters) * density * bytesPerStoredParameter }

    /// Rows of a sample: after the first, the next kernel may begin.
    public var rows: Int {
        switch work {
        case .dense(let rows, _, _): rows
        case .attention(let tokens, _, _): tokens
        }
    }

    /// `0 attention`: layer and role, for people.
    public var name: String { (layer.map { "\($0) " } ?? "") + role.rawValue.replacing("_", with: " ") }
}

/// The kernels of a job's training graph in the order in which a sample passes them, and what flows between them.
public struct WaferGraph: Hashable, Sendable, Codable {
    /// Activations that go from one kernel to another, and their gradients back.
    public struct Edge: Hashable, Sendable, Codable {
        public var from: Int
        public var to: Int
        /// Bytes of a sample, one way.
        public var bytes: Double
    }

    /// In the order of the forward pass; the vocabulary is first and, as decoder, last.
    public var kernels: [WaferKernel]
    public var edges: [Edge]
    /// Tokens of a sample.
    public var tokens: Double
    /// Bytes of a sample from outside: ids, types and mask.
    public var inputBytes: Double

    /// The graph of `workload`, a sample at a time, with the zeros of `sparsity` among its weights.
    ///
    /// Element-wise operations a token are counted from the formulas: 20 an element of a norm with its residual and
    /// dropout, forward and back; 30 an element of GELU; 18 a score of softmax and dropout.
    public init(_ workload: Workload, sparsity: WeightSparsity? = nil) {
        let (shape, tokens, masked) = (workload.model, workload.sequence, workload.maskedPositions)
        let (h, f, v) = (shape.hidden, shape.intermediate, workload.vocabularySize)
        let norm = 20 * Double(tokens * h)
        var kernels = [
            WaferKernel(
                role: .vocabulary, layer: nil, work: .dense(rows: masked, inputs: h, outputs: v),
                parameters: (v + shape.positions + 2 + 2) * h + v,
                elementwiseOperations: norm + 12 * Double(masked * v), keptElements: 2 * tokens * h + masked * h)
        ]
        for layer in 0..<shape.layers {
            func dense(_ role: WaferKernel.Role, _ inputs: Int, _ outputs: Int, norms: Int, _ operations: Double) {
                kernels.append(
                    WaferKernel(
                        role: role, layer: layer, work: .dense(rows: tokens, inputs: inputs, outputs: outputs),
                        parameters: inputs * outputs + outputs + norms * 2 * h, elementwiseOperations: operations,
                        keptElements: tokens * inputs + norms * tokens * h))
            }
            dense(.queryKeyValue, h, 3 * h, norms: 0, Double(3 * tokens * h))
            kernels.append(
                WaferKernel(
                    role: .attention, layer: layer,
                    work: .attention(tokens: tokens, heads: shape.heads, width: h / shape.heads), parameters: 0,
                    elementwiseOperations: 18 * Double(shape.heads * tokens * tokens), keptElements: 4 * tokens * h))
            dense(.attentionOutput, h, h, norms: 1, norm)
            dense(.feedForwardIn, h, f, norms: 0, 30 * Double(tokens * f))
            dense(.feedForwardOut, f, h, norms: 1, norm)
        }
        let encoder = kernels.count
        kernels.append(
            WaferKernel(
                role: .transform, layer: nil, work: .dense(rows: masked, inputs: h, outputs: h),
                parameters: h * h + 3 * h, elementwiseOperations: 50 * Double(masked * h), keptElements: 3 * masked * h)
        )
        if workload.nextSentence {
            kernels.append(
                WaferKernel(
                    role: .pooler, layer: nil, work: .dense(rows: 1, inputs: h, outputs: h),
                    parameters: h * h + 3 * h + 2, elementwiseOperations: 10 * Double(h), keptElements: 2 * h))
        }
        if let sparsity {
            for index in kernels.indices {
                kernels[index].density = sparsity.density(of: kernels[index].role, layer: kernels[index].layer)
                kernels[index].pattern = sparsity.pattern
            }
        }
        self.kernels = kernels
        self.tokens = Double(tokens)
        inputBytes = Double(tokens) * 12
        edges = Self.edges(kernels, encoder: encoder, hidden: h, wide: f, tokens: tokens, masked: masked)
    }

    private static func edges(
        _ kernels: [WaferKernel], encoder: Int, hidden: Int, wide: Int, tokens: Int, masked: Int
    ) -> [Edge] {
        var edges: [Edge] = []
        func flow(_ from: Int, _ to: Int, _ elements: Int) {
            edges.append(
                Edge(from: from, to: to, bytes: Double(elements) * WaferCore.bytesPerActivation))
        }
        var last = 0
        for first in stride(from: 1, to: encoder, by: 5) {
            flow(last, first, tokens * hidden)
            flow(first, first + 1, 3 * tokens * hidden)
            flow(first + 1, first + 2, tokens * hidden)
            flow(last, first + 2, tokens * hidden)
            flow(first + 2, first + 3, tokens * hidden)
            flow(first + 3, first + 4, tokens * wide)
            flow(first + 2, first + 4, tokens * hidden)
            last = first + 4
        }
        flow(last, encoder, masked * hidden)
        flow(encoder, 0, masked * hidden)
        if encoder + 1 < kernels.count { flow(last, encoder + 1, hidden) }
        return edges
    }
}
