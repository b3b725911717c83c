import Jobs

/// The modelled time to solution of a job on a wafer, and how it would change with each thing that it rests on: those
/// that nobody has published above all.
public struct WaferSensitivity: Hashable, Sendable, Codable {
    /// One thing, varied by itself over the range that its source leaves.
    public struct Row: Hashable, Sendable, Codable {
        /// What is varied, and its unit; a share where empty.
        public var name: String
        public var unit: String
        /// The value that the prediction takes, and the ends of the range.
        public var value: Double
        public var low: Double
        public var high: Double
        /// Who says so.
        public var source: String
        /// Modelled hours at the ends; nil where the network doesn't fit there.
        public var hoursAtLow: Double?
        public var hoursAtHigh: Double?

        /// The most by which the hours change.
        func swing(from hours: Double) -> Double {
            [hoursAtLow, hoursAtHigh].compactMap { $0 }.map { abs($0 - hours) }.max() ?? .infinity
        }

        enum CodingKeys: String, CodingKey {
            case name, unit, value, low, high, source
            case hoursAtLow = "modelled_hours_at_low"
            case hoursAtHigh = "modelled_hours_at_high"
        }
    }

    /// Modelled hours of each phase's steps.
    public var phaseHours: [Double]
    /// Hours of them all.
    public var hours: Double
    /// The hours that were published of this network on this machine; nil where none were.
    public var publishedHours: Double?
    /// The largest change first.
    public var rows: [Row]
    /// What the hours rest on that is not varied, a sentence each.
    public var assumptions: [String]

    enum CodingKeys: String, CodingKey {
        case phaseHours = "phase_modelled_hours"
        case hours = "modelled_hours"
        case publishedHours = "published_hours"
        case rows, assumptions
    }

    /// The table for `job` on the wafer `profile` as `layout` says.
    ///
    /// - Parameter plans: where floor plans are kept and looked up; much of what is varied leaves them as they are.
    /// - Throws: `PerformanceModelError.unsupported` where the profile is no wafer or the network doesn't fit.
    public init(
        job: Job, profile: HardwareProfile, layout: StepModel.Layout = StepModel.Layout(workers: 1),
        plans: PlanMemory = PlanMemory()
    ) throws(PerformanceModelError) {
        guard let machine = profile.wafer else {
            throw .unsupported("'\(profile.name)' is a cluster; a sensitivity table is made for wafers, such as cs1")
        }
        let base = try WaferScenario(job: job, machine: machine, layout: layout)
        let schedules = try base.schedules(plans)
        phaseHours = zip(base.phases, schedules).map { $0.steps * $1.seconds / 3600 }
        let hours = phaseHours.reduce(0, +)
        self.hours = hours
        rows = []
        for variation in WaferVariation.all(of: base, schedules: schedules) {
            func hours(at value: Double) -> Double? {
                var scenario = base
                variation.set(&scenario, value)
                return try? scenario.hours(plans)
            }
            rows.append(
                Row(
                    name: variation.name, unit: variation.unit, value: variation.value, low: variation.low,
                    high: variation.high, source: variation.source, hoursAtLow: hours(at: variation.low),
                    hoursAtHigh: hours(at: variation.high)))
        }
        rows.sort { ($0.swing(from: hours), $1.name) > ($1.swing(from: hours), $0.name) }
        publishedHours = Self.published(job, profile)
        assumptions = Self.assumptions(base, schedules)
    }

    /// "52 hours on one CS-1" (`SeedCase.claims`) is said of BERT-Large.
    private static func published(_ job: Job, _ profile: HardwareProfile) -> Double? {
        profile.name == "cs1" && job.model == ModelShape.named("large") ? SeedCase.waferHours : nil
    }

    private static func assumptions(_ base: WaferScenario, _ schedules: [WaferSchedule]) -> [String] {
        let phases = zip(base.phases, schedules).enumerated().map { index, entry in
            let (phase, schedule) = entry
            return "phase \(index + 1): \(Int(phase.steps)) steps of \(phase.globalBatch) sequences of "
                + "\(Int(phase.graph.tokens)) tokens, \(schedule.execution.rawValue)"
        }
        return phases + [
            "every position is computed, padding included",
            "a parameter takes \(Int(WaferCore.bytesPerParameter)) bytes with its gradient and optimizer state, an "
                + "activation \(Int(WaferCore.bytesPerActivation)); activations are kept, not computed again",
            "evaluation, checkpoints and restarts are not counted",
        ]
    }
}
