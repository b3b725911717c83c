import Jobs

/// Predictions of one job for every combination of some settings.
public struct Sweep: Sendable {
    /// A setting that varies, with the values that it takes.
    public struct Axis: Hashable, Sendable {
        /// What can vary.
        public enum Setting: String, Hashable, Sendable, CaseIterable {
            case hardware
            case nodes
            case devicesPerNode = "gpus-per-node"
            case microBatch = "micro-batch"
            case accumulation
            case precision
            case stack
        }

        /// The setting.
        public var setting: Setting
        /// Its values as they were written.
        public var values: [String]

        /// The axis that `text` describes: `nodes=1,2,4`, `nodes=1..16` (each), `nodes=1..1024x2` (each twice the last).
        ///
        /// - Throws: `invalid` for an unknown setting or values that the setting doesn't take.
        public init(parsing text: String) throws(PerformanceModelError) {
            func refuse(_ found: String, _ allowed: String) -> PerformanceModelError {
                .unsupported("--sweep: found \(PrintableText.quoted(found)); allowed: \(allowed)")
            }
            let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let settings = Setting.allCases.map(\.rawValue).joined(separator: ", ")
            guard parts.count == 2, let setting = Setting(rawValue: parts[0]) else {
                throw refuse(text, "SETTING=VALUE,VALUE…, the setting one of \(settings)")
            }
            self.setting = setting
            values = []
            for piece in parts[1].split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                switch setting {
                case .hardware, .stack:
                    guard !piece.isEmpty else { throw refuse(text, "names between the commas") }
                    values.append(piece)
                case .precision:
                    guard Precision(rawValue: piece) != nil else {
                        throw refuse(piece, Precision.allCases.map(\.rawValue).joined(separator: ", "))
                    }
                    values.append(piece)
                case .nodes, .devicesPerNode, .microBatch, .accumulation:
                    guard let numbers = Self.numbers(piece) else {
                        throw refuse(piece, "a whole number from 1, a range 1..16, or 1..1024x2 for doubling")
                    }
                    values += numbers.map(String.init)
                }
            }
        }

        private static func numbers(_ text: String) -> [Int]? {
            let limit = ClusterSetup.accumulationRange
            if let value = Int(text) { return limit.contains(value) ? [value] : nil }
            guard let dots = text.firstRange(of: "..") else { return nil }
            let tail = text[dots.upperBound...].split(separator: "x", omittingEmptySubsequences: false)
            guard let low = Int(text[..<dots.lowerBound]), let high = tail.first.flatMap({ Int($0) }),
                limit.contains(low), limit.contains(high), low <= high, tail.count <= 2
            else { return nil }
            guard tail.count == 2 else { return high - low < Sweep.mostConfigurations ? Array(low...high) : nil }
            guard let factor = Int(tail[1]), (2...1024).contains(factor) else { return nil }
            return Array(sequence(first: low) { $0 * factor }.prefix { $0 <= high })
        }
    }

    /// One combination, and what the model says of it.
    public struct Configuration: Sendable {
        /// The profile's name.
        public var hardware: String
        /// How the job is laid over it.
        public var layout: Layout
        /// The prediction, or why there is none.
        public var outcome: Result<JobPrediction, PerformanceModelError>
    }

    /// What a configuration starts from: nodes and devices of each instead of a number of workers.
    public struct Layout: Hashable, Sendable {
        /// Nodes.
        public var nodes: Int
        /// Devices used of each; nil for all.
        public var devicesPerNode: Int?
        /// Sequences of a micro-batch; nil takes the phase's.
        public var microBatch: Int?
        /// Micro-batches of a step; nil follows from the global batch.
        public var accumulation: Int?
        /// The matrix products' format.
        public var precision: Precision?
        /// The stack; nil takes the profile's.
        public var stack: String?
        /// How the network runs on a wafer; nil takes what fits.
        public var execution: WaferExecution?
        /// Zeros among the weights, as a wafer sees them; nil for none.
        public var sparsity: WeightSparsity?

        /// A layout of the given parts.
        public init(
            nodes: Int = 1, devicesPerNode: Int? = nil, microBatch: Int? = nil, accumulation: Int? = nil,
            precision: Precision? = nil, stack: String? = nil, execution: WaferExecution? = nil,
            sparsity: WeightSparsity? = nil
        ) {
            self.nodes = nodes
            self.devicesPerNode = devicesPerNode
            self.microBatch = microBatch
            self.accumulation = accumulation
            self.precision = precision
            self.stack = stack
            self.execution = execution
            self.sparsity = sparsity
        }

        /// The same in ranks, on `profile`.
        public func steps(on profile: HardwareProfile) throws(PerformanceModelError) -> StepModel.Layout {
            guard let machine = profile.cluster else {
                return StepModel.Layout(workers: 1, execution: execution, sparsity: sparsity)
            }
            guard execution == nil, sparsity == nil else {
                throw .unsupported(
                    "'\(profile.name)' is a cluster; execution and sparsity are modelled for wafers, such as cs2")
            }
            let devices = devicesPerNode ?? machine.devicesPerNode
            guard ClusterSetup.nodeRange.contains(nodes), (1...machine.devicesPerNode).contains(devices) else {
                throw .unsupported(
                    "\(nodes) nodes x \(devices) devices: '\(profile.name)' takes 1 to "
                        + "\(ClusterSetup.nodeRange.upperBound) nodes of 1 to \(machine.devicesPerNode) devices")
            }
            return StepModel.Layout(
                workers: nodes * devices, devicesPerNode: devices, microBatch: microBatch, accumulation: accumulation,
                precision: precision ?? .fp16, stack: stack)
        }
    }

    /// The most configurations of a sweep.
    public static let mostConfigurations = 1_000_000

    /// The combinations, the last axis varying fastest.
    public let combinations: [(hardware: String, layout: Layout)]

    /// Every combination of `axes`, over what `hardware` and `layout` say of the rest.
    public init(_ axes: [Axis], hardware: String, layout: Layout) throws(PerformanceModelError) {
        var combinations = [(hardware: hardware, layout: layout)]
        for axis in axes {
            guard combinations.count * axis.values.count <= Self.mostConfigurations else {
                throw .unsupported("--sweep: more than \(Self.mostConfigurations) combinations; give fewer values")
            }
            combinations = combinations.flatMap { base in
                axis.values.map { value in
                    var next = base
                    switch axis.setting {
                    case .hardware: next.hardware = value
                    case .nodes: next.layout.nodes = Int(value) ?? 1
                    case .devicesPerNode: next.layout.devicesPerNode = Int(value)
                    case .microBatch: next.layout.microBatch = Int(value)
                    case .accumulation: next.layout.accumulation = Int(value)
                    case .precision: next.layout.precision = Precision(rawValue: value)
                    case .stack: next.layout.stack = value
                    }
                    return next
                }
            }
        }
        self.combinations = combinations
    }

    /// Predicts `job` for every combination.
    ///
    /// - Throws: for a hardware profile that can't be read. What a machine can't do is the outcome of its configuration.
    public func run(job: Job, convergence: ConvergenceLaw?, calibration: Calibration? = nil)
        throws(PerformanceModelError) -> [Configuration]
    {
        var profiles: [String: HardwareProfile] = [:]
        var configurations: [Configuration] = []
        configurations.reserveCapacity(combinations.count)
        for (hardware, layout) in combinations {
            let profile: HardwareProfile
            if let known = profiles[hardware] {
                profile = known
            } else {
                profile = try HardwareCatalogue.profile(hardware)
                profiles[hardware] = profile
            }
            let outcome = Result { () throws(PerformanceModelError) in
                try JobPrediction(
                    job: job, profile: profile, layout: layout.steps(on: profile), convergence: convergence,
                    calibration: calibration)
            }
            configurations.append(Configuration(hardware: profile.name, layout: layout, outcome: outcome))
        }
        return configurations
    }
}
