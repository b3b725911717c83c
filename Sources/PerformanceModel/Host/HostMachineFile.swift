import Foundation

extension HostMachine {
    /// The name that `--hardware` takes for this machine.
    public static let name = "host"

    /// The version of the file that this program reads and writes: the seventh, since agreeing on a step is measured
    /// also where each worker has a core.
    static let fileVersion = 7

    /// Where `wafermark calibrate` keeps the profile of the machine that a state directory is on.
    public static func path(inStateDirectory directory: String) -> String { directory + "/host.yaml" }

    /// The calibrated host of a state directory.
    ///
    /// - Throws: `unsupported` where nothing was calibrated; what is wrong with the file.
    public init(inStateDirectory directory: String) throws(PerformanceModelError) {
        try self.init(
            parsing: try Self.text(inStateDirectory: directory), file: Self.path(inStateDirectory: directory))
    }

    /// The text of its file, as it is.
    ///
    /// - Throws: `unsupported` where nothing was calibrated; why it can't be read.
    public static func text(inStateDirectory directory: String) throws(PerformanceModelError) -> String {
        let path = path(inStateDirectory: directory)
        guard FileManager.default.fileExists(atPath: path) else {
            throw .unsupported(
                "this host is not calibrated, so its time is not predicted; run 'wafermark calibrate' first (\(path))")
        }
        return try InputFile.text(of: path)
    }

    /// The calibrated host of a state directory, or what is wrong with its file; nil where nothing was calibrated.
    public static func calibrated(in directory: String) -> Result<HostMachine, PerformanceModelError>? {
        guard FileManager.default.fileExists(atPath: path(inStateDirectory: directory)) else { return nil }
        return Result { () throws(PerformanceModelError) in try HostMachine(inStateDirectory: directory) }
    }

    /// The machine in a YAML text; `file` names it in errors.
    public init(parsing text: String, file: String) throws(PerformanceModelError) {
        let top = try CheckedMapping(parsing: text, file: file)
        let kind = try top.text("kind")
        guard kind == Self.name else {
            throw .invalid(place: top.place("kind"), found: "'\(kind)'", allowed: Self.name)
        }
        try Self.requireVersion(of: top)
        try top.allow([
            "name", "kind", "version", "processor", "cores", "instruction_set", "measured_at",
            "disturbance_percent", "rates",
            "adamw_nanoseconds_per_parameter", "lamb_nanoseconds_per_parameter",
            "adamw_nanoseconds_per_parameter_alone", "lamb_nanoseconds_per_parameter_alone",
            "lane_gradients_alone", "lane_gradients", "memory_gigabytes_per_second", "streams", "links",
            "control_microseconds", "control_microseconds_in_turns",
        ])
        let rates = try top.mapping("rates")
        var measured: [Rates] = []
        for key in rates.keys { measured.append(try Rates(reading: rates.mapping(key))) }
        guard !measured.isEmpty else { throw .missingKey(place: top.place("rates")) }
        let positive = 1e-9...1e9
        self.init(
            processor: try top.text("processor"), cores: Int(try top.number("cores", in: 1...65_536)),
            instructionSet: try top.text("instruction_set"), measuredAt: try top.text("measured_at"),
            disturbancePercent: try top.number("disturbance_percent", in: 0...1e4), rates: measured,
            adamwNanosecondsPerParameter: try top.number("adamw_nanoseconds_per_parameter", in: positive),
            lambNanosecondsPerParameter: try top.number("lamb_nanoseconds_per_parameter", in: positive),
            adamwNanosecondsPerParameterAlone: try top.number("adamw_nanoseconds_per_parameter_alone", in: positive),
            lambNanosecondsPerParameterAlone: try top.number("lamb_nanoseconds_per_parameter_alone", in: positive),
            laneGradientsAlone: try LaneGradients(reading: top.mapping("lane_gradients_alone")),
            laneGradients: try LaneGradients(reading: top.mapping("lane_gradients")),
            memoryGigabytesPerSecond: try top.number("memory_gigabytes_per_second", in: positive),
            streams: try Streams(reading: top.mapping("streams")), links: try Links(reading: top.mapping("links")),
            controlMicroseconds: try top.number("control_microseconds", in: 0...1e6),
            controlMicrosecondsInTurns: try top.number("control_microseconds_in_turns", in: 0...1e6))
    }

    /// Refuses what another version wrote: it measured other things.
    private static func requireVersion(of top: CheckedMapping) throws(PerformanceModelError) {
        let found = top.keys.contains("version") ? Int(try top.number("version", in: 1...1e6)) : 1
        guard found == fileVersion else {
            throw .unsupported(
                "\(top.file): the calibration is of version \(found), which measured other things than version "
                    + "\(fileVersion) needs; run 'wafermark calibrate' again")
        }
    }

    /// The machine as the YAML that `init(parsing:file:)` reads.
    public var yaml: String {
        func line(_ key: String, _ value: Double) -> String { "\(key): \(Self.short(value))" }
        var lines = [
            "# This machine, as 'wafermark calibrate' measured it (host clock). Calibrate again after a change.",
            "name: \(Self.name)", "kind: \(Self.name)", "version: \(Self.fileVersion)",
            "processor: \"\(processor.filter { $0 != "\"" && $0 != "\\" })\"",
            "cores: \(cores)", "instruction_set: \(instructionSet)", "measured_at: \"\(measuredAt)\"",
            line("disturbance_percent", disturbancePercent),
            line("memory_gigabytes_per_second", memoryGigabytesPerSecond),
            line("adamw_nanoseconds_per_parameter", adamwNanosecondsPerParameter),
            line("adamw_nanoseconds_per_parameter_alone", adamwNanosecondsPerParameterAlone),
            line("lamb_nanoseconds_per_parameter", lambNanosecondsPerParameter),
            line("lamb_nanoseconds_per_parameter_alone", lambNanosecondsPerParameterAlone),
            line("control_microseconds", controlMicroseconds),
            line("control_microseconds_in_turns", controlMicrosecondsInTurns),
        ]
        for (key, part) in [
            ("lane_gradients_alone", laneGradientsAlone.lines), ("lane_gradients", laneGradients.lines),
            ("streams", streams.lines), ("links", links.lines),
        ] { lines += ["\(key):"] + part.map { "  " + $0 } }
        lines.append("rates:")
        for next in rates {
            lines += ["  hidden_\(next.hidden)_sequence_\(next.sequence)_tokens_\(next.tokens)_busy_\(next.busy):"]
            lines += next.lines.map { "    " + $0 }
        }
        return lines.joined(separator: "\n") + "\n"
    }

    static func short(_ value: Double) -> String { String(format: "%.6g", value) }
}

extension HostMachine.Rates {
    fileprivate init(reading entry: CheckedMapping) throws(PerformanceModelError) {
        try entry.allow([
            "hidden", "sequence", "tokens", "busy", "encoder_gigaflops_per_second", "last_layer_gigaflops_per_second",
            "head_gigaflops_per_second", "attention_nanoseconds", "attention_element_nanoseconds",
            "elementwise_gigabytes_per_second", "logit_nanoseconds", "embedding_nanoseconds", "overhead",
        ])
        let positive = 1e-9...1e9
        self.init(
            hidden: Int(try entry.number("hidden", in: 1...1e6)),
            sequence: Int(try entry.number("sequence", in: 1...1e6)),
            tokens: Int(try entry.number("tokens", in: 1...1e9)), busy: Int(try entry.number("busy", in: 1...65_536)),
            encoderGigaflopsPerSecond: try entry.number("encoder_gigaflops_per_second", in: positive),
            lastLayerGigaflopsPerSecond: try entry.number("last_layer_gigaflops_per_second", in: positive),
            headGigaflopsPerSecond: try entry.number("head_gigaflops_per_second", in: positive),
            attentionNanoseconds: try entry.number("attention_nanoseconds", in: positive),
            attentionElementNanoseconds: try entry.number("attention_element_nanoseconds", in: 0...1e9),
            elementwiseGigabytesPerSecond: try entry.number("elementwise_gigabytes_per_second", in: positive),
            logitNanoseconds: try entry.number("logit_nanoseconds", in: positive),
            embeddingNanoseconds: try entry.number("embedding_nanoseconds", in: positive),
            overhead: try entry.number("overhead", in: 0.1...100))
    }

    fileprivate var lines: [String] {
        [
            "hidden: \(hidden)", "sequence: \(sequence)", "tokens: \(tokens)", "busy: \(busy)",
            "encoder_gigaflops_per_second: \(HostMachine.short(encoderGigaflopsPerSecond))",
            "last_layer_gigaflops_per_second: \(HostMachine.short(lastLayerGigaflopsPerSecond))",
            "head_gigaflops_per_second: \(HostMachine.short(headGigaflopsPerSecond))",
            "attention_nanoseconds: \(HostMachine.short(attentionNanoseconds))",
            "attention_element_nanoseconds: \(HostMachine.short(attentionElementNanoseconds))",
            "elementwise_gigabytes_per_second: \(HostMachine.short(elementwiseGigabytesPerSecond))",
            "logit_nanoseconds: \(HostMachine.short(logitNanoseconds))",
            "embedding_nanoseconds: \(HostMachine.short(embeddingNanoseconds))",
            "overhead: \(HostMachine.short(overhead))",
        ]
    }
}
