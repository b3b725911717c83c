/// A cluster of equal nodes with accelerators, as a profile describes it. Units are in the names.
public struct ClusterMachine: Hashable, Sendable, Codable {
    /// The accelerator's name.
    public var deviceName: String
    /// Multiprocessors of a device.
    public var multiprocessors: Figure
    /// The boost clock that the rates are stated at.
    public var clockGigahertz: Figure
    /// Dense peak rates; TF32 where the device has it.
    public var fp32TeraflopsPerSecond: Figure
    /// Dense peak rate of TF32, where the device has it.
    public var tf32TeraflopsPerSecond: Figure?
    /// Dense peak rate of FP16 with f32 accumulation.
    public var fp16TeraflopsPerSecond: Figure
    /// Device memory: bandwidth and size.
    public var memoryGigabytesPerSecond: Figure
    /// Size of device memory.
    public var memoryGigabytes: Figure
    /// A device's power under load.
    public var powerWatts: Figure
    /// Devices of a node.
    public var devices: Figure
    /// Power of a node under load, less its devices'.
    public var otherPowerWatts: Figure
    /// The kind of network, under which a fit keeps its share of the stated bus bandwidth.
    public var fabric: String
    /// Links within a node: bus bandwidth of a ring all-reduce over its devices, and a hop's latency.
    public var intraNodeBusGigabytesPerSecond: Figure
    /// Latency of a hop within a node.
    public var intraNodeLatencyMicroseconds: Figure
    /// Network interfaces of a node, and the line rate of each.
    public var networkInterfaces: Figure
    /// Line rate of a network interface.
    public var networkGigabitsPerSecond: Figure
    /// Links between nodes: bus bandwidth of an all-reduce over several nodes, and a hop's latency.
    public var interNodeBusGigabytesPerSecond: Figure
    /// Latency of a hop between nodes.
    public var interNodeLatencyMicroseconds: Figure
    /// The software stack that is assumed where none is named.
    public var defaultStack: String

    /// The stated peak rate of dense multiply-adds, in FLOP/s; nil where the device lacks the format.
    public func peakFlopsPerSecond(_ precision: Precision) -> Double? {
        switch precision {
        case .fp32: fp32TeraflopsPerSecond.value * 1e12
        case .tf32: tf32TeraflopsPerSecond.map { $0.value * 1e12 }
        case .fp16: fp16TeraflopsPerSecond.value * 1e12
        }
    }

    /// Devices of a node.
    public var devicesPerNode: Int { Int(devices.value) }
}

extension ClusterMachine {
    /// The machine of a profile file.
    init(reading file: CheckedMapping, sources: [String: String]) throws(PerformanceModelError) {
        let device = try file.mapping("device")
        try device.allow([
            "name", "multiprocessors", "clock_gigahertz", "fp32_teraflops_per_second", "tf32_teraflops_per_second",
            "fp16_teraflops_per_second", "memory_gigabytes_per_second", "memory_gigabytes", "power_watts",
        ])
        let node = try file.mapping("node")
        try node.allow([
            "devices", "other_power_watts", "price_us_dollars", "written_off_over_years", "price_us_dollars_per_hour",
        ])
        let links = try file.mapping("links")
        try links.allow([
            "fabric",
            "intra_node_bus_gigabytes_per_second", "intra_node_latency_microseconds", "network_interfaces",
            "network_gigabits_per_second", "inter_node_bus_gigabytes_per_second", "inter_node_latency_microseconds",
        ])
        deviceName = try device.text("name")
        multiprocessors = try device.figure("multiprocessors", in: 1...1000, sources: sources)
        clockGigahertz = try device.figure("clock_gigahertz", in: 0.1...10, sources: sources)
        fp32TeraflopsPerSecond = try device.figure("fp32_teraflops_per_second", in: 0.01...1e5, sources: sources)
        tf32TeraflopsPerSecond = try device.optionalFigure(
            "tf32_teraflops_per_second", in: 0.01...1e5, sources: sources)
        fp16TeraflopsPerSecond = try device.figure("fp16_teraflops_per_second", in: 0.01...1e5, sources: sources)
        memoryGigabytesPerSecond = try device.figure("memory_gigabytes_per_second", in: 1...1e5, sources: sources)
        memoryGigabytes = try device.figure("memory_gigabytes", in: 1...1e4, sources: sources)
        powerWatts = try device.figure("power_watts", in: 1...1e4, sources: sources)
        devices = try node.figure("devices", in: 1...1024, sources: sources)
        otherPowerWatts = try node.figure("other_power_watts", in: 0...1e5, sources: sources)
        fabric = try links.text("fabric")
        intraNodeBusGigabytesPerSecond = try links.figure(
            "intra_node_bus_gigabytes_per_second", in: 0.01...1e5, sources: sources)
        intraNodeLatencyMicroseconds = try links.figure(
            "intra_node_latency_microseconds", in: 0...1e5, sources: sources)
        networkInterfaces = try links.figure("network_interfaces", in: 1...1024, sources: sources)
        networkGigabitsPerSecond = try links.figure("network_gigabits_per_second", in: 0.1...1e5, sources: sources)
        interNodeBusGigabytesPerSecond = try links.figure(
            "inter_node_bus_gigabytes_per_second", in: 0.01...1e5, sources: sources)
        interNodeLatencyMicroseconds = try links.figure(
            "inter_node_latency_microseconds", in: 0...1e6, sources: sources)
        defaultStack = try file.text("default_stack")
    }
}
