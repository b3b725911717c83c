import Jobs

/// Predicts the steps of a job on a machine, without running it.
public enum StepModel {
    /// The vocabulary that is assumed where a job names a file that nobody has counted: BERT's own.
    public static let assumedVocabularySize = 30_522

    /// How a job is laid over a machine.
    public struct Layout: Hashable, Sendable {
        /// Ranks that share the global batch; 1 on a wafer.
        public var workers: Int
        /// Devices used of each node; nil fills nodes one by one.
        public var devicesPerNode: Int?
        /// Sequences that a rank computes at once; nil takes the phase's.
        public var microBatch: Int?
        /// Micro-batches of a rank before it updates; nil follows from the phase's global batch.
        public var accumulation: Int?
        /// The matrix products' format.
        public var precision: Precision
        /// The software stack's name; nil takes the profile's default.
        public var stack: String?
        /// Entries of the vocabulary; nil takes the job's, or BERT's.
        public var vocabularySize: Int?
        /// How the network runs on a wafer; nil takes what fits.
        public var execution: WaferExecution?
        /// Copies of the network on a wafer; nil takes as many as pay.
        public var replicas: Int?
        /// Zeros among the weights, as a wafer sees them; nil for none.
        public var sparsity: WeightSparsity?

        /// A layout of the given parts.
        public init(
            workers: Int, devicesPerNode: Int? = nil, microBatch: Int? = nil, accumulation: Int? = nil,
            precision: Precision = .fp16, stack: String? = nil, vocabularySize: Int? = nil,
            execution: WaferExecution? = nil, replicas: Int? = nil, sparsity: WeightSparsity? = nil
        ) {
            self.workers = workers
            self.devicesPerNode = devicesPerNode
            self.microBatch = microBatch
            self.accumulation = accumulation
            self.precision = precision
            self.stack = stack
            self.vocabularySize = vocabularySize
            self.execution = execution
            self.replicas = replicas
            self.sparsity = sparsity
        }
    }

    /// The step of the first phase of `job` on `profile`, with the built-in constants.
    ///
    /// - Throws: `PerformanceModelError` where the machine can't do it: a format that it lacks, more workers than sequences.
    public static func predict(job: Job, profile: HardwareProfile, workers: Int) throws(PerformanceModelError)
        -> ModelledStep
    {
        try predict(job: job, profile: profile, layout: Layout(workers: workers))
    }

    /// The step of phase `index` of `job` on `profile` as `layout` says.
    ///
    /// With a micro-batch and an accumulation the global batch follows from them instead of from the phase.
    /// - Parameter plans: where floor plans are kept and looked up.
    /// - Throws: `PerformanceModelError` where the machine can't do it, or there is no such phase or stack.
    public static func predict(
        job: Job, profile: HardwareProfile, layout: Layout, phase index: Int = 0, calibration: Calibration? = nil,
        plans: PlanMemory = PlanMemory(most: 1)
    ) throws(PerformanceModelError) -> ModelledStep {
        try predictAndPlace(
            job: job, profile: profile, layout: layout, phase: index, calibration: calibration, plans: plans
        ).step
    }

    /// As `predict`, with the floor plan that the step runs on, where the machine is a wafer and each kernel has its place.
    public static func predictAndPlace(
        job: Job, profile: HardwareProfile, layout: Layout, phase index: Int = 0, calibration: Calibration? = nil,
        plans: PlanMemory = PlanMemory(most: 1)
    ) throws(PerformanceModelError) -> (step: ModelledStep, plan: FloorPlan?) {
        if let machine = profile.wafer {
            let schedule = try WaferSchedule(job: job, profile: profile, layout: layout, phase: index, plans: plans)
            let step = WaferStep.step(
                schedule, machine: machine, profile: profile.name,
                globalBatch: try phase(index, of: job).globalBatch)
            return (step, schedule.floorPlan)
        }
        let calibration = try StackCatalogue.calibration(or: calibration)
        let (setup, stack) = try setup(
            job: job, profile: profile, layout: layout, phase: index, calibration: calibration)
        return (ModelledStep(setup, stack: stack, calibration: calibration), nil)
    }

    /// The configuration of phase `index` of `job` on a cluster, and the stack that runs it.
    static func setup(
        job: Job, profile: HardwareProfile, layout: Layout, phase index: Int, calibration: Calibration
    ) throws(PerformanceModelError) -> (setup: ClusterSetup, stack: SoftwareStack) {
        let phase = try phase(index, of: job)
        guard let machine = profile.cluster else {
            throw .unsupported("'\(profile.name)' is a wafer: it has no devices to share a batch among")
        }
        guard layout.workers > 0, layout.workers <= phase.globalBatch else {
            throw .unsupported(
                "\(layout.workers) workers can't share a global batch of \(phase.globalBatch) sequences; allowed: "
                    + "1 to \(phase.globalBatch)")
        }
        var workload = workload(of: phase, in: job, layout)
        let share = (phase.globalBatch + layout.workers - 1) / layout.workers
        workload.microBatch = layout.microBatch ?? min(phase.microBatch, share)
        let devices = min(layout.devicesPerNode ?? machine.devicesPerNode, layout.workers)
        guard devices > 0, layout.workers % devices == 0, workload.microBatch > 0 else {
            throw .unsupported(
                "\(layout.workers) workers don't fill nodes of \(devices) devices; allowed: a multiple of \(devices)")
        }
        let accumulation = layout.accumulation ?? ((share + workload.microBatch - 1) / workload.microBatch)
        let setup = try ClusterSetup(
            profile: profile, workload: workload, precision: layout.precision, nodes: layout.workers / devices,
            devicesPerNode: devices, accumulation: accumulation,
            globalBatch: layout.accumulation == nil ? phase.globalBatch : nil)
        return (setup, try calibration.stack(layout.stack ?? machine.defaultStack))
    }

    static func phase(_ index: Int, of job: Job) throws(PerformanceModelError) -> Phase {
        guard job.phases.indices.contains(index) else {
            throw .unsupported("the job '\(job.name)' has \(job.phases.count) phases; there is no phase \(index)")
        }
        return job.phases[index]
    }

    static func workload(of phase: Phase, in job: Job, _ layout: Layout) -> Workload {
        Workload(
            model: job.model,
            vocabularySize: layout.vocabularySize ?? job.statedVocabularySize ?? assumedVocabularySize,
            sequence: phase.sequence, maskedPositions: phase.maskedPositions, microBatch: 1,
            nextSentence: job.examples.nextSentence, optimizer: job.optimizer.kind)
    }
}

extension Job {
    /// The vocabulary's size where the job itself says it.
    var statedVocabularySize: Int? { corpus.vocabularySize }
}
