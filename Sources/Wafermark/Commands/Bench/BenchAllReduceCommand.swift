import ArgumentParser
import Cluster
import Jobs
import Report

/// `wafermark bench allreduce`: how fast workers on this host sum a gradient.
struct BenchAllReduceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allreduce", abstract: "Measure all-reduces among worker processes on this host.",
        discussion: """
            Every round sums a gradient of f32 that each worker has whole, in the order of
            the lane tree, and the result is checked to the bit. Bandwidths are those of
            NCCL's tests: algorithm = bytes / seconds, bus = algorithm x 2 (n - 1) / n.
            """)

    @Option(help: ArgumentHelp("Worker processes.", valueName: "n"))
    var workers = 2

    @Option(help: ArgumentHelp("Sizes of the gradient, separated by commas.", valueName: "m,…"))
    var mebibytes = "0.00390625,1,25,100"

    @OptionGroup var collective: CollectiveOptions

    @Option(help: ArgumentHelp("The size of a gradient bucket.", valueName: "k"))
    var bucketKibibytes = ExchangeSettings.usualBucket.count >> 10

    @Option(help: ArgumentHelp("Rounds measured for each size; by default 12 to 400, by size.", valueName: "n"))
    var iterations: Int?

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var workers: Int
        var algorithm: String
        var transport: String
        var bucketBytes: Int
        var clock = "host"
        var sizes: [AllReduceResult]
    }

    func validate() throws {
        guard (2...64).contains(workers) else {
            throw ValidationError("--workers is \(workers); 2 to 64 are allowed")
        }
        guard (1...262_144).contains(bucketKibibytes) else {
            throw ValidationError("--bucket-kibibytes is \(bucketKibibytes); 1 to 262144 are allowed")
        }
        guard (1...100_000).contains(iterations ?? 1) else {
            throw ValidationError("--iterations is \(iterations ?? 0); 1 to 100000 are allowed")
        }
        _ = try sizes()
    }

    func run() async throws {
        let settings = AllReduceSettings(
            workers: workers, sizes: try sizes(), algorithm: collective.algorithm, transport: collective.transport,
            bucket: Bytes(bucketKibibytes << 10), iterations: iterations)
        let executable = try ThisProgram.executable()
        let results = try await Interruption.cancels {
            try await AllReduceBench(
                settings, executable: executable, arguments: [AllReduceWorkerCommand.configuration.commandName ?? ""]
            ).run()
        }
        if output.json {
            try Console.printJSON(
                Result(
                    workers: workers, algorithm: collective.algorithm.rawValue,
                    transport: collective.transport.rawValue,
                    bucketBytes: settings.bucket.count, sizes: results))
            return
        }
        Console.print(
            "\(workers) workers, \(collective.algorithm.rawValue) over \(collective.transport.rawValue) (host clock)")
        let table = TextTable(
            [
                TextTable.Column("size"), TextTable.Column("median", isNumeric: true),
                TextTable.Column("least", isNumeric: true), TextTable.Column("most", isNumeric: true),
                TextTable.Column("algorithm GB/s", isNumeric: true), TextTable.Column("bus GB/s", isNumeric: true),
            ],
            rows: results.map { result in
                [
                    Figures.bytes(result.bytes), Figures.milliseconds(result.secondsMedian),
                    Figures.milliseconds(result.secondsMin), Figures.milliseconds(result.secondsMax),
                    Figures.short(result.algorithmBytesPerSecond / 1e9), Figures.short(result.busBytesPerSecond / 1e9),
                ]
            })
        Console.print(table.text())
    }

    private func sizes() throws -> [Bytes] {
        try mebibytes.split(separator: ",", omittingEmptySubsequences: false).map { text in
            guard let size = Double(text), size * 1_048_576 >= 4, size <= 4_096 else {
                throw ValidationError("--mebibytes has '\(text)'; numbers from 4/2^20 to 4096 are allowed")
            }
            return Bytes(Int(size * 1_048_576) / 4 * 4)
        }
    }
}

/// `wafermark allreduce-worker`: a worker of the benchmark.
struct AllReduceWorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "allreduce-worker", abstract: "Be a worker of 'bench allreduce' (started by it).",
        shouldDisplay: false)

    @Option(help: "Where the workers meet.")
    var folder: String

    @Option(help: "The worker's number.")
    var rank: Int

    @Option(help: "How gradients travel.")
    var transport: Transport

    func run() throws {
        try AllReduceBenchWorker(folder: folder, rank: rank, transport: transport).run()
    }
}
