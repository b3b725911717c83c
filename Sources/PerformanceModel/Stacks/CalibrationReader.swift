extension SoftwareStack {
    /// The stack in a YAML text; `file` names it in errors.
    public init(parsing text: String, file: String) throws(PerformanceModelError) {
        let top = try CheckedMapping(parsing: text, file: file)
        try top.allow([
            "name", "title", "exchange", "bucket_mebibytes", "half_gradient_bytes", "exchange_source", "matrix_share",
            "launch_microseconds", "calibrated_on",
        ])
        name = try top.text("name")
        title = try top.text("title")
        exchange = try top.choice("exchange", Exchange.self)
        bucketMebibytes = try top.number("bucket_mebibytes", in: 0...1e6)
        halfGradientBytes = Int(try top.number("half_gradient_bytes", in: 2...4))
        source = try top.text("exchange_source")
        efficiency = [:]
        if top.has("matrix_share") {
            let shares = try top.mapping("matrix_share")
            try shares.allow(Precision.allCases.map(\.rawValue))
            for precision in Precision.allCases where shares.has(precision.rawValue) {
                efficiency[precision] = Efficiency(
                    matrixShare: try shares.constant(precision.rawValue, in: 0.001...2))
            }
        }
        launchMicroseconds =
            top.has("launch_microseconds") ? try top.constant("launch_microseconds", in: 0...1e5) : nil
        let range = try top.mapping("calibrated_on")
        try range.allow([
            "rows", "hardware", "least_sequence", "most_sequence", "least_tokens", "most_tokens", "least_accumulation",
            "most_accumulation",
        ])
        self.range = CalibratedRange(
            rows: Int(try range.number("rows", in: 0...1e9)), hardware: try range.texts("hardware"),
            sequence: try range.bounds("least_sequence", "most_sequence"),
            tokens: try range.bounds("least_tokens", "most_tokens"),
            accumulation: try range.bounds("least_accumulation", "most_accumulation"))
    }
}

extension SharedConstants {
    /// The shared constants in a YAML text; `file` names it in errors.
    public init(parsing text: String, file: String) throws(PerformanceModelError) {
        let top = try CheckedMapping(parsing: text, file: file)
        try top.allow([
            "elementwise_traffic", "update_traffic", "negotiation_microseconds", "overlapped_exchange_rate",
            "host_microseconds_per_kernel", "device_speed_spread", "speed", "bus_share", "typical_matrix_share",
            "launch_microseconds", "most_devices", "interval",
        ])
        elementwiseTraffic = try top.constant("elementwise_traffic", in: 0...10)
        updateTraffic = try top.constant("update_traffic", in: 0...10)
        negotiationMicroseconds = try top.constant("negotiation_microseconds", in: 0...1e6)
        overlappedExchangeRate = try top.constant("overlapped_exchange_rate", in: 0.001...1)
        hostMicrosecondsPerKernel = try top.constant("host_microseconds_per_kernel", in: 0...1e5)
        deviceSpeedSpread = try top.constant("device_speed_spread", in: 0...0.5)
        (speed, busShare) = ([:], [:])
        let speeds = try top.mapping("speed")
        for name in speeds.keys { speed[name] = try speeds.constant(name, in: 0.1...10) }
        let shares = try top.mapping("bus_share")
        for name in shares.keys { busShare[name] = try shares.constant(name, in: 0.01...10) }
        let typical = try top.mapping("typical_matrix_share")
        try typical.allow(Precision.allCases.map(\.rawValue))
        typicalMatrixShare = [:]
        for precision in Precision.allCases {
            typicalMatrixShare[precision] = try typical.number(precision.rawValue, in: 0.001...2)
        }
        launchMicroseconds = try top.constant("launch_microseconds", in: 0...1e5)
        mostDevices = Int(try top.number("most_devices", in: 1...1e9))
        let interval = try top.mapping("interval")
        try interval.allow([
            "one_device_percent", "one_node_percent", "several_nodes_percent", "unknown_stack_percent",
            "extrapolated_factor",
        ])
        self.interval = Interval(
            oneDevicePercent: try interval.number("one_device_percent", in: 0...500),
            oneNodePercent: try interval.number("one_node_percent", in: 0...500),
            severalNodesPercent: try interval.number("several_nodes_percent", in: 0...500),
            unknownStackPercent: try interval.number("unknown_stack_percent", in: 0...500),
            extrapolatedFactor: try interval.number("extrapolated_factor", in: 1...100))
    }
}

extension CheckedMapping {
    /// The fitted constant at `key`.
    fileprivate func constant(_ key: String, in range: ClosedRange<Double>) throws(PerformanceModelError) -> Constant {
        let entry = try mapping(key)
        try entry.allow(["value", "error_percent", "determined"])
        return Constant(
            value: try entry.number("value", in: range), errorPercent: try entry.number("error_percent", in: 0...1e6),
            determined: try entry.number("determined", in: 0...1))
    }

    /// The range between two whole numbers.
    fileprivate func bounds(_ low: String, _ high: String) throws(PerformanceModelError) -> ClosedRange<Int> {
        let least = Int(try number(low, in: 1...1e12))
        let most = Int(try number(high, in: 1...1e12))
        guard least <= most else {
            throw .invalid(place: place(high), found: "\(most)", allowed: "at least \(low), \(least)")
        }
        return least...most
    }
}
