import Coordinator
import Jobs

/// A small job whose steps on this machine are compared with their replay, and how it is dealt.
struct HostTrial: Sendable {
    var size: String
    var workers: Int
    var sequence: Int
    var globalBatch: Int
    var steps: Int
    var algorithm = CollectiveAlgorithm.direct
    var transport = Transport.sharedMemory
    var bucket: Bytes?

    /// Sizes from tiny to base, one to four workers, both sequence lengths, three ways to exchange, by shared memory as runs
    /// have it where nobody says otherwise, and through sockets; each some seconds.
    static let all = [
        HostTrial(size: "tiny", workers: 1, sequence: 128, globalBatch: 64, steps: 20),
        HostTrial(size: "tiny", workers: 2, sequence: 128, globalBatch: 64, steps: 20),
        HostTrial(size: "tiny", workers: 4, sequence: 512, globalBatch: 16, steps: 20),
        HostTrial(size: "mini", workers: 1, sequence: 512, globalBatch: 8, steps: 14),
        HostTrial(size: "mini", workers: 2, sequence: 128, globalBatch: 32, steps: 14, bucket: Bytes(262_144)),
        HostTrial(size: "mini", workers: 4, sequence: 128, globalBatch: 32, steps: 14, algorithm: .star),
        HostTrial(size: "small", workers: 1, sequence: 128, globalBatch: 16, steps: 12),
        HostTrial(size: "small", workers: 2, sequence: 512, globalBatch: 4, steps: 16, transport: .ipc),
        HostTrial(size: "small", workers: 4, sequence: 128, globalBatch: 16, steps: 12, algorithm: .ring),
        HostTrial(
            size: "medium", workers: 2, sequence: 128, globalBatch: 8, steps: 12, algorithm: .star, transport: .tcp,
            bucket: .mebibytes(4)),
        HostTrial(size: "base", workers: 1, sequence: 128, globalBatch: 4, steps: 8),
        HostTrial(size: "base", workers: 2, sequence: 128, globalBatch: 4, steps: 8),
    ]

    /// The job's name.
    var name: String { "\(size)-\(sequence)" }

    /// What it trains: four lanes of a micro-batch each, seldom evaluated.
    var job: Job {
        Job(
            name: name, model: ModelShape.named(size) ?? ModelShape.named[0].shape,
            corpus: CorpusSource(text: .synthetic(documents: 600, seed: 1), vocabulary: .trained(size: 4000)),
            examples: ExampleSettings(), lanes: 4, seed: 1,
            phases: [
                Phase(
                    sequence: sequence, maskedPositions: sequence * 20 / 128, globalBatch: globalBatch,
                    microBatch: globalBatch / 4, steps: steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .adamw),
            evaluation: EvaluationSettings(everySteps: steps, sequences: 4), target: nil,
            checkpoints: CheckpointSettings())
    }

    /// How its workers exchange gradients.
    ///
    /// - Throws: `ExchangeSettings.Violation` where its bucket is of no allowed size.
    func exchange() throws -> ExchangeSettings {
        try ExchangeSettings(
            algorithm: algorithm, transport: transport, laneShares: .even,
            bucket: bucket ?? ExchangeSettings.usualBucket)
    }
}
