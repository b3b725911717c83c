/// A software generation (framework and container): how it exchanges gradients, and its efficiency constants.
public struct SoftwareStack: Hashable, Sendable, Codable, Identifiable {
    /// When gradients are exchanged.
    public enum Exchange: String, Hashable, Sendable, Codable, CaseIterable {
        /// The whole gradient as one message after the last micro-batch; nothing overlaps.
        case afterAccumulation = "after_accumulation"
        /// Buckets during the backward pass of the last micro-batch.
        case duringBackward = "during_backward"
    }

    /// The share of the device's stated matrix rate that large products reach, and how well rows determine it.
    public struct Efficiency: Hashable, Sendable, Codable {
        /// Share of peak, at the hardware's sustained speed.
        public var matrixShare: Constant

        /// An efficiency of the given share.
        public init(matrixShare: Constant) { self.matrixShare = matrixShare }
    }

    /// The name that `--stack` takes.
    public var name: String
    /// One line for people.
    public var title: String
    /// When gradients are exchanged.
    public var exchange: Exchange
    /// The size at which a bucket is sent, in MiB of gradient; 0 sends everything as one.
    public var bucketMebibytes: Double
    /// Bytes of a gradient element on the wire under mixed precision; f32 gradients take 4.
    public var halfGradientBytes: Int
    /// Where the exchange settings are from.
    public var source: String
    /// Efficiency by precision; those without rows are missing.
    public var efficiency: [Precision: Efficiency]
    /// Time that a kernel costs besides its work, in microseconds; nil takes what stacks share.
    public var launchMicroseconds: Constant?
    /// What the rows covered.
    public var range: CalibratedRange

    /// The name.
    public var id: String { name }

    /// Bytes of an exchanged gradient element.
    public func gradientBytes(_ precision: Precision) -> Int { precision == .fp16 ? halfGradientBytes : 4 }
}

/// A constant that a fit found, and how well.
public struct Constant: Hashable, Sendable, Codable {
    /// The value, in the unit that the key names.
    public var value: Double
    /// One standard error in per cent, prior included.
    public var errorPercent: Double
    /// How far the rows narrowed the prior: 0 not at all, 1 wholly.
    public var determined: Double

    /// A constant of the given parts.
    public init(value: Double, errorPercent: Double, determined: Double) {
        self.value = value
        self.errorPercent = errorPercent
        self.determined = determined
    }
}

/// The inputs that a stack's rows covered: beyond them a prediction is extrapolated.
public struct CalibratedRange: Hashable, Sendable, Codable {
    /// Rows that the constants were fitted on.
    public var rows: Int
    /// Hardware profiles among them, sorted.
    public var hardware: [String]
    /// The least and greatest sequence length.
    public var sequence: ClosedRange<Int>
    /// The least and greatest tokens of a micro-batch.
    public var tokens: ClosedRange<Int>
    /// The least and greatest number of micro-batches of a step.
    public var accumulation: ClosedRange<Int>

    /// A range of the given parts.
    public init(
        rows: Int, hardware: [String], sequence: ClosedRange<Int>, tokens: ClosedRange<Int>,
        accumulation: ClosedRange<Int>
    ) {
        self.rows = rows
        self.hardware = hardware
        self.sequence = sequence
        self.tokens = tokens
        self.accumulation = accumulation
    }
}
