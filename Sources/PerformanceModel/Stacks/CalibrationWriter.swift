import Foundation

extension SoftwareStack {
    /// The stack as the YAML that `init(parsing:file:)` reads.
    public var yaml: String {
        var lines = [
            "# Constants fitted to published throughputs; the package's own fit wrote this file.",
            "name: \(name)",
            "title: \(title.quoted)",
            "exchange: \(exchange.rawValue)",
            "bucket_mebibytes: \(bucketMebibytes.short)",
            "half_gradient_bytes: \(halfGradientBytes)",
            "exchange_source: \(source.quoted)",
        ]
        if !efficiency.isEmpty { lines.append("matrix_share:") }
        for precision in Precision.allCases {
            guard let share = efficiency[precision]?.matrixShare else { continue }
            lines.append("  \(precision.rawValue): \(share.yaml)")
        }
        if let launchMicroseconds { lines.append("launch_microseconds: \(launchMicroseconds.yaml)") }
        lines += [
            "calibrated_on:",
            "  rows: \(range.rows)",
            "  hardware: [\(range.hardware.joined(separator: ", "))]",
            "  least_sequence: \(range.sequence.lowerBound)",
            "  most_sequence: \(range.sequence.upperBound)",
            "  least_tokens: \(range.tokens.lowerBound)",
            "  most_tokens: \(range.tokens.upperBound)",
            "  least_accumulation: \(range.accumulation.lowerBound)",
            "  most_accumulation: \(range.accumulation.upperBound)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}

extension SharedConstants {
    /// The constants as the YAML that `init(parsing:file:)` reads.
    public var yaml: String {
        var lines = [
            "# Constants that all stacks share, and each machine's own; the package's own fit wrote this file.",
            "# error_percent: one standard error. determined: how far the rows narrowed what was known before, 0 to 1.",
            "# negotiation_microseconds: of a tensor, for each doubling of the devices.",
            "elementwise_traffic: \(elementwiseTraffic.yaml)",
            "update_traffic: \(updateTraffic.yaml)",
            "negotiation_microseconds: \(negotiationMicroseconds.yaml)",
            "overlapped_exchange_rate: \(overlappedExchangeRate.yaml)",
            "host_microseconds_per_kernel: \(hostMicrosecondsPerKernel.yaml)",
            "device_speed_spread: \(deviceSpeedSpread.yaml)",
        ]
        for (key, constants) in [("speed", speed), ("bus_share", busShare)] {
            lines.append(constants.isEmpty ? "\(key): {}" : "\(key):")
            lines += constants.sorted { $0.key < $1.key }.map { "  \($0.key): \($0.value.yaml)" }
        }
        lines.append("typical_matrix_share:")
        lines += Precision.allCases.map { "  \($0.rawValue): \((typicalMatrixShare[$0] ?? 0.5).short)" }
        lines += [
            "launch_microseconds: \(launchMicroseconds.yaml)",
            "most_devices: \(mostDevices)",
            "interval:",
            "  one_device_percent: \(interval.oneDevicePercent.short)",
            "  one_node_percent: \(interval.oneNodePercent.short)",
            "  several_nodes_percent: \(interval.severalNodesPercent.short)",
            "  unknown_stack_percent: \(interval.unknownStackPercent.short)",
            "  extrapolated_factor: \(interval.extrapolatedFactor.short)",
        ]
        return lines.joined(separator: "\n") + "\n"
    }
}

extension Calibration {
    /// Every file of the calibration by name: `shared.yaml` and one for each stack.
    public var files: [(name: String, text: String)] {
        [("shared.yaml", shared.yaml)] + stacks.map { ("\($0.name).yaml", $0.yaml) }
    }
}

extension Constant {
    fileprivate var yaml: String {
        "{ value: \(value.short), error_percent: \(errorPercent.short), determined: \(determined.short) }"
    }
}

extension Double {
    /// Five significant digits: far below what rows determine.
    fileprivate var short: String { String(format: "%.5g", self) }
}

extension String {
    fileprivate var quoted: String {
        "\"" + replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"") + "\""
    }
}
