import Jobs

/// A step of a job on the calibrated host, replayed thread by thread: what `--hardware host` predicts.
///
/// Everything shares the cores: a worker's passes, its optimizer, and also its exchange, which on one machine is reading
/// memory, or copying through the kernel's sockets. So threads beyond the cores take turns, and an exchange hides nothing.
public struct HostStep: Hashable, Sendable {
    /// How the job is dealt.
    public struct Layout: Hashable, Sendable {
        /// Processes.
        public var workers: Int
        /// Threads of each.
        public var threads: Int
        /// How long sequences are.
        public var lengths: SequenceLengths
        /// How the workers sum their gradients.
        public var algorithm: CollectiveAlgorithm
        /// How gradients travel between them.
        public var transport: Transport
        /// The size of the pieces in which they do.
        public var bucket: Bytes
        /// The share of steps at which the norms of the lanes' gradients are measured; nil for as many as the job's rule
        /// says.
        public var gradientNoiseShare: Double?

        /// A layout of the given parts.
        public init(
            workers: Int, threads: Int = 1, lengths: SequenceLengths = .full, algorithm: CollectiveAlgorithm = .direct,
            transport: Transport = .sharedMemory, bucket: Bytes = ExchangeSettings.usualBucket,
            gradientNoiseShare: Double? = nil
        ) {
            self.workers = workers
            self.threads = threads
            self.lengths = lengths
            self.algorithm = algorithm
            self.transport = transport
            self.bucket = bucket
            self.gradientNoiseShare = gradientNoiseShare
        }
    }

    /// Passes over lanes, and their sums: until the mean thread is done, in seconds.
    public var compute: Double
    /// From there until the last is: lanes have texts of different lengths.
    public var waiting: Double
    /// The gradient exchange.
    public var exchange: Double
    /// The optimizer.
    public var optimizer: Double

    /// The whole step.
    public var total: Double { compute + waiting + exchange + optimizer }

    /// How many times as long as on the calibrated machine by itself something takes, since something else runs on it.
    public struct Slowdown: Hashable, Sendable, Codable {
        /// What computes: passes.
        public var kernels: Double
        /// What moves memory: exchanges and updates.
        public var memory: Double

        /// A slowdown of the given parts.
        public init(kernels: Double, memory: Double) {
            self.kernels = kernels
            self.memory = memory
        }

        /// Nothing else runs.
        public static let none = Self(kernels: 1, memory: 1)
    }

    /// The step on a machine that is as much slower.
    public func slowed(by slowdown: Slowdown) -> Self {
        var step = self
        step.compute *= slowdown.kernels
        step.waiting *= slowdown.kernels
        step.exchange *= slowdown.memory
        step.optimizer *= slowdown.memory
        return step
    }

    /// A step of phase `index` of `job`.
    ///
    /// - Parameter elementBytes: bytes of a gradient element that a socket carries.
    /// - Throws: `unsupported` where there is no such phase, or more workers than lanes.
    public init(
        job: Job, phase index: Int = 0, layout: Layout, vocabularySize: Int, elementBytes: Double = 4,
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
        let threads = Self.threads(phase, job, layout, parameters, vocabularySize, machine)
        let ends = FairShare.finishTimes(threads, cores: machine.cores)
        compute = ends.reduce(0, +) / Double(ends.count)
        waiting = (ends.max() ?? compute) - compute
        optimizer = Self.optimizer(job.optimizer.kind, parameters, layout, machine)
        exchange =
            layout.workers == 1
            ? 0
            : HostExchange(layout.algorithm, lanes: job.lanes, workers: layout.workers)
                .seconds(
                    parameters: parameters, bucket: layout.bucket, transport: layout.transport,
                    elementBytes: elementBytes, on: machine)
                // The coordinator is told of the lanes and answers: a message each way.
                + 2 * machine.links[layout.transport].latencyMicroseconds * 1e-6 + Self.control(layout, machine)
    }

    /// What each thread of all workers computes, in seconds of a core.
    private static func threads(
        _ phase: Phase, _ job: Job, _ layout: Layout, _ parameters: Double, _ vocabulary: Int, _ machine: HostMachine
    ) -> [Double] {
        let tree = LaneTree(laneCount: job.lanes)
        let busy = min(layout.workers * layout.threads, machine.cores)
        let pass = lane(phase, job, layout.lengths, vocabulary, busy, machine)
        let noise = layout.gradientNoiseShare ?? job.gradientNoiseShare
        let gradients = busy == 1 ? machine.laneGradientsAlone : machine.laneGradients
        let norm = noise * parameters * gradients.norm * 1e-9
        let add = parameters * gradients.sum * 1e-9
        var lanes: [Int] = []
        var work: [Double] = []
        for share in tree.shares(workerCount: layout.workers) {
            let dealt = LaneTree(laneCount: share.count).shares(workerCount: min(layout.threads, share.count))
            let additions = Double(share.count - tree.cover(of: share).count) / Double(dealt.count)
            for part in dealt {
                lanes.append(part.count)
                work.append(Double(part.count) * (pass + norm) + additions * add)
            }
        }
        // Those with the most lanes have the last word, so it is their order that counts.
        let order = work.indices.sorted { (work[$0], $0) < (work[$1], $1) }
        let sequences = Double(phase.globalBatch) / Double(job.lanes)
        for (index, score) in zip(order, FairShare.normalScores(order.count)) where order.count > 1 {
            let share = Double(lanes[index])
            let count = share * sequences
            work[index] += score * layout.lengths.spread / count.squareRoot() * dealtShare(of: count) * share * pass
            work[index] = max(0, work[index])
        }
        return work
    }

    /// What is left of the imbalance between threads of `count` sequences each where these are dealt by their lengths
    /// instead of blindly. A Monte Carlo of the dealing over normal, uniform and mostly full lengths (2,000 draws each) gives
    /// 1, 0.44 to 0.7, 0.2 to 0.4, 0.06 to 0.15, 0.02 to 0.1 for 1, 2, 4, 8, 16 sequences: about one part in `count`.
    private static func dealtShare(of count: Double) -> Double { 1 / max(1, count) }

    /// A lane's passes.
    private static func lane(
        _ phase: Phase, _ job: Job, _ lengths: SequenceLengths, _ vocabulary: Int, _ busy: Int, _ machine: HostMachine
    ) -> Double {
        let lane = Double(phase.globalBatch) / Double(job.lanes)
        let passes = max(1, (lane / Double(max(1, phase.microBatch))).rounded(.up))
        let sequences = lane / passes
        let tokens = sequences * Double(phase.sequence) * lengths.fill
        let masked = min(Double(phase.maskedPositions) * sequences, tokens * job.examples.maskedShare)
        let work = LanePassWork(
            model: job.model, vocabularySize: vocabulary, sequences: sequences, tokens: tokens, masked: masked,
            lengthSpread: lengths.spread)
        // The engine packs tokens, so kernels go by how long texts are, not by the positions that they could fill.
        let rates = machine.rates(
            hidden: job.model.hidden, sequence: max(1, Int(tokens / sequences)), tokens: max(1, Int(tokens)), busy: busy
        )
        return passes * work.seconds(rates)
    }

    /// Agreeing on the step keeps a core busy for each worker.
    private static func control(_ layout: Layout, _ machine: HostMachine) -> Double {
        let atOnce = min(machine.cores, layout.workers)
        let each = atOnce < layout.workers ? machine.controlMicrosecondsInTurns : machine.controlMicroseconds
        return Double(layout.workers) / Double(atOnce) * each * 1e-6
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

/// How much of its positions a sequence's text fills; the rest is padding, which the engine leaves out.
public struct SequenceLengths: Hashable, Sendable {
    /// The mean share of positions that hold a token.
    public var fill: Double
    /// The coefficient of variation of a sequence's tokens.
    public var spread: Double

    /// Lengths of the given parts.
    public init(fill: Double, spread: Double) {
        self.fill = fill
        self.spread = spread
    }

    /// Every sequence is full.
    public static let full = Self(fill: 1, spread: 0)

    /// What is to be expected before a run has shown it: examples that are cut short are of every length alike (Devlin et
    /// al. 2019), the others full.
    public init(expectedOf examples: ExampleSettings) {
        let short = examples.shortSequenceShare
        let (mean, square) = (1 - short / 2, 1 - 2 * short / 3)
        self.init(fill: mean, spread: max(0, square - mean * mean).squareRoot() / mean)
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
        let lengths = SequenceLengths(expectedOf: job.examples)
        let step = try HostStep(
            job: job, phase: index, layout: HostStep.Layout(workers: workers, lengths: lengths),
            vocabularySize: vocabulary, on: host)
        let alone = try HostStep(
            job: job, phase: index, layout: HostStep.Layout(workers: 1, lengths: lengths), vocabularySize: vocabulary,
            on: host)
        let phase = job.phases[index]
        let lane = phase.globalBatch / job.lanes
        let parts: [(Bound, Double)] = [
            (.matrixRate, step.compute), (.network, step.exchange), (.optimizer, step.optimizer),
        ]
        let width = host.rates.map(\.hidden).leastToGreatest
        let length = host.rates.map(\.sequence).leastToGreatest
        var reasons: [String] = []
        if !width.contains(job.model.hidden) {
            reasons.append("a width of \(job.model.hidden); calibrated: \(width.lowerBound) to \(width.upperBound)")
        }
        if !length.contains(phase.sequence) {
            reasons.append("sequence \(phase.sequence); calibrated: \(length.lowerBound) to \(length.upperBound)")
        }
        let factor = 1 + Self.hostIntervalPercent / 100 * (reasons.isEmpty ? 1 : 2)
        // What slowed the machine when it was measured may slow a run as much; nothing makes one quicker.
        let slowest = factor + host.disturbancePercent / 100
        let work = LanePassWork(
            model: job.model, vocabularySize: vocabulary, sequences: Double(phase.globalBatch),
            tokens: Double(phase.globalBatch * phase.sequence) * lengths.fill,
            masked: Double(phase.globalBatch * phase.maskedPositions))
        let peak = (host.rates.map(\.encoderGigaflopsPerSecond).max() ?? 1) * 1e9 * Double(host.cores)
        self.init(
            hardware: HostMachine.name, stack: nil, precision: .fp32, workers: workers, nodes: 1,
            microBatch: min(phase.microBatch, lane), accumulation: (job.lanes + workers - 1) / workers,
            globalBatch: phase.globalBatch, step: ModelledSeconds(step.total),
            low: ModelledSeconds(step.total / factor), high: ModelledSeconds(step.total * slowest),
            compute: ModelledSeconds(step.compute), waiting: ModelledSeconds(step.waiting),
            exposedCommunication: ModelledSeconds(step.exchange), optimizer: ModelledSeconds(step.optimizer),
            pipelineFill: .zero, sequencesPerSecond: Double(phase.globalBatch) / step.total,
            scalingEfficiency: alone.total / step.total / Double(workers),
            modelFlopsUtilisation: work.productFlops / (step.total * peak),
            boundBy: parts.max { $0.1 < $1.1 }?.0 ?? .matrixRate, extrapolated: reasons)
    }
}
