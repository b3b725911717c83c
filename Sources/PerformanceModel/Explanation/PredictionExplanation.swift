import Jobs

extension Explanation {
    /// A whole job's time, energy and cost on a machine, taken apart.
    ///
    /// The figures are those of `JobPrediction` of the same arguments.
    /// - Throws: as `JobPrediction`.
    public static func prediction(
        job: Job, profile: HardwareProfile, layout: StepModel.Layout, convergence: ConvergenceLaw? = nil,
        calibration: Calibration? = nil
    ) throws(PerformanceModelError) -> Explanation {
        let calibration = try StackCatalogue.calibration(or: calibration)
        let prediction = try JobPrediction(
            job: job, profile: profile, layout: layout, convergence: convergence, calibration: calibration)
        var (inputs, terms): ([Explanation], [String]) = ([], [])
        for (index, phase) in prediction.phases.enumerated() {
            terms.append("phase\(index + 1)_seconds")
            inputs.append(
                Explanation(
                    "phase\(index + 1)_seconds", "phase \(index + 1), \(phase.sequence) tokens a sequence",
                    phase.steps * phase.step.step.seconds, "s", "steps * step_seconds",
                    [
                        steps(phase, convergence),
                        try step(index, phase.step, job, profile, layout, calibration),
                    ]))
        }
        let time = Explanation(
            "time_seconds", "time to solution", prediction.time.seconds, "s", terms.joined(separator: " + "), inputs)
        let energy = energy(prediction, profile, time)
        let inputsOfAll =
            [time, energy, rate(prediction, time)] + (cost(prediction, profile, time, energy).map { [$0] } ?? [])
        // The root has no formula of its own: it holds the figures that a prediction prints.
        var root = time
        root.name = "prediction"
        root.title = "\(job.name) on \(profile.name)"
        root.formula = "time_seconds"
        root.inputs = inputsOfAll
        return root
    }

    private static func steps(_ phase: JobPrediction.Phase, _ law: ConvergenceLaw?) -> Explanation {
        Explanation(
            "steps", "optimizer steps", phase.steps, "",
            source: law.map { "\($0.description), divided by a batch of \(phase.step.globalBatch)" } ?? "the job")
    }

    private static func step(
        _ index: Int, _ step: ModelledStep, _ job: Job, _ profile: HardwareProfile, _ layout: StepModel.Layout,
        _ calibration: Calibration
    ) throws(PerformanceModelError) -> Explanation {
        guard profile.cluster != nil else { return waferStep(step, profile) }
        let (setup, stack) = try StepModel.setup(
            job: job, profile: profile, layout: layout, phase: index, calibration: calibration)
        return Explanation.step(setup, stack: stack, calibration: calibration)
    }

    private static func waferStep(_ step: ModelledStep, _ profile: HardwareProfile) -> Explanation {
        let isStreaming = step.execution == .streaming
        return Explanation(
            "step_seconds", "one optimizer step", step.step.seconds, "s",
            "compute_seconds + exposed_communication_seconds + pipeline_fill_seconds + optimizer_seconds",
            [
                isStreaming
                    ? Explanation(
                        "compute_seconds", "every stage on the whole grid, in all passes", step.compute.seconds, "s",
                        source: "StreamingLayout: the fullest core's arithmetic, or its links")
                    : Explanation(
                        "compute_seconds", "all samples through the slowest kernel, stream or input",
                        step.compute.seconds, "s",
                        source: "PipelineTime: sequences of each copy of the network x the slowest of kernels, streams "
                            + "and input"),
                Explanation(
                    "exposed_communication_seconds", "waiting for streamed weights and gradients",
                    step.exposedCommunication.seconds, "s",
                    source: isStreaming
                        ? "StreamingPlan: what weights in or gradients out take beyond a stage's own time"
                        : "none: weights stay on the wafer"),
                Explanation(
                    "pipeline_fill_seconds", "the first sample through every stage, and starting the step",
                    step.pipelineFill.seconds, "s",
                    source: isStreaming
                        ? "the profile's launch cost"
                        : "PipelineReplay: what the first samples take beyond their intervals; and the profile's launch cost"
                ),
                Explanation(
                    "optimizer_seconds", "the update of the weights", step.optimizer.seconds, "s",
                    source: isStreaming
                        ? "assumption: the memory outside updates weights as gradients arrive"
                        : "PipelineTime: the fullest core's parameters, the norms over the grid, the sum over copies"),
            ])
    }

    private static func rate(_ prediction: JobPrediction, _ time: Explanation) -> Explanation {
        let sequences = prediction.phases.reduce(0) { $0 + $1.steps * Double($1.step.globalBatch) }
        return Explanation(
            "sequences_per_second", "throughput over all phases", sequences / prediction.time.seconds, "1/s",
            "sequences / time_seconds",
            [Explanation("sequences", "sequences in all", sequences, "", source: "steps x global batch"), time])
    }

    private static func energy(_ prediction: JobPrediction, _ profile: HardwareProfile, _ time: Explanation)
        -> Explanation
    {
        let step = prediction.phases.first?.step
        let inputs: [Explanation]
        let formula: String
        switch profile.machine {
        case .cluster(let machine):
            formula = "(devices * device_watts + nodes * other_watts) * time_seconds / 3600000"
            inputs = [
                Explanation("devices", "devices in all", Double(step?.workers ?? 1), "", source: "the layout"),
                Explanation(
                    "device_watts", "a device under load", machine.powerWatts.value, "W",
                    source: machine.powerWatts.source),
                Explanation("nodes", "nodes", Double(step?.nodes ?? 1), "", source: "the layout"),
                Explanation(
                    "other_watts", "a node without its devices", machine.otherPowerWatts.value, "W",
                    source: machine.otherPowerWatts.source), time,
            ]
        case .wafer(let machine):
            formula = "system_watts * time_seconds / 3600000"
            inputs = [
                Explanation(
                    "system_watts", "the system under load", machine.powerWatts.value, "W",
                    source: machine.powerWatts.source), time,
            ]
        }
        return Explanation(
            "energy_kilowatt_hours", "energy", prediction.energyKilowattHours ?? 0, "kWh", formula, inputs)
    }

    private static func cost(
        _ prediction: JobPrediction, _ profile: HardwareProfile, _ time: Explanation, _ energy: Explanation
    ) -> Explanation? {
        guard let cost = prediction.costUSDollars, let price = profile.price else { return nil }
        let nodes = Explanation(
            "nodes", "nodes", Double(prediction.phases.first?.step.nodes ?? 1), "", source: "the layout")
        switch price {
        case .hourly(let hourly):
            return Explanation(
                "cost_us_dollars", "rent", cost, "US$", "time_seconds / 3600 * nodes * price_per_hour",
                [
                    time, nodes,
                    Explanation(
                        "price_per_hour", "a node's hour, energy included", hourly.value, "US$", source: hourly.source),
                ])
        case .bought(let bought, let years):
            return Explanation(
                "cost_us_dollars", "write-off and energy", cost, "US$",
                "time_seconds / 3600 * nodes * price / (years * 8766) + energy_kilowatt_hours * price_per_kilowatt_hour",
                [
                    time, nodes, Explanation("price", "a node", bought.value, "US$", source: bought.source),
                    Explanation("years", "years that it is written off over", years.value, "", source: years.source),
                    energy,
                    Explanation(
                        "price_per_kilowatt_hour", "energy", JobPrediction.usDollarsPerKilowattHour, "US$",
                        source: "US industrial average of 2021, EIA table 5.3"),
                ])
        }
    }
}
