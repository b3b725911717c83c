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
    /// Times that each is exchanged in a round; the median counts.
    private static let iterations = 20

    /// What one transport's exchanges took.
    private struct Times {
        var latency: Double
        var processor: HostMachine.Link.ProcessorSeconds
    }

    /// This program's file.
    let executable: String
    private var measured: [Transport: [Times]] = [:]

    /// Nothing measured yet; `executable` is this program's file.
    init(executable: String) { self.executable = executable }

    /// Whether every transport was measured often enough.
    var isEnough: Bool { Transport.allCases.allSatisfy(isEnough) }

    /// By what costs the most: large gradients, and messages of small buckets.
    private func isEnough(_ transport: Transport) -> Bool {
        let times = (measured[transport] ?? []).map(\.processor)
        return Repetition.isEnough(times.map(\.large)) && Repetition.isEnough(times.map(\.small))
    }

    /// Measures once more every transport that was not measured often enough. Cancelling the task ends the workers.
    mutating func round() async throws {
        for transport in Transport.allCases where !isEnough(transport) {
            let usual = try await results([Self.page, Self.some, Self.many], ExchangeSettings.usualBucket, transport)
            let small = try await results([Self.some], Self.smallBucket, transport)
            measured[transport, default: []].append(
                Times(
                    latency: usual[0].secondsMedian,
                    processor: HostMachine.Link.ProcessorSeconds(
                        page: usual[0].processorSecondsMedian, usual: usual[1].processorSecondsMedian,
                        small: small[0].processorSecondsMedian, large: usual[2].processorSecondsMedian)))
        }
    }

    /// The links, each time of its quickest round, on a machine whose memory has `streams`.
    func links(_ streams: HostMachine.Streams) -> HostMachine.Links {
        func link(_ transport: Transport) -> HostMachine.Link {
            func least(_ time: (Times) -> Double) -> Double { measured[transport]?.map(time).min() ?? 0 }
            return HostMachine.Link(
                latency: least(\.latency),
                processor: HostMachine.Link.ProcessorSeconds(
                    page: least(\.processor.page), usual: least(\.processor.usual), small: least(\.processor.small),
                    large: least(\.processor.large)),
                sizes: (Self.some, Self.many), smallBucket: Self.smallBucket, streams: streams)
        }
        return HostMachine.Links(sharedMemory: link(.sharedMemory), ipc: link(.ipc), tcp: link(.tcp))
    }

    /// What exchanges of each of `sizes` took.
    private func results(
        _ sizes: [Bytes], _ bucket: Bytes, _ transport: Transport
    ) async throws -> [AllReduceResult] {
        let settings = AllReduceSettings(
            workers: Self.workers, sizes: sizes, algorithm: .direct, transport: transport, bucket: bucket,
            iterations: Self.iterations)
        let bench = AllReduceBench(
            settings, executable: executable, arguments: [AllReduceWorkerCommand.configuration.commandName ?? ""])
        return try await bench.run()
    }
}
