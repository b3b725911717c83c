/// Predicted against published samples to a target, by batch: each also from a fit that had not seen it.
public struct ConvergenceValidation: Hashable, Sendable, Codable {
    /// One batch.
    public struct Row: Hashable, Sendable, Codable {
        /// Sequences of a step.
        public var globalBatch: Double
        /// What others measured.
        public var publishedSamples: Double
        /// What the law says.
        public var predictedSamples: Double
        /// By how many per cent the prediction is above the published figure.
        public var errorPercent: Double
        /// The same of the two-constant law without its correction.
        public var lawAloneErrorPercent: Double
        /// The same of a law fitted to all other batches; nil where those are too few.
        public var leftOutErrorPercent: Double?

        enum CodingKeys: String, CodingKey {
            case globalBatch = "global_batch"
            case publishedSamples = "published_samples"
            case predictedSamples = "predicted_samples"
            case errorPercent = "error_percent"
            case lawAloneErrorPercent = "law_alone_error_percent"
            case leftOutErrorPercent = "left_out_error_percent"
        }
    }

    /// Every batch.
    public var rows: [Row]
    /// The mean absolute error, in per cent.
    public var meanAbsoluteErrorPercent: Double
    /// The same of each batch predicted from the others alone; nil where those are too few.
    public var leftOutMeanAbsoluteErrorPercent: Double?
    /// What the rows' own scatter lets be expected; nil for fewer than three batches.
    public var scatter: SmoothScatter?
    /// The law in words, with its constants.
    public var law: String
    /// The batch at which samples have doubled.
    public var criticalBatch: Double
    /// Samples with a vanishing batch.
    public var leastSamples: Double

    enum CodingKeys: String, CodingKey {
        case rows
        case meanAbsoluteErrorPercent = "mean_absolute_error_percent"
        case leftOutMeanAbsoluteErrorPercent = "left_out_mean_absolute_error_percent"
        case scatter, law
        case criticalBatch = "critical_batch"
        case leastSamples = "least_samples"
    }

    /// Compares `published` with `law`, or with a law fitted to them.
    public init(_ published: [ConvergenceLaw.Point], law given: ConvergenceLaw? = nil) throws(PerformanceModelError) {
        let law: ConvergenceLaw
        if let given { law = given } else { law = try ConvergenceLaw(fitting: published) }
        var rows: [Row] = []
        for (index, point) in published.enumerated() {
            func percent(_ samples: Double) -> Double { 100 * (samples / point.samples - 1) }
            var others = published
            others.remove(at: index)
            var leftOut: Double?
            if given == nil, Set(others.map(\.globalBatch)).count >= 2 {
                leftOut = percent(try ConvergenceLaw(fitting: others).samples(globalBatch: point.globalBatch))
            }
            let predicted = law.samples(globalBatch: point.globalBatch)
            rows.append(
                Row(
                    globalBatch: point.globalBatch, publishedSamples: point.samples, predictedSamples: predicted,
                    errorPercent: percent(predicted),
                    lawAloneErrorPercent: percent(law.uncorrectedSamples(globalBatch: point.globalBatch)),
                    leftOutErrorPercent: leftOut))
        }
        self.rows = rows
        meanAbsoluteErrorPercent = rows.reduce(0) { $0 + abs($1.errorPercent) } / Double(max(1, rows.count))
        let held = rows.compactMap(\.leftOutErrorPercent)
        leftOutMeanAbsoluteErrorPercent = held.isEmpty ? nil : held.reduce(0) { $0 + abs($1) } / Double(held.count)
        scatter = SmoothScatter(published, about: law)
        self.law = law.description
        criticalBatch = law.criticalBatch
        leastSamples = law.leastSamples
    }
}

/// Predicted against published hours of whole trainings.
public struct TrainingValidation: Hashable, Sendable, Codable {
    /// One training.
    public struct Row: Hashable, Sendable, Codable, Identifiable {
        /// The published row's name.
        public var id: String
        /// The software stack's name.
        public var stack: String
        /// The hardware profile's name.
        public var hardware: String
        /// Devices in all.
        public var devices: Int
        /// What others measured.
        public var publishedHours: Double
        /// What the model says.
        public var predictedHours: Double
        /// The lower end of the 90 % interval, in hours.
        public var low: Double
        /// The upper end of the 90 % interval, in hours.
        public var high: Double
        /// By how many per cent the prediction is above the published figure.
        public var errorPercent: Double
        /// Whether an input lies outside what was calibrated.
        public var extrapolated: Bool

        enum CodingKeys: String, CodingKey {
            case id, stack, hardware, devices
            case publishedHours = "published_hours"
            case predictedHours = "predicted_hours"
            case low, high
            case errorPercent = "error_percent"
            case extrapolated
        }
    }

    /// Every training.
    public var rows: [Row]
    /// The mean absolute error, in per cent.
    public var meanAbsoluteErrorPercent: Double
    /// The least that any model can have in which more devices never take fewer device-hours, in per cent.
    public var leastMeanAbsoluteErrorPercent: Double

    enum CodingKeys: String, CodingKey {
        case rows
        case meanAbsoluteErrorPercent = "mean_absolute_error_percent"
        case leastMeanAbsoluteErrorPercent = "least_mean_absolute_error_percent"
    }

    /// Predicts every training, with the built-in constants unless others are given.
    public init(_ trainings: [PublishedTraining], calibration: Calibration? = nil) throws(PerformanceModelError) {
        let calibration = try StackCatalogue.calibration(or: calibration)
        var rows: [Row] = []
        for training in trainings {
            var (seconds, low, high, extrapolated) = (0.0, 0.0, 0.0, false)
            for stretch in training.stretches {
                let setup = try ClusterSetup(
                    profile: HardwareCatalogue.profile(training.hardware), workload: stretch.workload,
                    precision: training.precision, nodes: training.nodes, devicesPerNode: training.devicesPerNode,
                    accumulation: stretch.accumulation)
                let step = ModelledStep(
                    setup, stack: calibration.stackOrTypical(training.stack), calibration: calibration)
                seconds += Double(stretch.steps) * step.step.seconds
                low += Double(stretch.steps) * step.low.seconds
                high += Double(stretch.steps) * step.high.seconds
                extrapolated = extrapolated || !step.extrapolated.isEmpty
            }
            rows.append(
                Row(
                    id: training.id, stack: training.stack, hardware: training.hardware,
                    devices: training.nodes * training.devicesPerNode, publishedHours: training.hours,
                    predictedHours: seconds / 3600, low: low / 3600,
                    high: high / 3600, errorPercent: 100 * (seconds / 3600 / training.hours - 1),
                    extrapolated: extrapolated))
        }
        self.rows = rows
        meanAbsoluteErrorPercent = rows.reduce(0) { $0 + abs($1.errorPercent) } / Double(max(1, rows.count))
        leastMeanAbsoluteErrorPercent = Self.leastError(trainings)
    }
}
