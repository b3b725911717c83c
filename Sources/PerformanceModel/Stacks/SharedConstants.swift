/// The constants that all stacks share, the hardware's own, and the widths of prediction intervals.
public struct SharedConstants: Hashable, Sendable, Codable {
    /// Element-wise traffic as a share of what it would be with every operation a kernel of its own.
    public var elementwiseTraffic: Constant
    /// The optimizer's traffic, likewise.
    public var updateTraffic: Constant
    /// What agreeing on the tensors to exchange during the backward pass costs besides the transfers, in microseconds a
    /// tensor and doubling of the devices.
    public var negotiationMicroseconds: Constant
    /// The speed of an exchange while the device computes, as a share of its speed alone.
    public var overlappedExchangeRate: Constant
    /// Host time that starting a kernel costs besides, where several devices' processes share a host and contend for its
    /// caches, memory and clock, in microseconds.
    public var hostMicrosecondsPerKernel: Constant
    /// The spread of device speeds as a coefficient of variation: the slowest of n sets the pace.
    public var deviceSpeedSpread: Constant
    /// A hardware profile's sustained speed against its stated rates.
    public var speed: [String: Constant]
    /// A network fabric's share of the bus bandwidth that its profile states.
    public var busShare: [String: Constant]
    /// What a precision's matrix share is where a stack has no rows of it.
    public var typicalMatrixShare: [Precision: Double]
    /// Time that a kernel costs besides its work where a stack has no figure of its own, in microseconds.
    public var launchMicroseconds: Constant
    /// The most devices of a row.
    public var mostDevices: Int
    /// Half-widths of the 90 % interval, in per cent.
    public var interval: Interval

    /// Half-widths of the 90 % interval by the kind of prediction, from residuals of rows that the fit had not seen.
    public struct Interval: Hashable, Sendable, Codable {
        /// One device.
        public var oneDevicePercent: Double
        /// Several devices of one node.
        public var oneNodePercent: Double
        /// Several nodes.
        public var severalNodesPercent: Double
        /// A stack, or a format of one, that no row is of.
        public var unknownStackPercent: Double
        /// The factor by which an extrapolated prediction's interval is wider.
        public var extrapolatedFactor: Double

        /// Widths of the given parts.
        public init(
            oneDevicePercent: Double, oneNodePercent: Double, severalNodesPercent: Double, unknownStackPercent: Double,
            extrapolatedFactor: Double
        ) {
            self.oneDevicePercent = oneDevicePercent
            self.oneNodePercent = oneNodePercent
            self.severalNodesPercent = severalNodesPercent
            self.unknownStackPercent = unknownStackPercent
            self.extrapolatedFactor = extrapolatedFactor
        }
    }

    /// The share of peak that matrix products take memory bandwidth for: what streaming kernels reach of the stated one.
    /// Source: STREAM-like kernels reach 80 to 85 % on V100 (Jia et al. 2018, arXiv 1804.06826).
    public static let memoryShare = 0.8
}
