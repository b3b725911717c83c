import Jobs

/// Lays out a BERT training step as operators, each layer once (Devlin et al. 2019; the kernel counts are those of an eager framework
/// for the unfused case, and of hand-fused kernels for the fused one).
///
/// Shapes: T = micro-batch x sequence tokens, h hidden, f feed-forward width, a heads of d = h / a, M masked positions of
/// the micro-batch, V vocabulary. E = T x h, F = T x f and S = micro-batch x a x sequence^2 are the sizes of the tensors
/// that element-wise work goes over.
extension StepTemplate {
    /// The template of `workload`.
    public init(_ workload: Workload) {
        var forward: [Operator] = []
        var backward: [Operator] = []
        var heads: [Operator] = []
        Self.forward(workload, into: &forward)
        Self.backward(workload, into: &backward)
        Self.heads(workload, into: &heads)
        self.workload = workload
        embeddingsForward = Self.embeddings(workload, .forward)
        layerForward = forward
        self.heads = heads
        layerBackward = backward
        embeddingsBackward = Self.embeddings(workload, .backward)
        headParameters = Self.headParameters(workload)
        layerParameters = Self.layerParameters(workload.model)
        embeddingParameters = Self.embeddingParameters(workload)
        update = Self.optimizer(workload, parameters: 0)
        update = Self.optimizer(workload, parameters: Double(parameterCount))
    }

    private static func layerParameters(_ shape: ModelShape) -> Int {
        let (h, f) = (shape.hidden, shape.intermediate)
        return 4 * (h * h + h) + 2 * h * f + f + h + 4 * h
    }

    private static func embeddingParameters(_ workload: Workload) -> Int {
        (workload.vocabularySize + workload.model.positions + 2 + 2) * workload.model.hidden
    }

    private static func headParameters(_ workload: Workload) -> Int {
        let h = workload.model.hidden
        let masked = h * h + 3 * h + workload.vocabularySize
        return masked + (workload.nextSentence ? h * h + h + 2 * h + 2 : 0)
    }

    private static func embeddings(_ workload: Workload, _ part: Operator.Part) -> Operator {
        let e = Double(workload.microBatch * workload.sequence * workload.model.hidden)
        let table = Double(workload.vocabularySize * workload.model.hidden)
        // Forward: three gathers, two additions, norm, dropout. Backward adds the dense gradient of the tied table.
        return part == .forward
            ? .elementwise("embeddings", part, layer: -1, fused: 3 * e, unfused: 16 * e, kernels: (1, 8), work: .gather)
            : .elementwise(
                "embeddings", part, layer: -1, fused: 4 * e + table, unfused: 14 * e + 3 * table, kernels: (2, 10),
                work: .gather)
    }

    private static func forward(_ workload: Workload, into operators: inout [Operator]) {
        let (layer, shape) = (0, workload.model)
        let (h, f, s) = (shape.hidden, shape.intermediate, workload.sequence)
        let t = workload.microBatch * s
        let pairs = workload.microBatch * shape.heads
        let d = h / shape.heads
        let (e, wide, scores) = (Double(t * h), Double(t * f), Double(pairs * s * s))
        for name in ["attention.query", "attention.key", "attention.value"] {
            operators.append(.product(name, .forward, layer: layer, m: t, n: h, k: h))
        }
        operators.append(
            .elementwise("attention.split", .forward, layer: layer, fused: 6 * e, unfused: 12 * e, kernels: (1, 6)))
        operators.append(.product("attention.scores", .forward, layer: layer, m: s, n: s, k: d, batch: pairs))
        operators.append(
            .elementwise(
                "attention.softmax", .forward, layer: layer, fused: 2.5 * scores, unfused: 8.5 * scores,
                kernels: (1, 4)))
        operators.append(.product("attention.context", .forward, layer: layer, m: s, n: d, k: s, batch: pairs))
        operators.append(
            .elementwise("attention.merge", .forward, layer: layer, fused: 2 * e, unfused: 2 * e, kernels: (1, 1)))
        operators.append(.product("attention.output", .forward, layer: layer, m: t, n: h, k: h))
        operators.append(
            .elementwise(
                "attention.norm", .forward, layer: layer, fused: 3.5 * e, unfused: 9.5 * e, kernels: (1, 4)))
        operators.append(.product("feedforward.in", .forward, layer: layer, m: t, n: f, k: h))
        operators.append(
            .elementwise(
                "feedforward.gelu", .forward, layer: layer, fused: 2 * wide, unfused: 4 * wide, kernels: (1, 2)))
        operators.append(.product("feedforward.out", .forward, layer: layer, m: t, n: h, k: f))
        operators.append(
            .elementwise(
                "feedforward.norm", .forward, layer: layer, fused: 3.5 * e, unfused: 9.5 * e, kernels: (1, 4)))
    }

    private static func backward(_ workload: Workload, into operators: inout [Operator]) {
        let (layer, shape) = (0, workload.model)
        let (h, f, s) = (shape.hidden, shape.intermediate, workload.sequence)
        let t = workload.microBatch * s
        let pairs = workload.microBatch * shape.heads
        let d = h / shape.heads
        let (e, wide, scores) = (Double(t * h), Double(t * f), Double(pairs * s * s))
        // Each product has two gradients: of its input (m x k, summed over n) and of its weights (k x n, over m).
        func gradients(_ name: String, m: Int, n: Int, k: Int, batch: Int = 1) {
            operators.append(.product("\(name).input", .backward, layer: layer, m: m, n: k, k: n, batch: batch))
            operators.append(.product("\(name).weight", .backward, layer: layer, m: k, n: n, k: m, batch: batch))
        }
        operators.append(
            .elementwise(
                "feedforward.norm", .backward, layer: layer, fused: 4.5 * e, unfused: 9.5 * e, kernels: (1, 5)))
        gradients("feedforward.out", m: t, n: h, k: f)
        operators.append(
            .elementwise(
                "feedforward.gelu", .backward, layer: layer, fused: 3 * wide, unfused: 4 * wide, kernels: (1, 2)))
        gradients("feedforward.in", m: t, n: f, k: h)
        operators.append(
            .elementwise(
                "attention.norm", .backward, layer: layer, fused: 4.5 * e, unfused: 9.5 * e, kernels: (1, 5)))
        gradients("attention.output", m: t, n: h, k: h)
        operators.append(
            .elementwise("attention.merge", .backward, layer: layer, fused: 2 * e, unfused: 2 * e, kernels: (1, 1)))
        gradients("attention.context", m: s, n: d, k: s, batch: pairs)
        operators.append(
            .elementwise(
                "attention.softmax", .backward, layer: layer, fused: 3.5 * scores, unfused: 7.5 * scores,
                kernels: (1, 3)))
        gradients("attention.scores", m: s, n: s, k: d, batch: pairs)
        operators.append(
            .elementwise("attention.split", .backward, layer: layer, fused: 6 * e, unfused: 15 * e, kernels: (1, 9)))
        for name in ["attention.query", "attention.key", "attention.value"] { gradients(name, m: t, n: h, k: h) }
    }

    private static func heads(_ workload: Workload, into operators: inout [Operator]) {
        let (h, v) = (workload.model.hidden, workload.vocabularySize)
        let layer = workload.model.layers
        let masked = workload.microBatch * workload.maskedPositions
        let (e, logits) = (Double(masked * h), Double(masked * v))
        operators.append(.product("masked.transform", .forward, layer: layer, m: masked, n: h, k: h))
        operators.append(
            .elementwise("masked.norm", .forward, layer: layer, fused: 4 * e, unfused: 12 * e, kernels: (2, 7)))
        operators.append(.product("masked.decoder", .forward, layer: layer, m: masked, n: v, k: h))
        operators.append(
            .elementwise(
                "masked.loss", .forward, layer: layer, fused: 2 * logits, unfused: 6 * logits, kernels: (1, 5)))
        operators.append(
            .elementwise(
                "masked.loss", .backward, layer: layer, fused: 2 * logits, unfused: 5 * logits, kernels: (1, 4)))
        operators.append(.product("masked.decoder.input", .backward, layer: layer, m: masked, n: h, k: v))
        operators.append(.product("masked.decoder.weight", .backward, layer: layer, m: v, n: h, k: masked))
        operators.append(
            .elementwise("masked.norm", .backward, layer: layer, fused: 6 * e, unfused: 14 * e, kernels: (2, 8)))
        operators.append(.product("masked.transform.input", .backward, layer: layer, m: masked, n: h, k: h))
        operators.append(.product("masked.transform.weight", .backward, layer: layer, m: h, n: h, k: masked))
        guard workload.nextSentence else { return }
        let b = workload.microBatch
        operators.append(.product("pooler", .forward, layer: layer, m: b, n: h, k: h))
        operators.append(.product("pooler.input", .backward, layer: layer, m: b, n: h, k: h))
        operators.append(.product("pooler.weight", .backward, layer: layer, m: h, n: h, k: b))
        operators.append(
            .elementwise(
                "next_sentence", .backward, layer: layer, fused: Double(4 * b * h), unfused: Double(12 * b * h),
                kernels: (2, 12)))
    }

    /// AdamW reads gradient, weight and both moments and writes the last three: 7 passes over f32, more where each is
    /// a kernel of its own. LAMB reads once more for the norms of weight and update (You et al. 2020): 10 passes.
    private static func optimizer(_ workload: Workload, parameters: Double) -> Operator {
        let (fused, unfused): (Double, Double) =
            switch workload.optimizer {
            case .adamw: (8, 16)
            case .lamb: (12, 24)
            }
        let tensors = 16 * workload.model.layers + 14
        return .elementwise(
            "optimizer", .update, layer: workload.model.layers, fused: fused * parameters,
            unfused: unfused * parameters, kernels: (16, 8 * tensors), work: .optimizer, singlePrecision: true)
    }
}
