import Jobs
import PerformanceModel

/// What a fabric process is to be: the emulated links of one membership's network, and the sockets between its workers.
public struct FabricPlan: Hashable, Sendable, Codable {
    /// The way from one worker to another.
    public struct Pair: Hashable, Sendable, Codable {
        /// Who sends, and who takes.
        public var sender: WorkerRank
        public var receiver: WorkerRank
        /// Where the fabric takes the sender's frames for the receiver.
        public var inlet: String
        /// The links that they pass, by their indices.
        public var route: [Int]

        /// A way of the given parts.
        public init(sender: WorkerRank, receiver: WorkerRank, inlet: String, route: [Int]) {
            self.sender = sender
            self.receiver = receiver
            self.inlet = inlet
            self.route = route
        }
    }

    /// Where a worker takes frames.
    public struct Outlet: Hashable, Sendable, Codable {
        public var rank: WorkerRank
        public var endpoint: String

        /// The outlet to `rank` at `endpoint`.
        public init(rank: WorkerRank, endpoint: String) {
            self.rank = rank
            self.endpoint = endpoint
        }
    }

    /// The run and the membership whose frames pass.
    public var run: RunID
    public var epoch: Int
    /// The factor by which all links are slowed; 0 lets everything pass at once.
    public var dilation: Double
    /// Bytes of the emulated machine for each byte of a frame.
    public var byteScale: Double
    /// The links.
    public var network: EmulatedNetwork
    /// Every pair of workers, each way.
    public var pairs: [Pair]
    /// The workers.
    public var outlets: [Outlet]
    /// The most bytes of frames that the fabric holds; beyond its even share of them, a pair's sender waits.
    public var memory: Bytes

    /// The devices, where some of them are virtual; then nothing but their lines passes the fabric, and there are no pairs.
    public var virtual: VirtualPlan?

    /// What a fabric may hold where nobody says otherwise.
    public static let usualMemory = Bytes.mebibytes(2_048)

    /// The fabric of `network` between `workers`, in the order of its places.
    ///
    /// - Parameters:
    ///   - peers: the workers as they are, each with the endpoint at which it takes gradients.
    ///   - inlet: the endpoint at which the fabric takes what one worker sends to another.
    public init(
        run: RunID, epoch: Int, dilation: Double, cluster: EmulatedCluster,
        workers: [(rank: WorkerRank, endpoint: String)], inlet: (WorkerRank, WorkerRank) -> String,
        memory: Bytes = Self.usualMemory
    ) {
        self.run = run
        self.epoch = epoch
        self.dilation = dilation
        byteScale = cluster.byteScale
        network = cluster.network
        outlets = workers.map { Outlet(rank: $0.rank, endpoint: $0.endpoint) }
        pairs = workers.indices.flatMap { from in
            workers.indices.filter { $0 != from }.map { to in
                Pair(
                    sender: workers[from].rank, receiver: workers[to].rank,
                    inlet: inlet(workers[from].rank, workers[to].rank),
                    route: cluster.network.route(from: from, to: to))
            }
        }
        self.memory = memory
    }

    /// The fabric of `cluster` that follows the exchange of the devices of `virtual`.
    public init(run: RunID, epoch: Int, dilation: Double, cluster: EmulatedCluster, virtual: VirtualPlan) {
        self.init(run: run, epoch: epoch, dilation: dilation, cluster: cluster, workers: [], inlet: { _, _ in "" })
        self.virtual = virtual
    }

    /// What of a pair's frames the fabric holds before their sender waits.
    var window: Int { memory.count / max(1, pairs.count) }
}
