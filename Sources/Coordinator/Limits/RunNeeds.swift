import Jobs

/// What a run takes at least, as far as it can be told before anything is started. Never more than what it really takes, so
/// that whoever refuses by it refuses nothing that would fit.
public struct RunNeeds: Sendable {
    /// The network's numbers: those of its matrices, without biases and heads.
    public let parameters: Int
    /// Memory of all processes together.
    public let memory: Bytes
    /// Files: one checkpoint, and the model.
    public let disk: Bytes

    private static let bytesANumber = 4
    /// Weights, their gradient, and the optimizer's two moments.
    private static let copiesInMemory = 4
    /// Weights and both moments.
    private static let copiesInCheckpoint = 3

    /// The needs of `job` on so many workers.
    public init(of job: Job, workers: Int) {
        let model = job.model
        let (hidden, layers) = (Double(model.hidden), Double(model.layers))
        let embeddings = Double((job.corpus.vocabularySize ?? 0) + model.positions) * hidden
        let layer = 4 * hidden * hidden + 2 * hidden * Double(model.intermediate)
        let count = embeddings + layers * layer
        let number = Double(Self.bytesANumber)
        var memory = Double(workers) * Double(Self.copiesInMemory) * count * number
        if case .topK = job.compression {
            // What each lane holds back, and a second copy of weights and moments on each worker.
            memory += (Double(job.lanes) + Double(workers * Self.copiesInCheckpoint)) * count * number
        }
        parameters = Self.whole(count)
        self.memory = Bytes(Self.whole(memory))
        disk = Bytes(Self.whole((Double(Self.copiesInCheckpoint) + 1) * count * number))
    }

    /// The largest shapes that a job file takes have less than 2^62 bytes of everything; beyond that, that.
    private static func whole(_ count: Double) -> Int { count < 0x1p62 ? Int(count) : 1 << 62 }
}

extension Bytes {
    /// In GiB, with two digits that count; in MiB where that leaves none.
    var gibibytesText: String {
        let gibibytes = Double(count) / 0x1p30
        if gibibytes < 0.01 { return "\((Double(count) / 0x1p20 * 100).rounded() / 100) MiB" }
        return gibibytes >= 100 ? "\(Int(gibibytes)) GiB" : "\((gibibytes * 100).rounded() / 100) GiB"
    }
}
