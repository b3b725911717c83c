import Jobs

/// Throughput against the size of a cluster, on one clock: measured, emulated or modelled. Curves of all clocks are made to
/// be drawn into one picture.
public struct ScalingCurve: Sendable, Encodable {
    /// How its points came about.
    public enum Basis: String, Sendable, Encodable, CaseIterable {
        /// Worker processes at the speed of the machine that they ran on.
        case measured
        /// Worker processes on the dilated clock of the machine that they stood for.
        case emulated
        /// These runs, replayed by the performance model without looking at their times.
        case replayed
        /// The cluster with its own software, by the performance model alone: nothing was run.
        case predicted

        /// The clock of its rates, as names of figures have it.
        public var clock: String {
            switch self {
            case .measured: "host"
            case .emulated: "emulated"
            case .replayed, .predicted: "modelled"
            }
        }
    }

    /// A size of the cluster.
    public struct Point: Sendable {
        /// Workers, one device each.
        public var workers: Int
        /// Sequences a second of the curve's clock; of several runs, their median.
        public var sequencesPerSecond: Double
        /// The ends of a prediction's 90 % interval, or the least and the most of several runs.
        public var low: Double?
        public var high: Double?
        /// A worker's throughput over that of a worker at the curve's smallest size; nil where there is one size only.
        public var scalingEfficiency: Double?
        /// The runs that it is of; none for a prediction.
        public var runIds: [String]
    }

    /// How its points came about, which tells their clock.
    public var basis: Basis
    /// The machine, and what else sets the curve apart, in words.
    public var machine: String
    /// By size, each size once.
    public var points: [Point]

    /// A curve through `points`, whose efficiency is reckoned here; nil without any.
    init?(_ basis: Basis, machine: String, points: [Point]) {
        let sorted = points.sorted { $0.workers < $1.workers }
        guard let first = sorted.first, first.sequencesPerSecond > 0 else { return nil }
        let each = first.sequencesPerSecond / Double(first.workers)
        self.basis = basis
        self.machine = machine
        self.points = sorted.map { point in
            var point = point
            point.scalingEfficiency =
                sorted.count > 1 ? point.sequencesPerSecond / Double(point.workers) / each : nil
            return point
        }
    }

    /// What it is, for a legend.
    public var name: String {
        switch basis {
        case .measured: "measured, host clock: \(machine)"
        case .emulated: "emulated clock: \(machine)"
        case .replayed: "modelled clock: replay of the runs, \(machine)"
        case .predicted: "modelled clock: \(machine)"
        }
    }

    private enum Key: CodingKey {
        case basis, clock, machine, points
    }

    private struct PointKey: CodingKey {
        var stringValue: String
        var intValue: Int? { nil }
        init(stringValue: String) { self.stringValue = stringValue }
        init?(intValue: Int) { nil }
    }

    /// The name of a point's rate, which says its clock: `sequencesPerHostSecond`.
    private var rateKey: String { "sequencesPer\(basis.clock.capitalized)Second" }

    /// Writes it with the clock in the name of each rate.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(basis, forKey: .basis)
        try container.encode(basis.clock, forKey: .clock)
        try container.encode(machine, forKey: .machine)
        var list = container.nestedUnkeyedContainer(forKey: .points)
        let rate = rateKey
        for point in points {
            var nested = list.nestedContainer(keyedBy: PointKey.self)
            try nested.encode(point.workers, forKey: PointKey(stringValue: "workers"))
            try nested.encode(point.sequencesPerSecond, forKey: PointKey(stringValue: rate))
            for (end, value) in [("low", point.low), ("high", point.high)] {
                try nested.encodeIfPresent(value, forKey: PointKey(stringValue: end + "S" + rate.dropFirst()))
            }
            try nested.encodeIfPresent(point.scalingEfficiency, forKey: PointKey(stringValue: "scalingEfficiency"))
            try nested.encode(point.runIds, forKey: PointKey(stringValue: "runIds"))
        }
    }
}
