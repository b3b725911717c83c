import Cluster
import Foundation
import Jobs
import Runs
import Wire

/// Deals a run's lanes and cores among its workers.
struct AssignmentPlan {
    private let run: Run
    private let runDirectory: String
    private let hellos: [WorkerRank: WorkerHello]
    private let dataset: PreparedDataset
    private let shares: [Range<Int>]
    private let job: [UInt8]

    /// How long a worker waits for its peers' gradients or the verdict on an evaluation.
    private static let exchangeDeadline = HostSeconds(60)

    /// The plan for workers that have introduced themselves by `hellos`.
    ///
    /// - Throws: what encoding the job throws.
    init(run: Run, runDirectory: String, hellos: [WorkerRank: WorkerHello], dataset: PreparedDataset) throws {
        job = Array(try JSONEncoder().encode(run.job))
        self.run = run
        self.runDirectory = runDirectory
        self.hellos = hellos
        self.dataset = dataset
        shares = LaneTree(laneCount: run.job.lanes).shares(workerCount: run.workers)
    }

    /// What worker `rank` is to do.
    func assignment(for rank: WorkerRank) -> Assignment {
        Assignment(
            epoch: 0, rank: rank,
            peers: hellos.sorted { $0.key < $1.key }.map { peer, hello in
                Assignment.Peer(rank: peer, endpoint: hello.dataEndpoint, lanes: shares[peer.index])
            },
            job: job, datasetDirectory: dataset.directory, runDirectory: runDirectory, firstStep: StepNumber(0),
            threads: threads, backend: run.backend, exchangeDeadline: Self.exchangeDeadline,
            algorithm: run.algorithm ?? .direct, bucket: PeerExchange.defaultBucket)
    }

    private var threads: Int {
        run.backend.threads(lanes: run.job.lanes, cores: ProcessInfo.processInfo.activeProcessorCount)
    }
}
