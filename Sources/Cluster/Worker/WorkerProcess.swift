import Corpus
import Foundation
import Jobs
import Messaging
import Training
import Wire

/// The body of `wafermark worker`: joins a run, does what it is assigned, and reports.
public struct WorkerProcess {
    /// What a worker's launcher tells it.
    public struct Options: Sendable {
        /// The coordinator's endpoint, the run, and the worker's number in it.
        public var coordinator: String
        public var run: RunID
        public var rank: WorkerRank
        /// The run's secret.
        public var token: String
        /// What its bits depend on.
        public var libraries: Libraries

        /// Options of the given parts.
        public init(coordinator: String, run: RunID, rank: WorkerRank, token: String, libraries: Libraries) {
            self.coordinator = coordinator
            self.run = run
            self.rank = rank
            self.token = token
            self.libraries = libraries
        }
    }

    /// Versions that a worker reports: the promise of equal bits holds among equal ones.
    public struct Libraries: Sendable {
        public var instructionSet: String
        public var oneDNN: String
        public var wafermark: String

        /// The given versions.
        public init(instructionSet: String, oneDNN: String, wafermark: String) {
            self.instructionSet = instructionSet
            self.oneDNN = oneDNN
            self.wafermark = wafermark
        }
    }

    /// Makes the backend that needs no peers, around a trainer that owns every lane.
    public typealias WaferFactory = (Trainer) -> any StepBackend

    private let options: Options
    private let makeWafer: WaferFactory
    private let progress = WorkerProgress()

    /// How long a worker waits for its assignment: the others may still be starting.
    private static let joinDeadline = HostSeconds(120)
    /// How long it waits to be dismissed once it has said its last word.
    private static let farewellDeadline = HostSeconds(10)

    /// A worker that makes a wafer's steps with what `makeWafer` gives.
    public init(options: Options, makeWafer: @escaping WaferFactory) {
        self.options = options
        self.makeWafer = makeWafer
    }

    /// Runs to the end, on the calling thread.
    ///
    /// - Throws: what ended it, after having told the coordinator.
    public func run() throws {
        Lifeline.watch()
        let context = try Context()
        let coordinator = try Endpoint(options.coordinator)
        let link = try CoordinatorLink(run: options.run, rank: options.rank, endpoint: coordinator, in: context)
        defer { link.close() }
        let exchange = try PeerExchange(
            listeningAt: try Endpoint("\(options.coordinator)-\(options.rank)"), in: context)
        defer { exchange.close() }
        link.send(
            .hello(
                WorkerHello(
                    token: options.token, processID: getpid(), dataEndpoint: exchange.endpoint.text,
                    instructionSet: options.libraries.instructionSet, oneDNNVersion: options.libraries.oneDNN,
                    zeroMQVersion: Context.versionText, wafermarkVersion: options.libraries.wafermark)))
        let assignment = try link.assignment(within: Self.joinDeadline)
        let heartbeats = Heartbeats(of: progress, epoch: assignment.epoch, over: link)
        defer { heartbeats.stop() }
        do {
            try carryOut(assignment, link, exchange)
            link.waitForEnd(within: Self.farewellDeadline)
        } catch let end as WorkerEnd {
            throw end
        } catch {
            let (step, phase) = progress.now
            link.send(.failure(WorkerFailure(step: step, phase: phase, message: "\(error)")))
            throw error
        }
    }

    private func carryOut(_ assignment: Assignment, _ link: CoordinatorLink, _ exchange: PeerExchange) throws {
        progress.enter(.loading, step: assignment.firstStep)
        let job = try JSONDecoder().decode(Job.self, from: Data(assignment.job))
        let dataset = try Dataset(opening: assignment.datasetDirectory, verifying: .sizes)
        let plan = try TrainingPlan(job: job, vocabularySize: dataset.manifest.vocabularySize)
        let trainer = try Trainer(
            plan: plan, source: DatasetStepSource(dataset: dataset, job: job), lanes: assignment.lanes,
            threads: assignment.threads)
        var loop = WorkerLoop(
            assignment: assignment, backend: try backend(for: assignment, trainer, exchange),
            vocabulary: dataset.vocabulary.tokens, link: link, progress: progress)
        try loop.run()
    }

    private func backend(
        for assignment: Assignment, _ trainer: Trainer, _ exchange: PeerExchange
    ) throws -> any StepBackend {
        switch assignment.backend {
        case .wafer: return makeWafer(trainer)
        case .cluster:
            // A cluster of one has every lane, too, and nobody to exchange with.
            guard assignment.peers.count > 1 else { return SoloBackend(trainer: trainer) }
            try exchange.join(
                PeerExchange.Setup(
                    run: options.run, epoch: assignment.epoch, rank: assignment.rank, peers: assignment.peers,
                    tree: trainer.plan.tree, algorithm: assignment.algorithm, bucket: assignment.bucket),
                memory: PeerExchange.Memory(
                    partialSums: trainer.cover.map { ($0, trainer.partialSum($0)) }, gradient: trainer.gradient))
            return ClusterBackend(trainer: trainer, exchange: exchange, deadline: assignment.exchangeDeadline)
        }
    }
}
