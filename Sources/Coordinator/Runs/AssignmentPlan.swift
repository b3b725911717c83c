import Cluster
import Foundation
import Jobs
import Runs
import Training
import Wire

/// Deals a run's lanes and cores among the workers of one membership.
struct AssignmentPlan {
    /// A checkpoint that was written whole.
    struct Checkpoint: Hashable, Sendable {
        var path: String
        var stepsMade: Int
    }

    private let run: Run
    private let runDirectory: String
    private let dataset: PreparedDataset
    private let epoch: Int
    private let peers: [Assignment.Peer]
    private let job: [UInt8]
    private let target: [UInt8]
    private let verdict: Verdict?
    /// The steps made before the membership's first one.
    let stepsMade: Int
    private let checkpoint: Checkpoint?
    private let source: WorkerRank?
    /// Steps that were made and are made again.
    private let repeatedSteps: Int
    private let reconnects: Bool
    /// The cores that the workers may run on.
    private let cores: Int
    /// The machine that the workers stand for; nil in a native run.
    private let emulation: RunEmulation.Membership?
    /// Workers that get the state before the first step from another one.
    let receivers: [WorkerRank]

    /// The longest that a worker waits for its peers or the coordinator by itself: the coordinator, who can tell a slow
    /// worker from a lost one, decides long before.
    private static let lastResort = HostSeconds(900)

    /// A plan for a membership.
    ///
    /// It begins after the most steps that any of its workers, or the newest checkpoint, has made: what was applied anywhere
    /// is never applied again. Who has made fewer gets the state of one who has, or reads the checkpoint. Where lanes hold
    /// parts of gradients back, which are lost with whoever computed them, it begins at the last point before at which none
    /// did: everybody has kept the state there.
    ///
    /// - Parameters:
    ///   - workers: what each introduced itself by, and the steps that it has made.
    ///   - laneCounts: how many lanes each has, in the order of their numbers; about equally many where nil.
    ///   - checkpoint: the newest one.
    ///   - history: the evaluations so far.
    ///   - reconnects: whether connections among workers are made anew.
    ///   - cores: how many cores the workers may run on.
    ///   - emulation: the machine that the workers stand for.
    /// - Throws: what encoding the job throws.
    init(
        run: Run, runDirectory: String, dataset: PreparedDataset, epoch: Int,
        workers: [WorkerRank: (hello: WorkerHello, stepsMade: Int)], laneCounts: [Int]? = nil, checkpoint: Checkpoint?,
        history: EvaluationHistory, reconnects: Bool = false, cores: Int,
        emulation: RunEmulation.Membership? = nil
    ) throws {
        self.cores = cores
        self.run = run
        self.runDirectory = runDirectory
        self.dataset = dataset
        self.epoch = epoch
        self.reconnects = reconnects
        self.emulation = emulation
        let ranks = workers.keys.sorted()
        let tree = LaneTree(laneCount: run.job.lanes)
        let shares = laneCounts.map(tree.shares(counts:)) ?? tree.shares(workerCount: ranks.count)
        peers = zip(ranks, shares).compactMap { rank, lanes in
            workers[rank].map {
                Assignment.Peer(
                    rank: rank, endpoint: $0.hello.dataEndpoint, lanes: lanes, stateEndpoint: $0.hello.stateEndpoint,
                    key: $0.hello.key)
            }
        }
        let most = max(workers.values.map(\.stepsMade).max() ?? 0, checkpoint?.stepsMade ?? 0)
        // After a verdict that ends the run no step follows that could miss what is held back.
        let isOver = history.verdict(after: most)?.isFinish ?? false
        let stepsMade = isOver ? most : run.job.wholePoint(before: most)
        self.stepsMade = stepsMade
        repeatedSteps = most - stepsMade
        func hasState(_ rank: WorkerRank) -> Bool {
            workers[rank].map { run.job.canGoBack(from: $0.stepsMade, to: stepsMade) } ?? false
        }
        // Before the first step everybody draws the same weights from the job's seed.
        let source = stepsMade == 0 ? nil : ranks.first(where: hasState)
        self.source = source
        receivers = source == nil ? [] : ranks.filter { !hasState($0) }
        self.checkpoint = checkpoint.flatMap { $0.stepsMade == stepsMade ? $0 : nil }
        job = Array(try JSONEncoder().encode(run.job))
        target = Array(try JSONEncoder().encode(history.tracker(after: stepsMade)))
        verdict = history.verdict(after: stepsMade)
    }

    /// The membership in words.
    var description: String {
        let lanes = peers.map { "worker \($0.rank): lanes \($0.lanes.lowerBound) to \($0.lanes.upperBound - 1)" }
        let state = receivers.isEmpty ? "" : "; worker \(source ?? WorkerRank(0)) passes its state to \(receivers)"
        let again = repeatedSteps == 0 ? "" : ", with \(repeatedSteps) to be made again"
        return "membership \(epoch) goes on after \(stepsMade) steps\(again); \(lanes.joined(separator: ", "))\(state)"
    }

    /// What worker `rank` is to do.
    ///
    /// - Throws: what encoding the device throws.
    func assignment(for rank: WorkerRank) throws -> Assignment {
        let exchange = run.exchange ?? ExchangeSettings(transport: .ipc)
        // What an emulated worker sends goes to the fabric.
        let peers = peers.map { peer in
            guard let inlet = emulation?.inlet(from: rank, to: peer.rank) else { return peer }
            var peer = peer
            peer.endpoint = inlet
            return peer
        }
        let place = peers.firstIndex { $0.rank == rank } ?? 0
        return Assignment(
            epoch: epoch, rank: rank, peers: peers, job: job, datasetDirectory: dataset.directory,
            runDirectory: runDirectory, firstStep: StepNumber(stepsMade), threads: threads, backend: run.backend,
            exchangeDeadline: Self.lastResort, algorithm: exchange.algorithm, transport: exchange.transport,
            bucket: emulation?.cluster.realBucket(of: exchange.bucket) ?? exchange.bucket, checkpoint: checkpoint?.path,
            stateReceivers: receivers,
            stateSource: source ?? WorkerRank(0),
            target: target, verdict: verdict, reconnects: reconnects,
            device: try emulation.map {
                Array(try JSONEncoder().encode($0.device(of: rank, at: place, stepsMade: stepsMade)))
            } ?? [])
    }

    /// The fabric that the workers' frames pass; nil in a native run, and where there is nobody to exchange with.
    var fabric: FabricPlan? {
        emulation?.fabric(run: run, epoch: epoch, peers: peers)
    }

    private var threads: Int {
        run.backend.threads(lanes: run.job.lanes, cores: cores)
    }
}
