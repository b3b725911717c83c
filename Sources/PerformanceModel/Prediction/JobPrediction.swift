import Jobs

/// What a whole job would take on a machine: time, energy and cost, phase by phase.
public struct JobPrediction: Hashable, Sendable, Codable {
    /// One phase.
    public struct Phase: Hashable, Sendable, Codable {
        /// Tokens of a sequence.
        public var sequence: Int
        /// Optimizer steps: the phase's, or as many as a convergence law says.
        public var steps: Double
        /// One step.
        public var step: ModelledStep
    }

    /// The phases, in order.
    public var phases: [Phase]
    /// All steps together.
    public var time: ModelledSeconds
    /// The lower end of the 90 % interval.
    public var low: ModelledSeconds
    /// The upper end of the 90 % interval.
    public var high: ModelledSeconds
    /// Energy of the used devices and of their nodes, in kWh; nil where no power is stated.
    public var energyKilowattHours: Double?
    /// Rent or write-off of the nodes, and the energy, in US dollars; nil where the profile states no price.
    public var costUSDollars: Double?
    /// Why the figure lies outside what was calibrated; empty where it doesn't.
    public var extrapolated: [String]

    /// The price of energy that costs assume, in US dollars a kWh: the US industrial average of 2021 (EIA, table 5.3).
    public static let usDollarsPerKilowattHour = 0.07

    enum CodingKeys: String, CodingKey {
        case phases
        case time = "time_seconds"
        case low = "low_seconds"
        case high = "high_seconds"
        case energyKilowattHours = "energy_kilowatt_hours"
        case costUSDollars = "cost_us_dollars"
        case extrapolated
    }

    /// Predicts all phases of `job` on `profile` as `layout` says.
    ///
    /// - Parameters:
    ///   - convergence: where given, each phase takes as many steps as the law says for its global batch.
    ///   - plans: where floor plans are kept and looked up.
    /// - Throws: as `StepModel.predict`.
    public init(
        job: Job, profile: HardwareProfile, layout: StepModel.Layout, convergence: ConvergenceLaw? = nil,
        calibration: Calibration? = nil, plans: PlanMemory = PlanMemory(most: 1)
    ) throws(PerformanceModelError) {
        var steps: [ModelledStep] = []
        for index in job.phases.indices {
            steps.append(
                try StepModel.predict(
                    job: job, profile: profile, layout: layout, phase: index, calibration: calibration, plans: plans))
        }
        self.init(job: job, steps: steps, convergence: convergence)
        let nodes = phases.first?.step.nodes ?? 1
        let watts: Double =
            switch profile.machine {
            case .cluster(let machine):
                Double(phases.first?.step.workers ?? 1) * machine.powerWatts.value
                    + Double(nodes) * machine.otherPowerWatts.value
            case .wafer(let machine): machine.powerWatts.value
            }
        let seconds = time.seconds
        let energy = watts * seconds / 3.6e6
        energyKilowattHours = energy
        costUSDollars = profile.price.map {
            // Rent includes energy; a bought machine's is paid besides.
            let hours = seconds / 3600 * Double(nodes) * $0.usDollarsPerHour
            if case .bought = $0 { return hours + energy * Self.usDollarsPerKilowattHour }
            return hours
        }
    }

    /// Predicts all phases of `job` on the calibrated `host` with `workers` processes of one thread each.
    ///
    /// - Throws: as `HostStep`.
    public init(
        job: Job, host: HostMachine, workers: Int, convergence: ConvergenceLaw? = nil
    ) throws(PerformanceModelError) {
        var steps: [ModelledStep] = []
        for index in job.phases.indices {
            steps.append(try ModelledStep(job: job, phase: index, host: host, workers: workers))
        }
        self.init(job: job, steps: steps, convergence: convergence)
    }

    /// The phases' steps, as often as the job or the law says, without energy and cost.
    private init(job: Job, steps: [ModelledStep], convergence: ConvergenceLaw?) {
        var (reasons, seconds, low, high) = ([String](), 0.0, 0.0, 0.0)
        phases = []
        for (phase, step) in zip(job.phases, steps) {
            let count = convergence?.steps(globalBatch: Double(step.globalBatch)) ?? Double(phase.steps)
            if let convergence, !convergence.covers(globalBatch: Double(step.globalBatch)) {
                reasons.append("no measured convergence at a global batch of \(step.globalBatch)")
            }
            seconds += count * step.step.seconds
            low += count * step.low.seconds
            high += count * step.high.seconds
            reasons += step.extrapolated
            phases.append(Phase(sequence: phase.sequence, steps: count, step: step))
        }
        time = ModelledSeconds(seconds)
        self.low = ModelledSeconds(low)
        self.high = ModelledSeconds(high)
        var seen: Set<String> = []
        extrapolated = reasons.filter { seen.insert($0).inserted }
    }

    /// Throws where any input is outside the calibrated range: what `--strict` asks for.
    public func requireCalibrated() throws(PerformanceModelError) {
        guard extrapolated.isEmpty else { throw .extrapolated(extrapolated) }
    }
}
