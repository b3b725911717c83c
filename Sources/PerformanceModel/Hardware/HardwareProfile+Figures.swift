extension HardwareProfile {
    /// Every figure that the profile states, under its key in the file.
    public var figures: [(key: String, figure: Figure)] {
        var figures: [(key: String, figure: Figure?)] =
            switch machine {
            case .cluster(let machine): machine.figures
            case .wafer(let machine): machine.figures
            }
        let place = kind == .cluster ? "node" : "system"
        switch price {
        case .hourly(let price): figures.append(("\(place).price_us_dollars_per_hour", price))
        case .bought(let price, let years):
            figures += [("\(place).price_us_dollars", price), ("\(place).written_off_over_years", years)]
        case nil: break
        }
        return figures.compactMap { key, figure in figure.map { (key, $0) } }
    }
}

extension ClusterMachine {
    fileprivate var figures: [(key: String, figure: Figure?)] {
        [
            ("device.multiprocessors", multiprocessors), ("device.clock_gigahertz", clockGigahertz),
            ("device.fp32_teraflops_per_second", fp32TeraflopsPerSecond),
            ("device.tf32_teraflops_per_second", tf32TeraflopsPerSecond),
            ("device.fp16_teraflops_per_second", fp16TeraflopsPerSecond),
            ("device.memory_gigabytes_per_second", memoryGigabytesPerSecond),
            ("device.memory_gigabytes", memoryGigabytes), ("device.power_watts", powerWatts),
            ("node.devices", devices), ("node.other_power_watts", otherPowerWatts),
            ("links.intra_node_bus_gigabytes_per_second", intraNodeBusGigabytesPerSecond),
            ("links.intra_node_latency_microseconds", intraNodeLatencyMicroseconds),
            ("links.network_interfaces", networkInterfaces),
            ("links.network_gigabits_per_second", networkGigabitsPerSecond),
            ("links.inter_node_bus_gigabytes_per_second", interNodeBusGigabytesPerSecond),
            ("links.inter_node_latency_microseconds", interNodeLatencyMicroseconds),
        ]
    }
}

extension WaferMachine {
    fileprivate var figures: [(key: String, figure: Figure?)] {
        [
            ("wafer.cores", cores), ("wafer.usable_columns", usableColumns), ("wafer.usable_rows", usableRows),
            ("wafer.clock_gigahertz", clockGigahertz),
            ("wafer.half_precision_operations_per_core_cycle", halfPrecisionOperationsPerCoreCycle),
            ("wafer.sustained_share", sustainedShare), ("wafer.sram_gigabytes", sramGigabytes),
            ("wafer.memory_petabytes_per_second", memoryPetabytesPerSecond),
            ("wafer.fabric_petabits_per_second", fabricPetabitsPerSecond),
            ("wafer.network_interfaces", networkInterfaces),
            ("wafer.network_gigabits_per_second", networkGigabitsPerSecond),
            ("wafer.launch_microseconds", launchMicroseconds),
            ("wafer.weight_store_gigabits_per_second", weightStore?.gigabitsPerSecond),
            ("wafer.weight_store_terabytes", weightStore?.terabytes), ("system.power_watts", powerWatts),
        ]
    }
}
