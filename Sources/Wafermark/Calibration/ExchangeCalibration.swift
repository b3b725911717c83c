import Cluster
import Jobs
import PerformanceModel

/// Measures what an exchange of gradients costs by each transport, besides summing: two workers of the product's own
/// exchange, as real processes.
///
/// Mapping a peer's memory, and finding its pages, is not among it: that is done once a membership, in its first step.
struct ExchangeCalibration {
    private static let workers = 2
    /// Gradients whose cost is all latency; whose cost in small buckets is mostly messages; whose cost is mostly bytes.
    private static let (page, some, many) = (Bytes(4 << 10), Bytes.mebibytes(4), Bytes.mebibytes(32))
    private static let smallBucket = PeerExchange.smallestLoan
    private static let iterations = 60

    /// Measures all transports.
    ///
    /// - Parameters:
    ///   - executable: this program's file.
    ///   - progress: told before each transport.
    func run(executable: String, streams: HostMachine.Streams, progress: (String) -> Void) async throws
        -> HostMachine.Links
    {
        func link(_ transport: Transport) async throws -> HostMachine.Link {
            progress("exchange between two workers by \(transport.rawValue)")
            let usual = try await rounds(
                [Self.page, Self.some, Self.many], ExchangeSettings.usualBucket, transport, executable)
            let small = try await rounds([Self.some], Self.smallBucket, transport, executable)
            return HostMachine.Link(
                latency: usual[0].secondsMedian,
                processor: HostMachine.Link.ProcessorSeconds(
                    page: usual[0].processorSecondsMedian, usual: usual[1].processorSecondsMedian,
                    small: small[0].processorSecondsMedian, large: usual[2].processorSecondsMedian),
                sizes: (Self.some, Self.many), smallBucket: Self.smallBucket, streams: streams)
        }
        return HostMachine.Links(
            sharedMemory: try await link(.sharedMemory), ipc: try await link(.ipc), tcp: try await link(.tcp))
    }

    /// What rounds of each of `sizes` took.
    private func rounds(
        _ sizes: [Bytes], _ bucket: Bytes, _ transport: Transport, _ executable: String
    ) async throws -> [AllReduceResult] {
        let settings = AllReduceSettings(
            workers: Self.workers, sizes: sizes, algorithm: .direct, transport: transport, bucket: bucket,
            iterations: Self.iterations)
        let bench = AllReduceBench(
            settings, executable: executable, arguments: [AllReduceWorkerCommand.configuration.commandName ?? ""])
        return try await bench.run()
    }
}
