import Jobs

/// What the engine computes in one pass of a micro-batch, forward and backward, in the units that `HostMachine` has rates
/// for. Counted as the engine does it: packed tokens, the last layer only where the heads read, the masked tokens alone
/// through the vocabulary.
public struct LanePassWork: Hashable, Sendable {
    /// Floating-point operations of the encoder's products with the rows of all tokens.
    public var encoderFlops: Double
    /// Those of the last layer's products with the rows that the heads read.
    public var lastLayerFlops: Double
    /// Floating-point operations of the heads' products.
    public var headFlops: Double
    /// Query rows x key rows x channels of attention.
    public var attentionUnits: Double
    /// Key rows x channels of attention: of every layer, however few queries the last one has.
    public var attentionElements: Double
    /// Bytes that norms, dropout and activations must move.
    public var elementwiseBytes: Double
    /// Logits.
    public var logits: Double
    /// Elements of the embeddings.
    public var embeddingElements: Double

    /// The work of `sequences` with `tokens` real tokens in all and `masked` predicted ones.
    ///
    /// - Parameter lengthSpread: the coefficient of variation of a sequence's tokens: attention goes by their square.
    public init(
        model: ModelShape, vocabularySize: Int, sequences: Double, tokens: Double, masked: Double,
        lengthSpread: Double = 0
    ) {
        let (h, f, v) = (Double(model.hidden), Double(model.intermediate), Double(vocabularySize))
        let full = Double(model.layers - 1)
        // The heads read the masked positions and each sequence's first.
        let reads = min(tokens, masked + sequences)
        let length = sequences > 0 ? tokens / sequences * (1 + lengthSpread * lengthSpread) : 0
        let whole = 2 * tokens * h * (4 * h + 2 * f)
        encoderFlops = 3 * (full * whole + 2 * tokens * h * 2 * h)
        lastLayerFlops = 3 * 2 * reads * h * (2 * h + 2 * f)
        attentionUnits = (full * tokens + reads) * length * h
        attentionElements = Double(model.layers) * tokens * h
        elementwiseBytes = 4 * (full * tokens + reads) * (16 * h + 7 * f)
        headFlops = 3 * 2 * masked * h * (h + v)
        logits = masked * v
        embeddingElements = tokens * h
    }

    /// Floating-point operations of all products.
    public var productFlops: Double { encoderFlops + lastLayerFlops + headFlops }

    /// Host seconds on one thread at `rates`.
    public func seconds(_ rates: HostMachine.Rates) -> Double {
        let kernels =
            encoderFlops / (rates.encoderGigaflopsPerSecond * 1e9)
            + lastLayerFlops / (rates.lastLayerGigaflopsPerSecond * 1e9)
            + headFlops / (rates.headGigaflopsPerSecond * 1e9)
            + attentionUnits * rates.attentionNanoseconds * 1e-9
            + attentionElements * rates.attentionElementNanoseconds * 1e-9
            + elementwiseBytes / (rates.elementwiseGigabytesPerSecond * 1e9) + logits * rates.logitNanoseconds * 1e-9
            + embeddingElements * rates.embeddingNanoseconds * 1e-9
        return kernels * rates.overhead
    }
}
