/// What one core of a wafer does, from the profile's figures and the assumptions below. Times are in cycles of its clock.
public struct WaferCore: Hashable, Sendable, Codable {
    /// Cycles a second.
    public var hertz: Double
    /// Multiply-adds of a well-placed kernel, a cycle.
    public var multiplyAddsPerCycle: Double
    /// Element-wise operations a cycle: the width of the vector unit.
    public var operationsPerCycle: Double
    /// Bytes a cycle over each of the four links to its neighbours.
    public var linkBytesPerCycle: Double
    /// Bytes of memory that are left to a kernel's data.
    public var dataBytes: Double

    /// The share of a core's memory that its program and message buffers take: an assumption, nothing is published.
    public static let programShare = 0.125
    /// Bytes that training keeps of a parameter beside its core: the weight in half precision; master weight, sum of
    /// gradients and two moments in single precision (Micikevicius et al. 2018, Kingma and Ba 2015).
    public static let bytesPerParameter = 18.0
    /// Bytes that the place of a weight takes where others are zero: the input within a core's block.
    public static let bytesPerPlace = 2.0
    /// Bytes of an activation.
    public static let bytesPerActivation = 2.0
    /// Element-wise operations of an update, a parameter: those of LAMB without its norms (You et al. 2020, algorithm 2).
    public static let updateOperations = 20.0

    /// The core of `machine`, whose program and message buffers take `programShare` of its memory.
    public init(_ machine: WaferMachine, programShare: Double = Self.programShare) {
        hertz = machine.clockGigahertz.value * 1e9
        operationsPerCycle = machine.halfPrecisionOperationsPerCoreCycle.value / 2
        multiplyAddsPerCycle = operationsPerCycle * machine.sustainedShare.value
        linkBytesPerCycle = machine.fabricPetabitsPerSecond.value * 1e15 / 8 / machine.cores.value / 4 / hertz
        dataBytes = machine.sramGigabytes.value * 1e9 / machine.cores.value * (1 - programShare)
    }
}
