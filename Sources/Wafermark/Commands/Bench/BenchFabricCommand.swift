import ArgumentParser
import Cluster
import Jobs

/// `wafermark bench fabric`: what the process that holds an emulated network carries, and what it adds.
struct BenchFabricCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fabric", abstract: "Measure what the fabric of emulated runs carries, and the latency it adds.",
        discussion: """
            A sender, a fabric process whose links are infinitely fast, and a receiver; and the
            same messages without the fabric. It should carry 1 GB/s, and add less than 50 us.
            """)

    @Option(help: ArgumentHelp("For how long each of four measurements goes on.", valueName: "s"))
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
        func line(_ name: String, _ way: FabricBench.Way) -> String {
            name + Figures.fixed(way.bytesPerHostSecond * 1e-9, 2) + " GB/s, median "
                + Figures.fixed(way.latencyMedianHostMicroseconds, 0) + " us, 99 % within "
                + Figures.fixed(way.latencyP99HostMicroseconds, 0) + " us"
        }
        Console.print(
            "frames of \(result.throughputFrameBytes >> 10) KiB at full speed, then of "
                + "\(result.latencyFrameBytes >> 10) KiB one by one (host clock)")
        Console.print(line("  through the fabric  ", result.throughFabric))
        Console.print(line("  without it          ", result.direct))
        Console.print(
            "  it adds             " + Figures.fixed(result.addedMedianHostMicroseconds, 0) + " us (median), "
                + Figures.fixed(result.addedP99HostMicroseconds, 0) + " us (99 %)")
    }
}
