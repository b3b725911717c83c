import Jobs

/// What the coordinator tells a worker.
public enum CoordinatorToWorker: Hashable, Sendable {
    case assignment(Assignment)
    case verdict(Verdict)
    case stop(reason: String)
    case refused(reason: String)
}

/// What a worker is to do.
public struct Assignment: Hashable, Sendable {
    /// A worker of the run.
    public struct Peer: Hashable, Sendable {
        public var rank: WorkerRank
        /// Where it takes gradients.
        public var endpoint: String
        /// The lanes that it owns.
        public var lanes: Range<Int>

        /// A peer of the given parts.
        public init(rank: WorkerRank, endpoint: String, lanes: Range<Int>) {
            self.rank = rank
            self.endpoint = endpoint
            self.lanes = lanes
        }
    }

    /// The membership's epoch.
    public var epoch: Int
    /// The worker that is addressed.
    public var rank: WorkerRank
    /// Every worker of the run, this one included, in the order of ranks.
    public var peers: [Peer]
    /// The job as JSON.
    public var job: [UInt8]
    /// Where the dataset lies, and where the run's files go.
    public var datasetDirectory: String
    public var runDirectory: String
    /// The first step to make.
    public var firstStep: StepNumber
    /// Threads that compute.
    public var threads: Int
    /// What trains.
    public var backend: Backend
    /// How long a step's exchange may take once the worker has nothing else to do.
    public var exchangeDeadline: HostSeconds
    /// How gradients are summed, and the size of a bucket.
    public var algorithm: CollectiveAlgorithm
    public var bucket: Bytes

    /// The lanes of the worker that is addressed.
    public var lanes: Range<Int> { peers.first { $0.rank == rank }?.lanes ?? 0..<0 }

    /// An assignment of the given parts.
    public init(
        epoch: Int, rank: WorkerRank, peers: [Peer], job: [UInt8], datasetDirectory: String, runDirectory: String,
        firstStep: StepNumber, threads: Int, backend: Backend, exchangeDeadline: HostSeconds,
        algorithm: CollectiveAlgorithm, bucket: Bytes
    ) {
        self.epoch = epoch
        self.rank = rank
        self.peers = peers
        self.job = job
        self.datasetDirectory = datasetDirectory
        self.runDirectory = runDirectory
        self.firstStep = firstStep
        self.threads = threads
        self.backend = backend
        self.exchangeDeadline = exchangeDeadline
        self.algorithm = algorithm
        self.bucket = bucket
    }
}

/// Whether training goes on after an evaluation.
public struct Verdict: Hashable, Sendable {
    /// Steps made before the evaluation.
    public var stepsMade: Int
    /// Whether the run is complete.
    public var isFinish: Bool
    /// What the evaluation gave, over all workers.
    public var maskedAccuracy: Double
    public var maskedLoss: Double

    /// A verdict of the given parts.
    public init(stepsMade: Int, isFinish: Bool, maskedAccuracy: Double, maskedLoss: Double) {
        self.stepsMade = stepsMade
        self.isFinish = isFinish
        self.maskedAccuracy = maskedAccuracy
        self.maskedLoss = maskedLoss
    }
}
