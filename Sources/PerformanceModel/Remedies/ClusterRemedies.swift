import Jobs

extension RemedyReplay {
    /// The steps of all phases of `job` on the cluster `profile`, replayed with each remedy; the mean over the phases'
    /// steps.
    ///
    /// - Throws: as `StepModel.predict`.
    public init(
        job: Job, profile: HardwareProfile, layout: StepModel.Layout, calibration: Calibration? = nil
    ) throws(PerformanceModelError) {
        let calibration = try StackCatalogue.calibration(or: calibration)
        var kinds: [(replay: RemedyReplay, weight: Double)] = []
        for index in job.phases.indices {
            let (setup, stack) = try StepModel.setup(
                job: job, profile: profile, layout: layout, phase: index, calibration: calibration)
            var doubled = layout
            doubled.microBatch = 2 * setup.template.workload.microBatch
            // What comes of the doubled size is one of the outcomes.
            let twice =
                setup.accumulation > 1
                ? try StepModel.setup(
                    job: job, profile: profile, layout: doubled, phase: index, calibration: calibration
                ).setup : nil
            let constants = calibration.constants(for: setup, stack: stack)
            kinds.append(
                (RemedyReplay(setup, constants, doubled: twice), Double(job.phases[index].steps)))
        }
        guard let mean = RemedyReplay(mean: kinds) else {
            throw .unsupported("the job '\(job.name)' has no steps to replay")
        }
        self = mean
    }

    /// The step of `setup` under `constants`, replayed with each remedy.
    ///
    /// - Parameter doubled: the same with twice the micro-batch; nil where a device's share is a single one.
    public init(_ setup: ClusterSetup, _ constants: StepConstants, doubled: ClusterSetup?) {
        let step = ClusterStep(setup, constants)
        let computing = step.compute.total + step.waiting + step.host
        self.init(
            seconds: step.total,
            outcomes: Remedy.allCases.map { remedy in
                switch remedy {
                case .infiniteNetwork: .step(remedy, computing + step.update)
                case .noStraggler:
                    .step(remedy, ClusterStep(setup, Self.changed(constants) { $0.deviceSpeedSpread = 0 }).total)
                case .perfectOverlap:
                    // Copying and announcing are the device's own work: they hide behind nothing.
                    .step(
                        remedy,
                        max(computing, step.exchange) + ClusterStep.ExchangeParts(setup, constants).onDevice
                            + step.update)
                case .halfTheBytes:
                    .step(
                        remedy,
                        ClusterStep(
                            setup,
                            Self.changed(constants) {
                                $0.gradientBytes /= 2
                                $0.bucketBytes /= 2
                            }
                        ).total)
                case .doubleMicroBatch:
                    if let doubled {
                        .step(remedy, ClusterStep(doubled, constants).total)
                    } else {
                        .none(remedy, "each device’s share of the global batch is a single micro-batch already")
                    }
                }
            })
    }

    private static func changed(_ constants: StepConstants, _ change: (inout StepConstants) -> Void) -> StepConstants {
        var constants = constants
        change(&constants)
        return constants
    }
}
