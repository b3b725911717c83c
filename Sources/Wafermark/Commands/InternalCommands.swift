import ArgumentParser
import Cluster
import Coordinator
import Foundation
import Jobs
import Kernels
import Messaging
import Wafer

/// `wafermark prepare-dataset`: what the daemon starts to turn text into examples. Prints a `PreparedDataset` as JSON.
struct PrepareDatasetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prepare-dataset", abstract: "Prepare a job's dataset (started by the daemon).",
        shouldDisplay: false)

    @Option(help: "The job as JSON.")
    var job: String

    @Option(help: "The folder of all datasets.")
    var into: String

    func run() throws {
        let job = try JSONDecoder().decode(Job.self, from: try Data(contentsOf: URL(fileURLWithPath: self.job)))
        let dataset = try DatasetCache.dataset(for: job, under: into)
        Console.print(String(decoding: try JSONEncoder().encode(dataset), as: UTF8.self))
    }
}

/// `wafermark fabric`: what the daemon starts for each membership of an emulated run.
struct FabricCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fabric", abstract: "Hold the links of an emulated network (started by the daemon).",
        shouldDisplay: false)

    @Option(help: "The plan as JSON.")
    var plan: String

    @Option(help: "The file that takes what passed.")
    var report: String

    func run() throws { try FabricProcess(planFile: plan, reportFile: report).run() }
}

/// `wafermark worker`: what a launcher starts, once for each worker, or a user to add one to a run that is under way. The
/// run's secret comes in the environment, or is read where the daemon keeps it.
struct WorkerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Join a run that is under way as one more worker.",
        discussion: """
            It is admitted after the step in flight, gets weights and optimizer state from
            another worker, and takes lanes; the run's bits stay the same. The daemon
            starts a run's first workers by itself.

            On another host: --daemon tcp://HOST:PORT --key FILE. The worker asks that
            daemon ('serve --launcher external') for a place until there is one, takes
            part in one run, and ends with it. Both hosts must see the state directory's
            folders runs and datasets at the same path.
            """)

    @Option(
        help: ArgumentHelp(
            "The run's endpoint: ipc://STATE/sockets/RUN in the daemon's state directory.", valueName: "endpoint"))
    var join: String?

    @OptionGroup var daemon: DaemonOptions

    @Option(
        help: ArgumentHelp(
            "The address of this host at which other workers reach it; by default the one on the way to the daemon.",
            valueName: "address"))
    var listen: String?

    @Option(help: ArgumentHelp("How long to ask a daemon elsewhere for a place.", valueName: "s"))
    var waitSeconds = 3_600.0

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("The run's id; by default what the endpoint ends with.", valueName: "id"))
    var runName: String?

    @Option(help: .hidden)
    var rank: Int?

    @Option(help: .hidden)
    var tokenFile: String?

    @Option(help: .hidden)
    var transport = Transport.sharedMemory

    func run() async throws {
        guard let join else { return try await runElsewhere() }
        var remote: WorkerProcess.Remote?
        // On another host than the daemon's: a scheduler has started it.
        if let endpoint = try? Endpoint(join), let host = endpoint.host, let port = endpoint.port {
            guard let file = daemon.keyFile else {
                throw CommandFailure.wrongUsage("--join \(join) is another host's, so a key is needed: give --key")
            }
            let own = try listen ?? RouteAddress.towards(host: host, port: port)
            remote = WorkerProcess.Remote(client: try ClientKey(contentsOf: file).curve, host: own)
        }
        let name = runName ?? String(join.split(separator: "/").last ?? "")
        guard let id = RunID(name), rank ?? 0 >= 0 else {
            throw CommandFailure.wrongUsage("'\(name)' is no run's id: give --join ipc://STATE/sockets/RUN, or --run")
        }
        try WorkerProcess(
            options: WorkerProcess.Options(
                coordinator: join, run: id, rank: rank.map { WorkerRank($0) }, transport: transport,
                token: try token(of: id, at: join), libraries: Self.libraries, remote: remote),
            makeWafer: WaferBackend.backend(for:)
        ).run()
    }

    private static var libraries: WorkerProcess.Libraries {
        WorkerProcess.Libraries(
            instructionSet: KernelLibrary.instructionSet, oneDNN: KernelLibrary.oneDNNVersion,
            wafermark: Program.version)
    }

    /// Takes a place of a run of a daemon on another host.
    private func runElsewhere() async throws {
        guard let (endpoint, file) = try daemon.remote(), let key = file, let host = endpoint.host,
            let port = endpoint.port
        else {
            throw CommandFailure.wrongUsage(
                "give --join ipc://STATE/sockets/RUN, or --daemon tcp://HOST:PORT with --key FILE")
        }
        guard key.role == .worker else {
            throw CommandFailure.wrongUsage("the key '\(key.name)' has the role \(key.role.rawValue); worker is needed")
        }
        let own = try listen ?? RouteAddress.towards(host: host, port: port)
        let order = try await RemoteWork(client: DaemonClient(at: endpoint, key: key)).wait(seconds: waitSeconds)
        try WorkerProcess(
            options: WorkerProcess.Options(
                coordinator: try Endpoint(host: host, port: order.port).text, run: order.run, rank: order.rank,
                transport: order.transport, token: order.token, libraries: Self.libraries,
                remote: WorkerProcess.Remote(client: key.curve, host: own)),
            makeWafer: WaferBackend.backend(for:)
        ).run()
    }

    private func token(of id: RunID, at join: String) throws -> String {
        if let tokenFile { return try PrivateFile.read(tokenFile) }
        if let token = ProcessInfo.processInfo.environment[WorkerEnvironment.token] { return token }
        let sockets = URL(fileURLWithPath: String(join.dropFirst("ipc://".count))).deletingLastPathComponent()
        let file = StateDirectory(path: sockets.deletingLastPathComponent().path).run(id).tokenFile
        guard join.hasPrefix("ipc://"), let token = try? String(contentsOfFile: file, encoding: .utf8) else {
            throw CommandFailure.wrongUsage(
                "the run's secret is not known: \(WorkerEnvironment.token) is not set and \(file) can't be read; "
                    + "is run \(id) under way?")
        }
        return token
    }
}
