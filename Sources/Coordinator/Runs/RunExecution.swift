import Cluster
import Foundation
import Jobs
import Logging
import PerformanceModel
import Runs
import Synchronization
import Wire

/// Carries one run from its text to its end: the rim around `RunMachine`. It starts processes, moves messages and stores
/// records; it decides nothing.
struct RunExecution: Sendable {
    /// What the daemon lends to a run.
    struct Surroundings: Sendable {
        var state: StateDirectory
        var store: RunStore
        var reserve: DiskReserve
        var launcher: any WorkerLauncher
        var executable: String
        var machine: Machine
        var deadlines: RunDeadlines
        /// Where workers of other hosts are taken; nil where all are on this one.
        var remote: WorkerHub.Remote?
        /// The cores that the run's processes may run on, nil for all, and how many runs may go on at once.
        var cores: CoreSet?
        var slotCount = 1
        /// Lets one run at a time prepare its text: several may want the same.
        let preparation = Turnstile()
        /// How the run's processes write what they have to say.
        var logFormat = DiagnosticLine.Format.text
        var logger: Logger
    }

    private let id: RunID
    private let surroundings: Surroundings
    private let inputs: AsyncStream<RunMachine.Input>
    private let post: AsyncStream<RunMachine.Input>.Continuation
    private let usage: RunUsageProbe

    /// Between two looks at what the run takes.
    private static let usagePeriod = Duration.seconds(1)

    /// An execution of the stored run `id`, not yet begun.
    init(of id: RunID, in surroundings: Surroundings) {
        self.id = id
        self.surroundings = surroundings
        (inputs, post) = AsyncStream.makeStream()
        usage = RunUsageProbe(folder: surroundings.state.run(id).path)
    }

    /// How many cores the run's processes may run on.
    private var cores: Int { surroundings.cores?.cores.count ?? CoreSet.available }

    /// Ends the run as cancelled: with a last checkpoint; at once where it is called again.
    func cancel() { post.yield(.cancel) }

    /// Ends the run as interrupted, because the daemon ends: with a last checkpoint; at once where it is called again.
    func shutDown() { post.yield(.shutDown) }

    /// Runs to the end. Whatever happens is in the store afterwards, and no process or socket of the run is left.
    ///
    /// - Throws: what the store throws where it can't even take the run's end.
    func execute() async throws {
        let directory = surroundings.state.run(id)
        var journal = RunJournal(
            id: id, store: surroundings.store, log: RunLog(of: id, at: directory.coordinatorLog),
            logger: surroundings.logger)
        do {
            let earlier = RunProgressSoFar(try surroundings.store.record(of: id))
            try directory.create()
            let run = try journal.begin(on: surroundings.machine)
            if surroundings.slotCount > 1 {
                journal.event(
                    .warning,
                    "up to \(surroundings.slotCount) runs go on at once here, this one on the cores "
                        + "\(surroundings.cores?.text ?? "of all"): its host times depend on what else goes on",
                    rank: nil, step: nil)
            }
            try surroundings.reserve.fill()
            let hub = try WorkerHub(
                run: id, endpoint: surroundings.state.workersEndpoint(of: id), remote: surroundings.remote,
                logger: surroundings.logger)
            defer { close(hub) }
            try directory.write(token: hub.token)
            defer { directory.removeToken() }
            try issueKey(in: directory)
            defer { revokeKey(in: directory) }
            let machine = RunMachine(
                run: run, runDirectory: directory.path, earlier: earlier, deadlines: surroundings.deadlines,
                hardware: run.emulation == nil ? nil : try run.hardware.map(HardwareCatalogue.profile),
                inletBase: surroundings.state.workersEndpoint(of: id), cores: cores, now: .now())
            try await drive(machine, run, directory, hub, &journal)
        } catch {
            try journal.end(.failed(reason: "\(error)"), outcome: nil, reserve: surroundings.reserve)
        }
    }

    private func drive(
        _ machine: RunMachine, _ run: Run, _ directory: RunDirectory, _ hub: WorkerHub, _ journal: inout RunJournal
    ) async throws {
        var machine = machine
        var fabric: FabricRun?
        defer { fabric?.end() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await prepare(run, in: directory) }
            group.addTask { await tick() }
            if let limits = run.limits { group.addTask { await watchUsage(under: limits) } }
            group.addTask { await forward(from: hub) }
            for await input in inputs {
                for action in machine.handle(input, now: .now()) {
                    switch action {
                    case .prepared(let facts): journal.prepared(facts)
                    case .findCheckpoint: group.addTask { await findCheckpoint(in: directory) }
                    case .startWorkers(let ranks):
                        for rank in ranks {
                            group.addTask { await launch(rank, of: run, for: hub, in: directory) }
                        }
                    case .send(let rank, let message, let epoch): hub.send(message, to: rank, epoch: epoch)
                    case .reply(let requester, let message): hub.reply(message, to: requester)
                    case .training: journal.training()
                    case .fabric(let plan):
                        fabric?.end()
                        fabric = plan.map { startFabric($0, in: directory) }
                        if let fabric { group.addTask { await fabric.waitForEnd() } }
                    case .emulating(let dilation): journal.emulating(dilation: dilation)
                    case .record(let closed): journal.append(closed)
                    case .flush: try journal.flush()
                    case .evaluated(let record): journal.append(record)
                    case .event(let kind, let message, let rank, let step):
                        journal.event(kind, message, rank: rank, step: step)
                    case .end(let state, let outcome):
                        group.cancelAll()
                        try await group.waitForAll()
                        // Who reads that the run has ended must find nothing left of it.
                        close(hub)
                        noteEmulation(machine, directory, &journal)
                        try await end(state, outcome, machine, &journal)
                    }
                }
                if case .tick = input { try journal.flush() }
                if machine.hasEnded { return }
            }
        }
    }

    /// Closes the lines to the workers, all of whom have ended, and removes the sockets of those that were killed.
    private func close(_ hub: WorkerHub) {
        hub.close()
        surroundings.state.clearSockets(of: id)
    }

    private func end(
        _ state: RunState, _ outcome: RunOutcome?, _ machine: RunMachine, _ journal: inout RunJournal
    ) async throws {
        var outcome = outcome
        if let steps = outcome?.steps, let dataset = machine.datasetDirectory {
            do {
                try journal.flush()
                let usage = try await ExampleAudit.usage(
                    of: surroundings.store.record(of: id), steps: steps, dataset: dataset)
                outcome?.examples = usage
                if !usage.isProved {
                    journal.event(
                        .warning,
                        "the \(usage.examples) examples that were used are not those that were due: checksum "
                            + "\(usage.checksum), due \(usage.checksumDue)", rank: nil, step: nil)
                }
            } catch {
                journal.event(
                    .warning, "which examples were used could not be checked: \(error)", rank: nil, step: nil)
            }
        }
        try journal.end(state, outcome: outcome, hasGivenUp: machine.hasGivenUp, reserve: surroundings.reserve)
    }

    // MARK: - The emulated network

    private func startFabric(_ plan: FabricPlan, in directory: RunDirectory) -> FabricRun {
        FabricRun(
            plan, executable: surroundings.executable, directory: directory, cores: surroundings.cores
        ) { outcome in
            switch outcome {
            case .ended(let exit, let lastWords):
                post.yield(.fabricExited(epoch: plan.epoch, exit, lastWords: lastWords))
            case .notStarted(let reason): post.yield(.fabricFailed(reason: reason))
            }
        }
    }

    /// Puts what the emulated links carried on record, and says where the host fell behind too often.
    private func noteEmulation(_ machine: RunMachine, _ directory: RunDirectory, _ journal: inout RunJournal) {
        do {
            try journal.flush()
            let record = try surroundings.store.record(of: id)
            guard record.run.emulation != nil, !record.emulatedSteps.isEmpty else { return }
            if let report = FabricRun.report(in: directory) {
                let watched = record.watched(since: machine.membershipStart)
                journal.carried(
                    report.links.map { EmulatedLinkRecord($0, watched: watched) },
                    by: FabricRecord(
                        frames: report.frames, meanLateness: report.lateness.mean, mostLateness: report.lateness.most,
                        mostHeld: report.mostHeld))
            }
            if let (step, costs) = try machine.modelledFaults() { journal.modelled(step: step, costs) }
            guard record.isHostOverloaded else { return }
            let late = record.emulatedSteps.count(where: \.isLate)
            journal.event(
                .warning,
                "INVALID: host overloaded: it fell behind in \(late) of \(record.emulatedSteps.count) emulated steps, so "
                    + "their times mean nothing; take a larger --dilation, fewer workers, or a quieter machine",
                rank: nil, step: nil)
        } catch {
            journal.event(.warning, "the emulation could not be put on record: \(error)", rank: nil, step: nil)
        }
    }

    // MARK: - What goes on beside the loop; each posts what happens

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            post.yield(.tick)
        }
    }

    private func watchUsage(under limits: RunLimits) async {
        guard limits.memory != nil || limits.disk != nil else { return }
        while !Task.isCancelled {
            try? await Task.sleep(for: Self.usagePeriod)
            post.yield(.usage(usage.usage(under: limits)))
        }
    }

    private func prepare(_ run: Run, in directory: RunDirectory) async {
        let process = DatasetPreparationProcess(
            executable: surroundings.executable, datasets: surroundings.state.datasets, log: directory.preparationLog,
            cores: surroundings.cores)
        do {
            let dataset = try await surroundings.preparation.pass { try await process.run(for: run.job) }
            post.yield(.prepared(dataset))
        } catch {
            post.yield(.preparationFailed(reason: "\(error)"))
        }
    }

    private func forward(from hub: WorkerHub) async {
        for await arrival in hub.incoming {
            switch arrival {
            case .message(let rank, let epoch, let message): post.yield(.message(rank, epoch: epoch, message))
            case .joinRequest(let requester): post.yield(.joinRequested(by: requester))
            case .stranger(let line):
                hub.reply(.refused(reason: "the coordinator that this worker belonged to has gone"), to: line)
            }
        }
    }

    private func findCheckpoint(in directory: RunDirectory) async {
        let (path, stepsMade, passedOver) = await CheckpointSearch.newestWhole(in: directory.checkpoints)
        post.yield(.restored(path: path, stepsMade: stepsMade, passedOver: passedOver))
    }

    /// Makes the key by which the run's workers are let in, where a scheduler starts them.
    private func issueKey(in directory: RunDirectory) throws {
        guard let issuer = surroundings.remote?.issuer else { return }
        revokeKey(in: directory)
        try issuer.create(name: RunDirectory.keyPrefix + id.text, role: .worker).write(to: directory.keyFile)
    }

    private func revokeKey(in directory: RunDirectory) {
        guard let issuer = surroundings.remote?.issuer else { return }
        // There is none where the run begins.
        try? issuer.revoke(RunDirectory.keyPrefix + id.text)
        try? FileManager.default.removeItem(atPath: directory.keyFile)
    }

    private func launch(_ rank: WorkerRank, of run: Run, for hub: WorkerHub, in directory: RunDirectory) async {
        var command = WorkerCommand(
            rank: rank, run: run.id, transport: run.exchange?.transport ?? .ipc, port: hub.remotePort,
            executable: surroundings.executable,
            arguments: [
                "worker", "--join", surroundings.state.workersEndpoint(of: run.id), "--run", run.id.text, "--rank",
                String(rank.index), "--transport", (run.exchange?.transport ?? .ipc).rawValue,
            ],
            environment: [
                WorkerEnvironment.token: hub.token, DiagnosticLine.formatVariable: surroundings.logFormat.rawValue,
                DiagnosticLine.runVariable: run.id.text, DiagnosticLine.rankVariable: "\(rank)",
            ].merging(CoreSet.environment(surroundings.cores)) { $1 }, log: directory.log(of: rank))
        if surroundings.remote?.issuer != nil { command.keyFile = directory.keyFile }
        command.tokenFile = directory.tokenFile
        command.cores = run.backend.threads(lanes: run.job.lanes, cores: cores)
        let log = command.log
        let started = Atomic(0)
        do {
            let exit = try await surroundings.launcher.run(command) { processID in
                usage.add(processID)
                started.store(Int(processID), ordering: .relaxed)
                post.yield(.started(rank, processID: processID))
            }
            usage.remove(Int32(started.load(ordering: .relaxed)))
            post.yield(.exited(rank, exit, lastWords: LogTail.lastLine(of: log)))
        } catch is CancellationError {
            return
        } catch {
            post.yield(.launchFailed(rank, reason: "\(error)"))
        }
    }
}
