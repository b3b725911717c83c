import CWire

/// How gradients are summed over the workers.
public enum ExchangeAlgorithm: UInt32, Hashable, Sendable, CaseIterable {
    /// Reduce-scatter and all-gather straight between all pairs.
    case direct = 1
    /// Through one parameter server.
    case star = 2
    /// Around a ring.
    case ring = 3
}

/// A worker of an epoch, and where its peers reach it.
public struct Peer: Hashable, Sendable {
    /// Its rank.
    public var rank: Int
    /// Where its peers reach it.
    public var endpoint: String
    /// The lanes that it computes.
    public var lanes: Range<Int>

    /// A peer of the given parts.
    public init(rank: Int, endpoint: String, lanes: Range<Int>) {
        self.rank = rank
        self.endpoint = endpoint
        self.lanes = lanes
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Peer> {
        arena.make(wafermark__peer__init) { message in
            message.rank = UInt32(clamping: rank)
            message.endpoint = arena.text(endpoint)
            message.first_lane = UInt32(clamping: lanes.lowerBound)
            message.lane_count = UInt32(clamping: lanes.count)
        }
    }

    init(reading message: Wafermark__Peer) throws(WireError) {
        let checks = FieldChecks(message: "peer")
        rank = try checks.integer(message.rank, "rank", in: 0...(WireLimits.workers.upperBound - 1))
        endpoint = try checks.text(message.endpoint, "endpoint", maximum: 512)
        let first = try checks.integer(message.first_lane, "first_lane", in: 0...(WireLimits.lanes.upperBound - 1))
        let count = try checks.integer(message.lane_count, "lane_count", in: 1...(WireLimits.lanes.upperBound - first))
        lanes = first..<(first + count)
    }
}

/// A worker's share of one membership epoch.
public struct Assignment: Hashable, Sendable {
    /// The run and the membership epoch.
    public var runID: String
    public var epoch: Int
    /// This worker's rank in the epoch.
    public var rank: Int
    /// Every worker of the epoch, this one among them, in rank order; their lanes lie one after another from 0.
    public var peers: [Peer]
    /// The job, as JSON of the value type `Job`.
    public var jobJSON: String
    /// Folders of the prepared examples and of the run's files.
    public var datasetDirectory: String
    public var runDirectory: String
    /// The step to start at.
    public var firstStep: Int
    /// Threads that this worker computes with.
    public var threads: Int
    /// What trains the job.
    public var backend: Backend
    /// Seconds between heartbeats.
    public var heartbeatSeconds: Double
    /// Seconds that a collective may wait for one contribution.
    public var collectiveDeadlineSeconds: Double
    /// Bytes of a gradient bucket.
    public var bucketBytes: Int
    /// How gradients are summed.
    public var algorithm: ExchangeAlgorithm
    /// The checkpoint to start from; nil for fresh weights.
    public var checkpoint: String?

    /// A share of the given parts.
    public init(
        runID: String, epoch: Int, rank: Int, peers: [Peer], jobJSON: String, datasetDirectory: String,
        runDirectory: String, firstStep: Int = 0, threads: Int = 1, backend: Backend = .cluster,
        heartbeatSeconds: Double = 1, collectiveDeadlineSeconds: Double = 10, bucketBytes: Int = 4 << 20,
        algorithm: ExchangeAlgorithm = .direct, checkpoint: String? = nil
    ) {
        self.runID = runID
        self.epoch = epoch
        self.rank = rank
        self.peers = peers
        self.jobJSON = jobJSON
        self.datasetDirectory = datasetDirectory
        self.runDirectory = runDirectory
        self.firstStep = firstStep
        self.threads = threads
        self.backend = backend
        self.heartbeatSeconds = heartbeatSeconds
        self.collectiveDeadlineSeconds = collectiveDeadlineSeconds
        self.bucketBytes = bucketBytes
        self.algorithm = algorithm
        self.checkpoint = checkpoint
    }

    /// The number of workers of the epoch.
    public var worldSize: Int { peers.count }
    /// The lanes that this worker computes.
    public var lanes: Range<Int> { peers[rank].lanes }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Assignment> {
        arena.make(wafermark__assignment__init) { message in
            message.run_id = arena.text(runID)
            message.epoch = UInt32(clamping: epoch)
            message.rank = UInt32(clamping: rank)
            message.n_peers = peers.count
            message.peers = arena.list(peers.map { $0.place(in: arena) })
            message.job_json = arena.text(jobJSON)
            message.dataset_directory = arena.text(datasetDirectory)
            message.run_directory = arena.text(runDirectory)
            message.first_step = UInt64(clamping: firstStep)
            message.threads = UInt32(clamping: threads)
            message.backend = Wafermark__Backend(rawValue: backend.rawValue)
            message.heartbeat_seconds = heartbeatSeconds
            message.collective_deadline_seconds = collectiveDeadlineSeconds
            message.bucket_bytes = UInt64(clamping: bucketBytes)
            message.algorithm = Wafermark__ExchangeAlgorithm(rawValue: algorithm.rawValue)
            message.checkpoint = arena.text(checkpoint ?? "")
        }
    }

    init(reading message: Wafermark__Assignment) throws(WireError) {
        let checks = FieldChecks(message: "assignment")
        runID = try checks.runID(message.run_id)
        epoch = try checks.integer(message.epoch, "epoch", in: WireLimits.epochs)
        peers = try elements(
            message.peers, count: message.n_peers, atMost: WireLimits.workers.upperBound, "peers", checks
        ) { (peer) throws(WireError) in try Peer(reading: peer) }
        guard !peers.isEmpty else { throw Self.invalid("peers", "none", "1 or more") }
        var nextLane = 0
        for (index, peer) in peers.enumerated() {
            guard peer.rank == index, peer.lanes.lowerBound == nextLane else {
                throw Self.invalid(
                    "peers", "rank \(peer.rank) with lanes \(peer.lanes) at place \(index)",
                    "ranks from 0 in order, with lanes one after another from 0")
            }
            nextLane = peer.lanes.upperBound
        }
        rank = try checks.integer(message.rank, "rank", in: 0...(peers.count - 1))
        jobJSON = try checks.text(message.job_json, "job_json", maximum: WireLimits.jobBytes)
        datasetDirectory = try checks.text(message.dataset_directory, "dataset_directory")
        runDirectory = try checks.text(message.run_directory, "run_directory")
        firstStep = try checks.integer(message.first_step, "first_step", in: WireLimits.steps)
        threads = try checks.integer(message.threads, "threads", in: 1...4096)
        backend = try checks.choice(message.backend.rawValue, "backend")
        heartbeatSeconds = try checks.finite(message.heartbeat_seconds, "heartbeat_seconds", in: 0.001...3600)
        collectiveDeadlineSeconds = try checks.finite(
            message.collective_deadline_seconds, "collective_deadline_seconds", in: 0.001...86_400)
        bucketBytes = try checks.integer(message.bucket_bytes, "bucket_bytes", in: 64...(1 << 32))
        algorithm = try checks.choice(message.algorithm.rawValue, "algorithm")
        checkpoint = try checks.optionalText(message.checkpoint, "checkpoint")
    }

    private static func invalid(_ field: String, _ found: String, _ allowed: String) -> WireError {
        .invalid(message: "assignment", field: field, found: found, allowed: allowed)
    }
}
