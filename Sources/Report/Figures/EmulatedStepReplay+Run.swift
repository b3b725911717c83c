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
        let counts = emulation.settings.deviceLanes(
            ofWorkers: LaneTree(laneCount: run.job.lanes).shares(workerCount: run.workers).map(\.count),
            jobLanes: run.job.lanes)
        let cluster = try EmulatedCluster(
            job: run.job, vocabularySize: vocabulary, laneCounts: counts, profile: profile,
            settings: emulation.settings)
        return EmulatedStepReplay(
            cluster, exchange: Exchange(run, vocabularySize: vocabulary, counts, cluster))
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
