/// Predicted against published, row by row, with the errors' statistics.
public struct Validation: Hashable, Sendable, Codable {
    /// One row.
    public struct Row: Hashable, Sendable, Codable, Identifiable {
        /// The published row's name.
        public var id: String
        /// The software stack's name.
        public var stack: String
        /// The hardware profile's name.
        public var hardware: String
        /// Nodes.
        public var nodes: Int
        /// Devices in all.
        public var devices: Int
        /// What others measured.
        public var published: Double
        /// What the model says.
        public var predicted: Double
        /// The lower end of the 90 % interval.
        public var low: Double
        /// The upper end of the 90 % interval.
        public var high: Double
        /// By how many per cent the prediction is above the published figure.
        public var errorPercent: Double
        /// Whether an input lies outside what was calibrated.
        public var extrapolated: Bool
        /// Why.
        public var reasons: [String]

        enum CodingKeys: String, CodingKey {
            case id, stack, hardware, nodes, devices
            case published = "published_sequences_per_second"
            case predicted = "predicted_sequences_per_second"
            case low, high
            case errorPercent = "error_percent"
            case extrapolated, reasons
        }
    }

    /// The mean error of some of the rows.
    public struct Part: Hashable, Sendable, Codable {
        /// What the rows have in common.
        public var name: String
        /// How many they are.
        public var rows: Int
        /// Their mean absolute error, in per cent.
        public var meanAbsoluteErrorPercent: Double

        enum CodingKeys: String, CodingKey {
            case name, rows
            case meanAbsoluteErrorPercent = "mean_absolute_error_percent"
        }
    }

    /// Every row, in the file's order.
    public var rows: [Row]
    /// The mean absolute error, in per cent.
    public var meanAbsoluteErrorPercent: Double
    /// The median absolute error, in per cent.
    public var medianAbsoluteErrorPercent: Double
    /// The share of rows whose published figure lies within the interval, in per cent.
    public var intervalCoveragePercent: Double
    /// The share of rows within 12 %, in per cent.
    public var withinTwelvePercent: Double
    /// The errors by stack.
    public var byStack: [Part]
    /// The errors by one device, several devices of a node, several nodes.
    public var byScale: [Part]
    /// The ten rows that are furthest off, worst first.
    public var worst: [String]
    /// Rows of one configuration that were measured more than once; nil where there are none.
    public var replicates: Replicates?

    enum CodingKeys: String, CodingKey {
        case rows
        case meanAbsoluteErrorPercent = "mean_absolute_error_percent"
        case medianAbsoluteErrorPercent = "median_absolute_error_percent"
        case intervalCoveragePercent = "interval_coverage_percent"
        case withinTwelvePercent = "within_twelve_percent"
        case byStack = "by_stack"
        case byScale = "by_scale"
        case worst, replicates
    }

    /// The statistics of `rows`.
    public init(rows: [Row]) {
        self.rows = rows
        let errors = rows.map { abs($0.errorPercent) }
        func share(_ test: (Row) -> Bool) -> Double {
            rows.isEmpty ? 0 : 100 * Double(rows.count(where: test)) / Double(rows.count)
        }
        meanAbsoluteErrorPercent = errors.isEmpty ? 0 : errors.reduce(0, +) / Double(errors.count)
        let sorted = errors.sorted()
        medianAbsoluteErrorPercent =
            sorted.isEmpty ? 0 : (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
        intervalCoveragePercent = share { $0.low <= $0.published && $0.published <= $0.high }
        withinTwelvePercent = share { abs($0.errorPercent) <= 12 }
        byStack = Self.parts(rows, Set(rows.map(\.stack)).sorted()) { $0.stack }
        byScale = Self.parts(rows, ["one device", "one node", "several nodes"]) {
            $0.nodes > 1 ? "several nodes" : ($0.devices > 1 ? "one node" : "one device")
        }
        worst = rows.sorted { (abs($0.errorPercent), $1.id) > (abs($1.errorPercent), $0.id) }.prefix(10).map(\.id)
    }

    private static func parts(_ rows: [Row], _ names: [String], _ name: (Row) -> String) -> [Part] {
        names.compactMap { wanted in
            let errors = rows.filter { name($0) == wanted }.map { abs($0.errorPercent) }
            return errors.isEmpty
                ? nil
                : Part(
                    name: wanted, rows: errors.count,
                    meanAbsoluteErrorPercent: errors.reduce(0, +) / Double(errors.count))
        }
    }

    /// Predicts every case, with the built-in constants unless others are given. A stack that nothing is known of gets
    /// typical constants, and says so.
    ///
    /// - Throws: `unknownName` for hardware that no profile describes, `unsupported` for a format that it lacks.
    public init(_ cases: [PublishedCase], calibration: Calibration? = nil) throws(PerformanceModelError) {
        let calibration = try StackCatalogue.calibration(or: calibration)
        var rows: [Row] = []
        rows.reserveCapacity(cases.count)
        for next in cases {
            let setup = try next.setup()
            let stack = calibration.stackOrTypical(next.stack)
            let step = ModelledStep(setup, stack: stack, calibration: calibration)
            rows.append(
                Row(
                    id: next.id, stack: next.stack, hardware: next.hardware, nodes: next.nodes, devices: next.ranks,
                    published: next.sequencesPerSecond, predicted: step.sequencesPerSecond,
                    low: Double(step.globalBatch) / step.high.seconds,
                    high: Double(step.globalBatch) / step.low.seconds,
                    errorPercent: 100 * (step.sequencesPerSecond / next.sequencesPerSecond - 1),
                    extrapolated: !step.extrapolated.isEmpty, reasons: step.extrapolated))
        }
        self.init(rows: rows)
        replicates = Replicates(cases)
    }
}
