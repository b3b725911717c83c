import Jobs

/// A step of a job on the calibrated host, replayed process by process: what `--hardware host` predicts.
///
/// Everything shares the cores: a worker's passes, its optimizer, and also its exchange, which on one machine is copying
/// through the kernel's sockets. So processes beyond the cores take turns, and an exchange hides nothing.
public struct HostStep: Hashable, Sendable {
    /// How the job is dealt.
    public struct Layout: Hashable, Sendable {
        /// Processes.
        public var workers: Int
        /// Threads of each.
        public var threads: Int
        /// The share of positions that hold a token; the rest is padding, which the engine leaves out.
        public var fill: Double
        /// How the workers sum their gradients.
        public var algorithm: CollectiveAlgorithm

        /// A layout of the given parts.
        public init(workers: Int, threads: Int = 1, fill: Double = 1, algorithm: CollectiveAlgorithm = .direct) {
            self.workers = workers
            self.threads = threads
            self.fill = fill
            self.algorithm = algorithm
        }
    }

    /// Passes over a worker's lanes, and their sum, in seconds.
    public var compute: Double
    /// The gradient exchange.
    public var exchange: Double
    /// The optimizer.
    public var optimizer: Double

    /// The whole step.
    public var total: Double { compute + exchange + optimizer }

    /// The share of positions that an example's text fills, before a run has shown it: examples that are cut short are of
    /// every length alike (Devlin et al. 2019), so half as long on average.
    public static func expectedFill(_ examples: ExampleSettings) -> Double {
        1 - examples.shortSequenceShare / 2
    }

    /// A step of phase `index` of `job`.
    ///
    /// - Parameter gradientBytes: bytes of a gradient element on its way to another worker.
    /// - Throws: `unsupported` where there is no such phase, or more workers than lanes.
    public init(
        job: Job, phase index: Int = 0, layout: Layout, vocabularySize: Int, gradientBytes: Double = 4,
        on machine: HostMachine
    ) throws(PerformanceModelError) {
        guard job.phases.indices.contains(index) else {
            throw .unsupported("the job '\(job.name)' has \(job.phases.count) phases; there is no phase \(index)")
        }
        guard (1...job.lanes).contains(layout.workers) else {
            throw .unsupported(
                "\(layout.workers) workers can't share the job's \(job.lanes) lanes; allowed: 1 to \(job.lanes)")
        }
        let phase = job.phases[index]
        let workload = Workload(
            model: job.model, vocabularySize: vocabularySize, sequence: phase.sequence,
            maskedPositions: phase.maskedPositions, microBatch: 1, nextSentence: job.examples.nextSentence,
            optimizer: job.optimizer.kind)
        let parameters = Double(StepTemplate(workload).parameterCount)
        let running = layout.workers * layout.threads
        let busy = min(running, machine.cores)
        let turns = max(1, Double(running) / Double(machine.cores))
        let lanes = (job.lanes + layout.workers - 1) / layout.workers
        let rounds = Double((lanes + layout.threads - 1) / layout.threads)
        compute =
            rounds * Self.lane(phase, job, layout, vocabularySize, busy, machine) * turns
            + Double(lanes - 1) * parameters * machine.sumNanosecondsPerElement * 1e-9 * turns / Double(layout.threads)
        optimizer = Self.optimizer(job.optimizer.kind, parameters, layout, machine)
        exchange =
            layout.workers == 1
            ? 0
            : HostExchange(layout.algorithm, lanes: job.lanes, workers: layout.workers)
                .seconds(parameters: parameters, bytes: gradientBytes, on: machine)
    }

    /// A lane's passes.
    private static func lane(
        _ phase: Phase, _ job: Job, _ layout: Layout, _ vocabulary: Int, _ busy: Int, _ machine: HostMachine
    ) -> Double {
        let lane = Double(phase.globalBatch) / Double(job.lanes)
        let passes = max(1, (lane / Double(max(1, phase.microBatch))).rounded(.up))
        let sequences = lane / passes
        let tokens = sequences * Double(phase.sequence) * layout.fill
        let masked = min(Double(phase.maskedPositions) * sequences, tokens * job.examples.maskedShare)
        let work = LanePassWork(
            model: job.model, vocabularySize: vocabulary, sequences: sequences, tokens: tokens, masked: masked)
        let rates = machine.rates(
            hidden: job.model.hidden, sequence: phase.sequence, tokens: max(1, Int(tokens)), busy: busy)
        return passes * work.seconds(rates)
    }

    /// Every process updates all weights.
    private static func optimizer(
        _ kind: OptimizerSettings.Kind, _ parameters: Double, _ layout: Layout, _ machine: HostMachine
    ) -> Double {
        let (shared, alone): (Double, Double) =
            switch kind {
            case .adamw: (machine.adamwNanosecondsPerParameter, machine.adamwNanosecondsPerParameterAlone)
            case .lamb: (machine.lambNanosecondsPerParameter, machine.lambNanosecondsPerParameterAlone)
            }
        let running = layout.workers * layout.threads
        // All cores together update `workers` copies; a thread by itself is slower than all of them, faster than its share.
        let seconds =
            running == 1
            ? parameters * alone
            : max(parameters * alone / Double(layout.threads), Double(layout.workers) * parameters * shared)
        return seconds * 1e-9
    }
}

extension ModelledStep {
    /// Half-width of a host prediction's interval: the error that `validate --host` allows the worst of its jobs.
    static let hostIntervalPercent = 10.0

    /// A step of phase `index` of `job` on the calibrated `host`, with `workers` processes of one thread each.
    ///
    /// - Throws: as `HostStep`.
    init(job: Job, phase index: Int, host: HostMachine, workers: Int) throws(PerformanceModelError) {
        let vocabulary = job.statedVocabularySize ?? StepModel.assumedVocabularySize
        let layout = HostStep.Layout(workers: workers, fill: HostStep.expectedFill(job.examples))
        let step = try HostStep(job: job, phase: index, layout: layout, vocabularySize: vocabulary, on: host)
        let alone = try HostStep(
            job: job, phase: index, layout: HostStep.Layout(workers: 1, fill: layout.fill), vocabularySize: vocabulary,
            on: host)
        let phase = job.phases[index]
        let lane = phase.globalBatch / job.lanes
        let parts: [(Bound, Double)] = [
            (.matrixRate, step.compute), (.network, step.exchange), (.optimizer, step.optimizer),
        ]
        let width = (host.rates.map(\.hidden).min() ?? 1)...(host.rates.map(\.hidden).max() ?? 1)
        let length = (host.rates.map(\.sequence).min() ?? 1)...(host.rates.map(\.sequence).max() ?? 1)
        var reasons: [String] = []
        if !width.contains(job.model.hidden) {
            reasons.append("a width of \(job.model.hidden); calibrated: \(width.lowerBound) to \(width.upperBound)")
        }
        if !length.contains(phase.sequence) {
            reasons.append("sequence \(phase.sequence); calibrated: \(length.lowerBound) to \(length.upperBound)")
        }
        let factor = 1 + Self.hostIntervalPercent / 100 * (reasons.isEmpty ? 1 : 2)
        let work = LanePassWork(
            model: job.model, vocabularySize: vocabulary, sequences: Double(phase.globalBatch),
            tokens: Double(phase.globalBatch * phase.sequence) * layout.fill,
            masked: Double(phase.globalBatch * phase.maskedPositions))
        let peak = (host.rates.map(\.encoderGigaflopsPerSecond).max() ?? 1) * 1e9 * Double(host.cores)
        self.init(
            hardware: HostMachine.name, stack: nil, precision: .fp32, workers: workers, nodes: 1,
            microBatch: min(phase.microBatch, lane), accumulation: (job.lanes + workers - 1) / workers,
            globalBatch: phase.globalBatch, step: ModelledSeconds(step.total),
            low: ModelledSeconds(step.total / factor), high: ModelledSeconds(step.total * factor),
            compute: ModelledSeconds(step.compute), waiting: .zero,
            exposedCommunication: ModelledSeconds(step.exchange), optimizer: ModelledSeconds(step.optimizer),
            pipelineFill: .zero, sequencesPerSecond: Double(phase.globalBatch) / step.total,
            scalingEfficiency: alone.total / step.total / Double(workers),
            modelFlopsUtilisation: (work.encoderFlops + work.headFlops) / (step.total * peak),
            boundBy: parts.max { $0.1 < $1.1 }?.0 ?? .matrixRate, extrapolated: reasons)
    }
}
