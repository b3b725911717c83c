import ArgumentParser
import Coordinator
import Jobs

/// `wafermark launch`: hand a job to the daemon.
struct LaunchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "launch", abstract: "Hand a job to the daemon, for the cluster or the wafer.",
        discussion: "Prints the run's id at once; the daemon ('wafermark serve') carries it out.",
        subcommands: [LaunchClusterCommand.self, LaunchWaferCommand.self])
}

/// What both launches take.
struct LaunchOptions: ParsableArguments {
    @Argument(help: "The job file (YAML).")
    var job: String

    @Option(
        help: ArgumentHelp(
            "The machine that the backend stands for: a name that 'wafermark hardware list' shows, or a profile's file.",
            valueName: "profile"))
    var hardware: String?

    @OptionGroup var compression: CompressionOptions
    @OptionGroup var terms: TermsOptions
    @OptionGroup var limits: LimitOptions

    @Option(
        help: ArgumentHelp(
            "One run for each of these seeds, such as 1,2,3; the job's own by default.", valueName: "list"))
    var seeds: SeedList?

    @Flag(help: "Show progress until the run has ended.")
    var watch = false
}

/// `wafermark launch cluster`.
struct LaunchClusterCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cluster", abstract: "Train a job on a cluster of worker processes.")

    @OptionGroup var options: LaunchOptions

    @Option(help: ArgumentHelp("Worker processes, at most the job's lanes.", valueName: "n"))
    var workers = 2

    @OptionGroup var exchange: ExchangeOptions
    @OptionGroup var emulation: EmulationOptions
    @OptionGroup var state: StateOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Launch(
            options: options, backend: .cluster, workers: workers,
            exchange: try emulation.exchange(exchange), emulation: try emulation.settings(workers: workers),
            state: state, daemon: daemon, output: output
        ).run()
    }
}

/// `wafermark launch wafer`.
struct LaunchWaferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wafer", abstract: "Train a job on the single-node wafer backend.")

    @OptionGroup var options: LaunchOptions
    @OptionGroup var state: StateOptions
    @OptionGroup var daemon: DaemonOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        try await Launch(options: options, backend: .wafer, workers: 1, state: state, daemon: daemon, output: output)
            .run()
    }
}

/// A launch, whichever the backend.
private struct Launch {
    var options: LaunchOptions
    var backend: Backend
    var workers: Int
    var exchange = ExchangeSettings()
    var emulation: EmulationSettings?
    var state: StateOptions
    var daemon: DaemonOptions
    var output: OutputOptions

    private struct Launched: Encodable {
        var runId: String
        var seed: UInt64?
    }

    private struct LaunchedRuns: Encodable {
        var runs: [Launched]
    }

    func run() async throws {
        var job = options.compression.applied(to: try JobFile.read(options.job))
        try JobRequirements.check(workers: workers, of: job)
        try JobRequirements.check(options.limits.limits, of: job, workers: workers)
        // The daemon reads the profile, and may run in another folder.
        let hardware = options.hardware.map(HardwareOptions.absolute)
        try JobRequirements.check(hardware: hardware, for: backend)
        if let emulation {
            try JobRequirements.check(emulation, workers: workers, hardware: hardware, for: backend)
            try JobRequirements.check(emulation, workers: workers, of: job)
        }
        let directory = state.directory
        if options.watch, try daemon.remote() != nil {
            throw CommandFailure.wrongUsage(
                "--watch reads the state directory, so it can't follow another daemon's run")
        }
        let client = try daemon.client(of: directory)
        if let seeds = options.seeds {
            if options.watch { throw CommandFailure.wrongUsage("--watch follows one run; don't give it with --seeds") }
            var launched: [Launched] = []
            for seed in seeds.seeds {
                job.seed = seed
                let id = try await client.launch(
                    job, on: backend, workers: workers, hardware: hardware, exchange: exchange,
                    terms: options.terms.terms(suffix: "-seed-\(seed)"), emulation: emulation,
                    limits: options.limits.limits)
                launched.append(Launched(runId: id.text, seed: seed))
            }
            if output.json { return try Console.printJSON(LaunchedRuns(runs: launched)) }
            for run in launched { Console.print(run.runId) }
            return
        }
        let id = try await client.launch(
            job, on: backend, workers: workers, hardware: hardware, exchange: exchange,
            terms: options.terms.terms(), emulation: emulation, limits: options.limits.limits)
        guard options.watch else {
            if output.json {
                try Console.printJSON(Launched(runId: id.text))
            } else {
                Console.print(id.text)
            }
            return
        }
        try await RunWatching(state: directory, json: output.json).follow(id)
    }
}
