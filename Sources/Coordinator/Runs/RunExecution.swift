import Cluster
import Foundation
import Jobs
import Logging
import Runs
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
        var logger: Logger
    }

    private let id: RunID
    private let surroundings: Surroundings
    private let inputs: AsyncStream<RunMachine.Input>
    private let post: AsyncStream<RunMachine.Input>.Continuation

    /// An execution of the stored run `id`, not yet begun.
    init(of id: RunID, in surroundings: Surroundings) {
        self.id = id
        self.surroundings = surroundings
        (inputs, post) = AsyncStream.makeStream()
    }

    /// Ends the run as cancelled, at once.
    func cancel() { post.yield(.cancel) }

    /// Ends the run as interrupted, because the daemon ends.
    func shutDown() { post.yield(.shutDown) }

    /// Runs to the end. Whatever happens is in the store afterwards, and no process or socket of the run is left.
    ///
    /// - Throws: what the store throws where it can't even take the run's end.
    func execute() async throws {
        var journal = RunJournal(id: id, store: surroundings.store, logger: surroundings.logger)
        do {
            let run = try journal.begin(on: surroundings.machine)
            try surroundings.reserve.fill()
            let directory = surroundings.state.run(id)
            try directory.create()
            try await drive(RunMachine(run: run, runDirectory: directory.path, now: .now()), run, directory, &journal)
        } catch {
            try journal.end(.failed(reason: "\(error)"), outcome: nil, reserve: surroundings.reserve)
        }
    }

    private func drive(
        _ machine: RunMachine, _ run: Run, _ directory: RunDirectory, _ journal: inout RunJournal
    ) async throws {
        var machine = machine
        var hub: WorkerHub?
        defer { hub?.close() }
        try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            group.addTask { await prepare(run, in: directory) }
            group.addTask { await tick() }
            for await input in inputs {
                for action in machine.handle(input, now: .now()) {
                    switch action {
                    case .startWorkers(let dataset):
                        journal.prepared(dataset.facts)
                        let opened = try WorkerHub(
                            run: run.id, endpoint: surroundings.state.workersEndpoint(of: run.id),
                            logger: surroundings.logger)
                        hub = opened
                        group.addTask { await forward(opened.incoming) }
                        for rank in (0..<run.workers).map(WorkerRank.init) {
                            group.addTask { await launch(rank, of: run, token: opened.token, in: directory) }
                        }
                    case .send(let rank, let message): hub?.send(message, to: rank)
                    case .training: journal.training()
                    case .record(let closed): journal.append(closed)
                    case .evaluated(let record): journal.append(record)
                    case .event(let kind, let message, let rank, let step):
                        journal.event(kind, message, rank: rank, step: step)
                    case .end(let state, let outcome):
                        group.cancelAll()
                        try await group.waitForAll()
                        try journal.end(state, outcome: outcome, reserve: surroundings.reserve)
                    }
                }
                if case .tick = input { try journal.flush() }
                if machine.hasEnded { return }
            }
        }
    }

    // MARK: - What goes on beside the loop; each posts what happens

    private func tick() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: .milliseconds(250))
            post.yield(.tick)
        }
    }

    private func prepare(_ run: Run, in directory: RunDirectory) async {
        let process = DatasetPreparationProcess(
            executable: surroundings.executable, datasets: surroundings.state.datasets, log: directory.preparationLog)
        do {
            post.yield(.prepared(try await process.run(for: run.job)))
        } catch {
            post.yield(.preparationFailed(reason: "\(error)"))
        }
    }

    private func forward(_ incoming: AsyncStream<(WorkerRank, WorkerToCoordinator)>) async {
        for await (rank, message) in incoming { post.yield(.message(rank, message)) }
    }

    private func launch(_ rank: WorkerRank, of run: Run, token: String, in directory: RunDirectory) async {
        let command = WorkerCommand(
            rank: rank, executable: surroundings.executable,
            arguments: [
                "worker", "--join", surroundings.state.workersEndpoint(of: run.id), "--run", run.id.text, "--rank",
                String(rank.index),
            ],
            environment: [WorkerEnvironment.token: token], log: directory.log(of: rank))
        do {
            let exit = try await surroundings.launcher.run(command) { processID in
                post.yield(.started(rank, processID: processID))
            }
            post.yield(.exited(rank, exit, lastWords: LogTail.lastLine(of: command.log)))
        } catch is CancellationError {
            return
        } catch {
            post.yield(.launchFailed(rank, reason: "\(error)"))
        }
    }
}
