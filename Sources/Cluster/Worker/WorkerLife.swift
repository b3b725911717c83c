import Corpus
import Foundation
import Jobs
import Messaging
import Training
import Wire

/// A worker under one number: goes from one membership to the next until the run is complete.
///
/// Where a membership ends, the worker stops at once: it leaves a step that it has not applied, and says how many it has.
/// The next assignment begins at the most that any worker has made, and whoever made fewer receives the state of one that
/// has, so that nothing that was applied anywhere is ever done again or undone.
struct WorkerLife {
    let run: RunID
    let rank: WorkerRank
    let makeWafer: WorkerProcess.WaferFactory
    let context: Context
    /// Nil where all workers are on one host.
    let network: WorkerNetwork?
    let link: CoordinatorLink
    let exchange: PeerExchange
    let inbox: StateInbox
    let progress: WorkerProgress
    let faults: FaultInjector?
    private var trainer: Trainer?
    private var vocabulary: [String] = []

    /// How long a worker waits for its assignment: the others may still be starting, or be in a long step.
    private static let assignmentDeadline = HostSeconds(900)
    /// How long it waits to be dismissed once it has said its last word: a slower worker may still be at work.
    private static let farewellDeadline = HostSeconds(900)

    /// A worker that has said hello.
    init(
        run: RunID, rank: WorkerRank, makeWafer: @escaping WorkerProcess.WaferFactory, context: Context,
        network: WorkerNetwork?, link: CoordinatorLink, exchange: PeerExchange, inbox: StateInbox,
        progress: WorkerProgress,
        faults: FaultInjector?
    ) {
        self.run = run
        self.rank = rank
        self.makeWafer = makeWafer
        self.context = context
        self.network = network
        self.link = link
        self.exchange = exchange
        self.inbox = inbox
        self.progress = progress
        self.faults = faults
    }

    /// Takes part until the coordinator dismisses this worker.
    ///
    /// - Throws: `WorkerEnd`, and whatever a part of the work throws.
    mutating func takePart() throws {
        var epoch = 0
        var loop: WorkerLoop?
        while true {
            let assignment = try link.assignment(from: epoch, within: Self.assignmentDeadline) {
                try loop?.saveForLater()
            }
            do {
                var current: WorkerLoop
                do {
                    current = try take(assignment)
                } catch let error as StateTransferError {
                    // Nobody is to blame whom that can be told of: a connection was cut, or the other side has gone.
                    link.send(.disturbed(reason: error.description))
                    throw MembershipOver(next: try link.nextMembership(within: Self.assignmentDeadline))
                }
                loop = current
                defer { loop = current }
                try current.run()
                try link.waitForEnd(within: Self.farewellDeadline)
                return
            } catch let over as MembershipOver {
                epoch = over.next
            } catch ExchangeError.interrupted {
                epoch = try reasonOfInterruption()
            }
            progress.enter(.halted)
            link.send(.halted(stepsMade: trainer?.stepsMade ?? 0), epoch: epoch)
        }
    }

    /// The membership to come.
    ///
    /// - Throws: `WorkerEnd` where there is none for this worker.
    private func reasonOfInterruption() throws -> Int {
        do {
            try link.check(stepsMade: trainer?.stepsMade ?? 0)
        } catch let over as MembershipOver {
            return over.next
        }
        throw ExchangeError.interrupted
    }

    /// Makes ready for a membership: its lanes, the state before its first step, and its peers.
    private mutating func take(_ assignment: Assignment) throws -> WorkerLoop {
        progress.enter(.loading, step: assignment.firstStep)
        try faults?.pass(.load, worker: rank, step: assignment.firstStep)
        try exchange.leave()
        network?.admit(assignment.peers)
        let trainer = try trainer(for: assignment)
        if assignment.stateReceivers.contains(rank) {
            try receiveState(assignment, trainer)
        } else if assignment.stateSource == rank {
            try sendState(assignment, trainer)
        }
        guard trainer.stepsMade == assignment.firstStep.index else {
            throw TrainingError.outOfTurn(
                step: assignment.firstStep, found: "\(trainer.stepsMade) steps made",
                allowed: "as many as were assigned")
        }
        let backend = try backend(for: assignment, trainer)
        // Joining has forgotten an interruption that came before it.
        try link.check(stepsMade: trainer.stepsMade)
        return try WorkerLoop(
            assignment: assignment, backend: backend, vocabulary: vocabulary, link: link, progress: progress,
            faults: faults)
    }

    private mutating func trainer(for assignment: Assignment) throws -> Trainer {
        let trainer = try trainer ?? makeTrainer(assignment)
        self.trainer = trainer
        try trainer.reassign(lanes: assignment.lanes)
        if assignment.stateReceivers.contains(rank) { return trainer }
        if trainer.canGoBack(to: assignment.firstStep.index) {
            try trainer.goBack(to: assignment.firstStep.index)
        } else if let path = assignment.checkpoint {
            try trainer.restore(from: CheckpointFolder(path: path))
        }
        return trainer
    }

    private mutating func makeTrainer(_ assignment: Assignment) throws -> Trainer {
        let job = try JSONDecoder().decode(Job.self, from: Data(assignment.job))
        let dataset = try Dataset(opening: assignment.datasetDirectory, verifying: .sizes)
        let plan = try TrainingPlan(job: job, vocabularySize: dataset.manifest.vocabularySize)
        vocabulary = dataset.vocabulary.tokens
        return try Trainer(
            plan: plan, source: DatasetStepSource(dataset: dataset, job: job), lanes: assignment.lanes,
            threads: assignment.threads,
            sharesGradients: assignment.backend == .cluster && assignment.transport == .sharedMemory)
    }

    private func transfer(_ assignment: Assignment) -> StateTransfer {
        StateTransfer(
            run: run, epoch: assignment.epoch, stepsMade: assignment.firstStep.index, source: assignment.stateSource)
    }

    /// Sends this worker's state to those that lack it.
    private func sendState(_ assignment: Assignment, _ trainer: Trainer) throws {
        for peer in assignment.peers where assignment.stateReceivers.contains(peer.rank) {
            try transfer(assignment).send(
                trainer.state, to: try Endpoint(peer.stateEndpoint), with: try peer.client(of: network?.keys),
                in: context
            ) {
                try link.check(stepsMade: trainer.stepsMade)
            }
        }
    }

    /// Receives the state of a peer. A trainer that is half overwritten is no trainer: should the transfer fail, this worker
    /// has made no step.
    private mutating func receiveState(_ assignment: Assignment, _ trainer: Trainer) throws {
        self.trainer = nil
        try inbox.receive(transfer(assignment), into: trainer.state) { try link.check(stepsMade: 0) }
        try trainer.resume(stepsMade: assignment.firstStep.index)
        self.trainer = trainer
    }

    private func backend(for assignment: Assignment, _ trainer: Trainer) throws -> any StepBackend {
        switch assignment.backend {
        case .wafer: return makeWafer(trainer)
        case .cluster:
            let device =
                try assignment.device.isEmpty
                ? nil : JSONDecoder().decode(EmulatedDevice.self, from: Data(assignment.device))
            // A cluster of one has every lane, too, and nobody to exchange with.
            guard assignment.peers.count > 1 else {
                guard let device else { return SoloBackend(trainer: trainer) }
                return try emulated(device, trainer, assignment, with: nil)
            }
            let (partialSums, gradient) = trainer.exchanged
            if assignment.transport == .sharedMemory, gradient.shared == nil {
                link.send(
                    .notice(
                        "the system gives worker \(rank) no memory that its peers could read: its gradients are sent "
                            + "through its socket instead"))
            }
            try exchange.join(
                PeerExchange.Setup(
                    run: run, epoch: assignment.epoch, rank: assignment.rank, peers: assignment.peers,
                    tree: trainer.plan.tree, algorithm: assignment.algorithm,
                    encoding: SumEncoding(trainer.plan.job), bucket: assignment.bucket,
                    reconnects: assignment.reconnects,
                    // Beside virtual devices the fabric tells the time, and numbers travel as they do.
                    isEmulated: device.map { $0.line == nil } ?? false,
                    notify: { [link] in link.send(.notice($0)) }),
                memory: PeerExchange.Memory(partialSums: partialSums, gradient: gradient))
            guard let device else {
                return ClusterBackend(trainer: trainer, exchange: exchange, deadline: assignment.exchangeDeadline)
            }
            return try emulated(device, trainer, assignment, with: exchange)
        }
    }

    private func emulated(
        _ device: EmulatedDevice, _ trainer: Trainer, _ assignment: Assignment, with peers: PeerExchange?
    ) throws -> any StepBackend {
        let timed = try device.line.map {
            try TimedExchange(
                peers, $0, run: run, epoch: assignment.epoch, monitor: exchange.monitor, in: context)
        }
        return EmulatedBackend(
            trainer: trainer, exchange: timed ?? peers, hasPeers: peers != nil, monitor: exchange.monitor,
            device: device, rank: rank, deadline: assignment.exchangeDeadline)
    }
}
