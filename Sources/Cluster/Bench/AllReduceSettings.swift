import Jobs

/// What an all-reduce benchmark measures, among real worker processes on this host.
public struct AllReduceSettings: Hashable, Sendable, Codable {
    /// Worker processes; each owns one lane.
    public var workers: Int
    /// The sizes of the gradient.
    public var sizes: [Bytes]
    /// Who sums what, and how sums travel.
    public var algorithm: CollectiveAlgorithm
    public var transport: Transport
    /// The size of a bucket.
    public var bucket: Bytes
    /// Rounds that are measured for each size; chosen by the size where nil.
    public var iterations: Int?

    /// Settings of the given parts.
    public init(
        workers: Int, sizes: [Bytes], algorithm: CollectiveAlgorithm, transport: Transport, bucket: Bytes,
        iterations: Int?
    ) {
        self.workers = workers
        self.sizes = sizes
        self.algorithm = algorithm
        self.transport = transport
        self.bucket = bucket
        self.iterations = iterations
    }

    /// Rounds that are made, and not measured, before the others.
    static let warmUps = 3

    /// Rounds that are measured for a gradient of `size`: about 2 GiB worth of them, from 12 to 400.
    func iterations(of size: Bytes) -> Int {
        iterations ?? min(400, max(12, (2 << 30) / max(1, size.count)))
    }
}

/// What the benchmark found for one size.
public struct AllReduceResult: Hashable, Sendable, Encodable {
    /// The gradient's size.
    public var mebibytes: Double
    public var bytes: Int
    /// Rounds measured.
    public var iterations: Int
    /// Host time of a round: the mean over the workers; of these the median, the least and the most over the rounds.
    public var secondsMedian: Double
    public var secondsMin: Double
    public var secondsMax: Double
    /// Processors' time of a round, all threads of all workers together: the median over the rounds.
    public var processorSecondsMedian: Double
    /// Bytes of the gradient a second.
    public var algorithmBytesPerSecond: Double
    /// The same times 2 (n - 1) / n: what a ring's links would carry, whatever carries it here. Source: NVIDIA/nccl-tests,
    /// doc/PERFORMANCE.md.
    public var busBytesPerSecond: Double

    /// The result of rounds that took `seconds`, and `processorSeconds`, among `workers`.
    init(size: Bytes, seconds: [Double], processorSeconds: [Double], workers: Int) {
        let spread = Quantiles(seconds)
        let median = spread.median ?? .nan
        mebibytes = Double(size.count) / Double(1 << 20)
        bytes = size.count
        iterations = seconds.count
        secondsMedian = median
        secondsMin = spread.minimum ?? .nan
        secondsMax = spread.maximum ?? .nan
        processorSecondsMedian = Quantiles(processorSeconds).median ?? .nan
        algorithmBytesPerSecond = Double(size.count) / median
        busBytesPerSecond = algorithmBytesPerSecond * 2 * Double(workers - 1) / Double(workers)
    }
}

/// Why an all-reduce could not be measured.
public enum AllReduceBenchError: Error, Sendable, CustomStringConvertible {
    /// A worker ended early.
    case worker(rank: Int, exit: WorkerExit, log: String)
    /// A worker ended well but said nothing.
    case silence(rank: Int)
    /// A worker had another sum than the lane tree's.
    case sum(rank: Int, size: Bytes, element: Int)

    public var description: String {
        switch self {
        case .worker(let rank, let exit, let log): "worker \(rank) ended with \(exit)\(log.isEmpty ? "" : ":\n\(log)")"
        case .silence(let rank): "worker \(rank) ended without a result"
        case .sum(let rank, let size, let element):
            "worker \(rank) has a wrong sum of \(size.count) bytes, from element \(element) on"
        }
    }
}
