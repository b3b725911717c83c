/// What a sweep can vary, in the order in which it does: the last one fastest.
enum SweepAxis: String, CaseIterable {
    case globalBatch = "global_batch"
    case sparsity
    case compression
    case hardware
    case waferHardware = "wafer_hardware"
    case algorithm
    case transport
    case devicesPerNode = "devices_per_node"
    case oversubscription
    case backend
    case workers
    case seed

    /// Whether it has an effect on runs of `backend`.
    func matters(on backend: Backend) -> Bool {
        switch (self, backend) {
        case (.globalBatch, _), (.sparsity, _), (.compression, _), (.backend, _), (.seed, _): true
        case (.waferHardware, .wafer), (.hardware, .cluster), (.algorithm, .cluster), (.transport, .cluster),
            (.devicesPerNode, .cluster), (.oversubscription, .cluster), (.workers, .cluster):
            true
        case (.waferHardware, .cluster), (.hardware, .wafer), (.algorithm, .wafer), (.transport, .wafer),
            (.devicesPerNode, .wafer), (.oversubscription, .wafer), (.workers, .wafer):
            false
        }
    }
}

/// A value on an axis, as it was written and where.
struct SweepValue: Hashable {
    var text: String
    var line: Int
    var setting: SweepSetting
}

/// What a value sets.
enum SweepSetting: Hashable {
    case globalBatch(Int)
    case sparsity(SparsityVariant)
    case compression(GradientCompression?)
    case hardware(String?)
    case waferHardware(String?)
    case algorithm(CollectiveAlgorithm)
    case transport(Transport)
    case devicesPerNode(Int?)
    case oversubscription(Double)
    case backend(Backend)
    case workers(Int)
    case seed(UInt64)
}

/// A run of a sweep in the making.
struct SweepDraft {
    var job: Job
    var backend = Backend.cluster
    var workers = 2
    var hardware: String?
    var waferHardware: String?
    var exchange = ExchangeSettings()
    var emulation: EmulationSettings?

    /// Takes a value over.
    mutating func set(_ setting: SweepSetting) {
        switch setting {
        case .globalBatch(let batch): job = job.with(globalBatch: batch)
        case .sparsity(let variant):
            let name = job.name
            job = variant.job(job, seed: job.seed)
            // The runs of a sweep are told apart by their axes.
            job.name = name
        case .compression(let compression):
            if compression?.name != job.compression?.name { job.compression = compression }
        case .hardware(let hardware): self.hardware = hardware
        case .waferHardware(let hardware): waferHardware = hardware
        case .algorithm(let algorithm): exchange.algorithm = algorithm
        case .transport(let transport): exchange.transport = transport
        case .devicesPerNode(let count): emulation?.devicesPerNode = count
        case .oversubscription(let ratio): emulation?.oversubscription = ratio
        case .backend(let backend): self.backend = backend
        case .workers(let workers): self.workers = workers
        case .seed(let seed): job.seed = seed
        }
    }

    /// The run, with the given values on the plan's axes.
    func point(_ values: [String?]) -> SweepPoint {
        switch backend {
        case .cluster:
            SweepPoint(
                job: job, backend: .cluster, workers: workers, hardware: hardware, exchange: exchange,
                emulation: emulation, values: values)
        case .wafer:
            SweepPoint(
                job: job, backend: .wafer, workers: 1, hardware: waferHardware, exchange: ExchangeSettings(),
                emulation: nil, values: values)
        }
    }
}

extension Job {
    /// The job with `batch` sequences a step in every phase. A micro-batch that was a lane's whole share stays one.
    func with(globalBatch batch: Int) -> Job {
        var job = self
        for index in job.phases.indices {
            let isWholeShare = job.phases[index].microBatch == max(1, job.phases[index].globalBatch / max(1, lanes))
            job.phases[index].globalBatch = batch
            if isWholeShare { job.phases[index].microBatch = max(1, batch / max(1, lanes)) }
        }
        return job
    }
}
