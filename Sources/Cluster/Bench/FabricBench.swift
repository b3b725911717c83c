import Foundation
import Jobs
import Messaging
import PerformanceModel

/// Measures what a fabric process carries and what it adds to a message's way: the same messages once through it, its links
/// infinitely fast, and once straight from sender to receiver.
public struct FabricBench: Sendable {
    /// What to measure.
    public struct Settings: Hashable, Sendable {
        /// Host time that each of the four measurements takes.
        public var duration: HostSeconds
        /// Frames that measure the throughput, and those that measure the latency.
        public var throughputFrame: Bytes
        public var latencyFrame: Bytes
        /// Frames a second that measure the latency: few enough for none to wait for another.
        public var latencyRate: Double

        /// Settings of the given parts.
        public init(
            duration: HostSeconds = HostSeconds(5), throughputFrame: Bytes = .mebibytes(1),
            latencyFrame: Bytes = Bytes(4 << 10), latencyRate: Double = 500
        ) {
            self.duration = duration
            self.throughputFrame = throughputFrame
            self.latencyFrame = latencyFrame
            self.latencyRate = latencyRate
        }
    }

    /// What one way took.
    public struct Way: Hashable, Sendable, Codable {
        /// Payload bytes that arrived in a second of host time, from one sender at full speed.
        public var bytesPerHostSecond: Double
        /// From a message's being sent to its having arrived, in microseconds of the host.
        public var latencyMedianHostMicroseconds: Double
        public var latencyP99HostMicroseconds: Double
    }

    /// What was measured.
    public struct Result: Hashable, Sendable, Codable {
        public var throughputFrameBytes: Int
        public var latencyFrameBytes: Int
        public var throughFabric: Way
        public var direct: Way
        /// What the fabric adds to the median and to the 99th percentile.
        public var addedMedianHostMicroseconds: Double
        public var addedP99HostMicroseconds: Double
        /// Frames that the fabric refused; the bench's own are none of them.
        public var refused: Int
    }

    private let settings: Settings
    private let executable: String

    /// A bench whose fabric is a process of `executable`.
    public init(_ settings: Settings, executable: String) {
        self.settings = settings
        self.executable = executable
    }

    /// Runs all measurements. Cancelling the task ends the fabric.
    ///
    /// - Throws: `FabricBenchError`; `LauncherError` where the fabric can't be started; `MessagingError`.
    public func run() async throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("wafermark-\(UUID().uuidString)")
            .path
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let context = try Context()
        let direct = try await measure(
            FabricBenchPath(run: RunID.random(), inlet: "ipc://\(folder)/d", outlet: "ipc://\(folder)/d"), context)
        let path = FabricBenchPath(run: RunID.random(), inlet: "ipc://\(folder)/i", outlet: "ipc://\(folder)/o")
        let (plan, report) = ("\(folder)/plan.json", "\(folder)/report.json")
        try JSONEncoder().encode(Self.plan(path)).write(to: URL(fileURLWithPath: plan))
        let log = "\(folder)/fabric.log"
        let command = WorkerCommand(
            rank: nil, executable: executable, arguments: ["fabric", "--plan", plan, "--report", report],
            environment: [:], log: log)
        let fabric = Task { try await LocalLauncher().run(command) { _ in } }
        let through: Way
        do {
            through = try await withTaskCancellationHandler {
                try await measure(path, context)
            } onCancel: {
                fabric.cancel()
            }
        } catch {
            fabric.cancel()
            _ = try? await fabric.value
            throw error
        }
        fabric.cancel()
        _ = try? await fabric.value
        guard let data = FileManager.default.contents(atPath: report) else {
            let words = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw FabricBenchError.fabric(lastWords: String(words.suffix(1_000)))
        }
        return Result(
            throughputFrameBytes: settings.throughputFrame.count, latencyFrameBytes: settings.latencyFrame.count,
            throughFabric: through, direct: direct,
            addedMedianHostMicroseconds: through.latencyMedianHostMicroseconds - direct.latencyMedianHostMicroseconds,
            addedP99HostMicroseconds: through.latencyP99HostMicroseconds - direct.latencyP99HostMicroseconds,
            refused: try JSONDecoder().decode(FabricReport.self, from: data).refused)
    }

    /// A fabric of two nodes, whose links take no time at a dilation of 0.
    private static func plan(_ path: FabricBenchPath) -> FabricPlan {
        let network = EmulatedNetwork(
            workers: 2, devicesPerNode: 1, deviceBytesPerSecond: 1e9, deviceLatencySeconds: 0, interfaces: 1,
            interfaceBytesPerSecond: 1e9, interfaceLatencySeconds: 0)
        var plan = FabricPlan(
            run: path.run, epoch: 0, dilation: 0,
            cluster: EmulatedCluster(hardware: "bench", schedules: [], network: network),
            workers: [(WorkerRank(0), ""), (WorkerRank(1), path.outlet)], inlet: { _, _ in path.inlet })
        // One way alone: nothing is ever sent back.
        plan.outlets.removeFirst()
        plan.pairs.removeAll { $0.sender != WorkerRank(0) }
        return plan
    }

    private func measure(_ path: FabricBenchPath, _ context: Context) async throws -> Way {
        let ends = try FabricBenchEnds(path, in: context)
        let settings = settings
        return try await OwnThread.run {
            try ends.waitUntilConnected()
            let rate = try ends.throughput(of: settings.throughputFrame, for: settings.duration)
            let latencies = try ends.latencies(
                of: settings.latencyFrame, rate: settings.latencyRate, for: settings.duration)
            return Way(
                bytesPerHostSecond: rate, latencyMedianHostMicroseconds: latencies.median ?? 0,
                latencyP99HostMicroseconds: latencies.quantile(0.99) ?? 0)
        }
    }
}

/// Why a fabric could not be measured.
public enum FabricBenchError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The fabric ended without a report.
    case fabric(lastWords: String)
    /// Nothing arrived for so long.
    case silence(seconds: Double)

    public var description: String {
        switch self {
        case .fabric(let words): "the fabric left no report" + (words.isEmpty ? "" : ": \(words)")
        case .silence(let seconds): "no message arrived for \(seconds.formatted()) s"
        }
    }
}
