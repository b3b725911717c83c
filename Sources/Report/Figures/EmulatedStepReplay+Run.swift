import Jobs
import PerformanceModel
import Runs

extension EmulatedStepReplay {
    /// The replay of the emulated `run` on `profile`: its machine, its faults, its way of exchanging, with even shares of the
    /// lanes.
    ///
    /// - Throws: `PerformanceModelError` where the machine can't do it, or the run has no emulation on record.
    public static func modelling(
        _ run: Run, on profile: HardwareProfile
    ) throws(PerformanceModelError) -> EmulatedStepReplay {
        guard let emulation = run.emulation, let vocabulary = run.corpus?.vocabularySize else {
            throw .unsupported("run \(run.id) has no emulation on record")
        }
        return try EmulatedStepReplay(
            run, settings: emulation.settings, vocabularySize: vocabulary,
            workerLanes: LaneTree(laneCount: run.job.lanes).shares(workerCount: run.workers).map(\.count), on: profile)
    }

    /// The replay of phase `phase` of `run` on `profile` with `settings`, whose workers have `workerLanes` lanes.
    ///
    /// - Throws: `PerformanceModelError` where the machine can't do it.
    public init(
        _ run: Run, settings: EmulationSettings, vocabularySize: Int, workerLanes: [Int], phase: Int = 0,
        on profile: HardwareProfile
    ) throws(PerformanceModelError) {
        let lanes = settings.deviceLanes(ofWorkers: workerLanes, jobLanes: run.job.lanes)
        let cluster = try EmulatedCluster(
            job: run.job, vocabularySize: vocabularySize, laneCounts: lanes, profile: profile, settings: settings)
        self.init(
            cluster, phase: phase,
            exchange: Exchange(run, vocabularySize: vocabularySize, lanes, cluster))
    }
}

extension EmulatedStepReplay.Exchange {
    /// The exchange of `run` among workers with `laneCounts` lanes that stand for the devices of `cluster`.
    public init(_ run: Run, vocabularySize: Int, _ laneCounts: [Int], _ cluster: EmulatedCluster) {
        let settings = run.exchange ?? ExchangeSettings(transport: .ipc)
        let workload = Workload(
            model: run.job.model, vocabularySize: vocabularySize, sequence: 128, maskedPositions: 20, microBatch: 1,
            nextSentence: run.job.examples.nextSentence, optimizer: run.job.optimizer.kind)
        let elements = StepTemplate(workload).parameterCount
        let encoded: Double =
            switch run.job.compression {
            case .bf16?, .fp16?: 2
            case .topK?, nil: 4
            }
        self.init(
            algorithm: settings.algorithm, laneCounts: laneCounts, elements: elements,
            bucketElements: max(16, cluster.realBucket(of: settings.bucket).count / 4 / 16 * 16),
            elementBytes: encoded * cluster.byteScale)
    }
}
