/// A wafer-scale machine, as a profile describes it. Units are in the names.
public struct WaferMachine: Hashable, Sendable, Codable {
    /// Cores of the wafer.
    public var cores: Figure
    /// The grid of cores that a program can use.
    public var usableColumns: Figure
    /// Rows of the usable grid.
    public var usableRows: Figure
    /// The cores' clock.
    public var clockGigahertz: Figure
    /// Half-precision operations that a core starts each cycle; a multiply-add counts two.
    public var halfPrecisionOperationsPerCoreCycle: Figure
    /// The share of peak that a well-placed kernel sustains.
    public var sustainedShare: Figure
    /// Memory on the wafer, its bandwidth, and the fabric's.
    public var sramGigabytes: Figure
    /// Bandwidth of the memory on the wafer.
    public var memoryPetabytesPerSecond: Figure
    /// Bandwidth of the fabric.
    public var fabricPetabitsPerSecond: Figure
    /// Interfaces to the outside, and the line rate of each.
    public var networkInterfaces: Figure
    /// Line rate of an interface.
    public var networkGigabitsPerSecond: Figure
    /// The memory outside that weights can be streamed from, layer by layer; nil where the machine has none.
    public var weightStore: WeightStore?
    /// What starting a step costs besides its work; nothing where it isn't stated.
    public var launchMicroseconds: Figure?
    /// The system's power under load.
    public var powerWatts: Figure

    /// A memory outside the system that keeps weights and optimizer state, and updates them.
    public struct WeightStore: Hashable, Sendable, Codable {
        /// What goes between it and the wafer, each way.
        public var gigabitsPerSecond: Figure
        /// Its room.
        public var terabytes: Figure
    }

    /// Seconds that starting a step costs.
    public var launchSeconds: Double { (launchMicroseconds?.value ?? 0) * 1e-6 }

    /// Peak rate of the usable grid in half precision, in FLOP/s.
    public var peakFlopsPerSecond: Double {
        usableColumns.value * usableRows.value * clockGigahertz.value * 1e9 * halfPrecisionOperationsPerCoreCycle.value
    }

    /// Bytes a second in and out of the system.
    public var ioBytesPerSecond: Double { networkInterfaces.value * networkGigabitsPerSecond.value * 1e9 / 8 }
}

extension WaferMachine {
    /// The machine of a profile file.
    init(reading file: CheckedMapping, sources: [String: String]) throws(PerformanceModelError) {
        let wafer = try file.mapping("wafer")
        try wafer.allow([
            "cores", "usable_columns", "usable_rows", "clock_gigahertz", "half_precision_operations_per_core_cycle",
            "sustained_share", "sram_gigabytes", "memory_petabytes_per_second", "fabric_petabits_per_second",
            "network_interfaces", "network_gigabits_per_second", "launch_microseconds",
            "weight_store_gigabits_per_second", "weight_store_terabytes",
        ])
        let system = try file.mapping("system")
        try system.allow(["power_watts", "price_us_dollars", "written_off_over_years", "price_us_dollars_per_hour"])
        cores = try wafer.figure("cores", in: 1...1e8, sources: sources)
        usableColumns = try wafer.figure("usable_columns", in: 1...1e5, sources: sources)
        usableRows = try wafer.figure("usable_rows", in: 1...1e5, sources: sources)
        clockGigahertz = try wafer.figure("clock_gigahertz", in: 0.01...10, sources: sources)
        halfPrecisionOperationsPerCoreCycle = try wafer.figure(
            "half_precision_operations_per_core_cycle", in: 1...1024, sources: sources)
        sustainedShare = try wafer.figure("sustained_share", in: 0.001...1, sources: sources)
        sramGigabytes = try wafer.figure("sram_gigabytes", in: 0.1...1e4, sources: sources)
        memoryPetabytesPerSecond = try wafer.figure("memory_petabytes_per_second", in: 0.01...1e4, sources: sources)
        fabricPetabitsPerSecond = try wafer.figure("fabric_petabits_per_second", in: 0.01...1e5, sources: sources)
        networkInterfaces = try wafer.figure("network_interfaces", in: 1...1024, sources: sources)
        networkGigabitsPerSecond = try wafer.figure("network_gigabits_per_second", in: 0.1...1e5, sources: sources)
        launchMicroseconds = try wafer.optionalFigure("launch_microseconds", in: 0...1e9, sources: sources)
        // Both figures or none: the one is asked for where the other is there.
        if wafer.has("weight_store_gigabits_per_second") || wafer.has("weight_store_terabytes") {
            weightStore = WeightStore(
                gigabitsPerSecond: try wafer.figure(
                    "weight_store_gigabits_per_second", in: 0.1...1e6, sources: sources),
                terabytes: try wafer.figure("weight_store_terabytes", in: 1e-3...1e7, sources: sources))
        }
        powerWatts = try system.figure("power_watts", in: 1...1e6, sources: sources)
        let grid = usableColumns.value * usableRows.value
        guard grid <= cores.value else {
            throw .invalid(
                place: wafer.place("usable_columns"), found: "a grid of \(Int(grid)) cores",
                allowed: "at most the \(Int(cores.value)) cores of the wafer")
        }
    }
}
