import Jobs

/// What the coordinator tells a worker.
public enum CoordinatorToWorker: Hashable, Sendable {
    /// What to do in a new membership.
    case assignment(Assignment)
    /// Every lane's results of `step` have arrived: it may be applied. Where it `halts`, the membership ends after it.
    case commit(step: StepNumber, halts: Bool)
    /// What became of an evaluation.
    case verdict(Verdict)
    /// The steps before a checkpoint after `stepsMade` steps are in the run's record: it may be written.
    case recorded(stepsMade: Int)
    /// Stop where you are and say how far you came.
    case halt
    /// Write a checkpoint now.
    case save
    /// End; the run needs no workers any more.
    case stop(reason: String)
    /// The receiver can't take part.
    case refused(reason: String)
    /// The receiver was declared lost and belongs to no membership any more.
    case fenced(reason: String)
    /// The number by which a worker that asked to join is known from now on, and how gradients travel.
    case admitted(WorkerRank, Transport)
    /// Answers a heartbeat.
    case alive
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
        /// Where it takes weights and optimizer state.
        public var stateEndpoint: String
        /// The CURVE key by which it is known; empty where all are on one host.
        public var key: [UInt8]

        /// A peer of the given parts.
        public init(
            rank: WorkerRank, endpoint: String, lanes: Range<Int>, stateEndpoint: String = "", key: [UInt8] = []
        ) {
            self.rank = rank
            self.endpoint = endpoint
            self.lanes = lanes
            self.stateEndpoint = stateEndpoint
            self.key = key
        }
    }

    /// The membership's epoch.
    public var epoch: Int
    /// The worker that is addressed.
    public var rank: WorkerRank
    /// Every worker of the membership, this one included, in the order of lanes.
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
    /// How gradients are summed and travel, and the size of a bucket.
    public var algorithm: CollectiveAlgorithm
    public var transport: Transport
    public var bucket: Bytes

    /// The checkpoint that a worker begins with that has made no step yet; nil to begin with the job's own weights.
    public var checkpoint: String?
    /// Workers that lack the weights and optimizer state before the first step, and the worker that sends them.
    public var stateReceivers: [WorkerRank]
    public var stateSource: WorkerRank
    /// How far the job's target was met before the first step, as JSON; empty where nothing was evaluated yet.
    public var target: [UInt8]
    /// The verdict on the evaluation before the first step, where there was one.
    public var verdict: Verdict?
    /// Whether connections of earlier memberships are given up, because something was lost on them.
    public var reconnects: Bool
    /// The device that the worker stands for, as JSON; empty in a native run.
    public var device: [UInt8]

    /// The place of the worker that is addressed, among the peers.
    public var place: Int { peers.firstIndex { $0.rank == rank } ?? 0 }
    /// The lanes of the worker that is addressed.
    public var lanes: Range<Int> { peers.first { $0.rank == rank }?.lanes ?? 0..<0 }

    /// An assignment of the given parts.
    public init(
        epoch: Int, rank: WorkerRank, peers: [Peer], job: [UInt8], datasetDirectory: String, runDirectory: String,
        firstStep: StepNumber, threads: Int, backend: Backend, exchangeDeadline: HostSeconds,
        algorithm: CollectiveAlgorithm, transport: Transport, bucket: Bytes, checkpoint: String? = nil,
        stateReceivers: [WorkerRank] = [],
        stateSource: WorkerRank = WorkerRank(0), target: [UInt8] = [], verdict: Verdict? = nil,
        reconnects: Bool = false, device: [UInt8] = []
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
        self.transport = transport
        self.bucket = bucket
        self.checkpoint = checkpoint
        self.stateReceivers = stateReceivers
        self.stateSource = stateSource
        self.target = target
        self.verdict = verdict
        self.reconnects = reconnects
        self.device = device
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
    /// When the last worker had measured its share, on the clock of a host that all share: there, all go on as of the same
    /// moment. 0 in an assignment, where a membership begins.
    public var endedNanoseconds: UInt64

    /// A verdict of the given parts.
    public init(
        stepsMade: Int, isFinish: Bool, maskedAccuracy: Double, maskedLoss: Double, endedNanoseconds: UInt64 = 0
    ) {
        self.stepsMade = stepsMade
        self.isFinish = isFinish
        self.maskedAccuracy = maskedAccuracy
        self.maskedLoss = maskedLoss
        self.endedNanoseconds = endedNanoseconds
    }
}
