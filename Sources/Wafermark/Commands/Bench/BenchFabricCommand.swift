import ArgumentParser
import Cluster
import Jobs

/// `wafermark bench fabric`: what the process that holds an emulated network carries, and what it adds.
struct BenchFabricCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fabric", abstract: "Measure what the fabric of emulated runs carries, and the latency it adds.",
        discussion: """
            A sender, a fabric process whose links take no time, and a receiver; the same
            messages without the fabric; and through one whose link takes a millisecond. It
            should carry 1 GB/s, and add less than 50 us to what its links take.
            """)

    @Option(help: ArgumentHelp("For how long each of five measurements goes on.", valueName: "s"))
    var seconds = 5.0

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard seconds >= 0.2, seconds <= 3_600 else {
            throw ValidationError("--seconds is \(seconds); 0.2 to 3600 are allowed")
        }
    }

    func run() async throws {
        let bench = FabricBench(
            FabricBench.Settings(duration: HostSeconds(seconds)), executable: try ThisProgram.executable())
        let result = try await Interruption.cancels { try await bench.run() }
        if output.json { return try Console.printJSON(result) }
        func text(_ latency: FabricBench.Latency) -> String {
            "median " + Figures.fixed(latency.median, 0) + " us, 99 % within " + Figures.fixed(latency.p99, 0) + " us"
        }
        func line(_ name: String, _ way: FabricBench.Way) -> String {
            name + Figures.fixed(way.bytesPerHostSecond * 1e-9, 2) + " GB/s, " + text(way.latencyHostMicroseconds)
        }
        func added(_ name: String, _ latency: FabricBench.Latency) -> String {
            name + Figures.fixed(latency.median, 0) + " us (median), " + Figures.fixed(latency.p99, 0) + " us (99 %)"
        }
        let link = Figures.fixed(result.linkHostMicroseconds, 0)
        Console.print(
            "frames of \(result.throughputFrameBytes >> 10) KiB at full speed, then of "
                + "\(result.latencyFrameBytes >> 10) KiB one by one (host clock)")
        Console.print(line("  without a fabric        ", result.direct))
        Console.print(line("  links that take no time ", result.throughFabric))
        Console.print("  a link of \(link) us       " + text(result.overLinkHostMicroseconds))
        Console.print("what the fabric adds")
        Console.print(added("  to no link at all       ", result.addedHostMicroseconds))
        Console.print(added("  to a link of \(link) us    ", result.addedToLinkHostMicroseconds))
    }
}
