/// What a device does at best, in base units.
public struct DeviceRates: Hashable, Sendable {
    /// FLOP/s of matrix products.
    public var peakFlopsPerSecond: Double
    /// Multiprocessors among which tiles are dealt.
    public var multiprocessors: Double
    /// Bytes a second that streaming kernels reach.
    public var memoryBytesPerSecond: Double
    /// Bytes of a factor's element.
    public var bytesPerElement: Double

    /// Rates of the given parts.
    public init(
        peakFlopsPerSecond: Double, multiprocessors: Double, memoryBytesPerSecond: Double, bytesPerElement: Double
    ) {
        self.peakFlopsPerSecond = peakFlopsPerSecond
        self.multiprocessors = multiprocessors
        self.memoryBytesPerSecond = memoryBytesPerSecond
        self.bytesPerElement = bytesPerElement
    }

    /// The rates of `machine` at `precision`; nil where it lacks the format.
    public init?(_ machine: ClusterMachine, _ precision: Precision) {
        guard let peak = machine.peakFlopsPerSecond(precision) else { return nil }
        self.init(
            peakFlopsPerSecond: peak, multiprocessors: machine.multiprocessors.value,
            memoryBytesPerSecond: machine.memoryGigabytesPerSecond.value * 1e9 * SharedConstants.memoryShare,
            bytesPerElement: Double(precision.bytesPerElement))
    }
}
