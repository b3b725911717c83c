import Foundation
import Jobs
import Messaging
import PerformanceModel

/// Measures what a fabric process carries and what it adds to a message's way: the same messages straight from sender to
/// receiver; through a fabric whose links take no time; and through one whose link takes a time, as emulated links do.
public struct FabricBench: Sendable {
    /// What to measure.
    public struct Settings: Hashable, Sendable {
        /// Host time that each of the five measurements takes.
        public var duration: HostSeconds
        /// Frames that measure the throughput, and those that measure the latency.
        public var throughputFrame: Bytes
        public var latencyFrame: Bytes
        /// Frames a second that measure the latency: few enough for none to wait for another.
        public var latencyRate: Double
        /// What a link takes that takes a time.
        public var link: HostSeconds

        /// Settings of the given parts.
        public init(
            duration: HostSeconds = HostSeconds(5), throughputFrame: Bytes = .mebibytes(1),
            latencyFrame: Bytes = Bytes(4 << 10), latencyRate: Double = 500, link: HostSeconds = HostSeconds(1e-3)
        ) {
            self.duration = duration
            self.throughputFrame = throughputFrame
            self.latencyFrame = latencyFrame
            self.latencyRate = latencyRate
            self.link = link
        }
    }

    /// Host microseconds from messages' being sent to their having arrived.
    public struct Latency: Hashable, Sendable, Codable {
        public var median: Double
        public var p99: Double

        init(_ microseconds: Quantiles) {
            median = microseconds.median ?? 0
            p99 = microseconds.quantile(0.99) ?? 0
        }

        /// What is left of it without `other` and `microseconds` more.
        func beyond(_ other: Latency, and microseconds: Double = 0) -> Latency {
            var rest = self
            rest.median -= other.median + microseconds
            rest.p99 -= other.p99 + microseconds
            return rest
        }
    }

    /// What one way took.
    public struct Way: Hashable, Sendable, Codable {
        /// Payload bytes that arrived in a second of host time, from one sender at full speed.
        public var bytesPerHostSecond: Double
        public var latencyHostMicroseconds: Latency
    }

    /// What was measured.
    public struct Result: Hashable, Sendable, Codable {
        public var throughputFrameBytes: Int
        public var latencyFrameBytes: Int
        /// Without a fabric, and through one whose links take no time.
        public var direct: Way
        public var throughFabric: Way
        /// What a link took that took a time, and messages through it.
        public var linkHostMicroseconds: Double
        public var overLinkHostMicroseconds: Latency
        /// What the fabric adds to the direct way where its links take no time: the least that it can emulate.
        public var addedHostMicroseconds: Latency
        /// What it adds to the direct way and the link's time, of which it takes its own off.
        public var addedToLinkHostMicroseconds: Latency
        /// Frames that the fabrics refused; the bench's own are none of them.
        public var refused: Int
    }

    private let settings: Settings
    private let executable: String

    /// A bench whose fabric is a process of `executable`.
    public init(_ settings: Settings, executable: String) {
        self.settings = settings
        self.executable = executable
    }

    /// Runs all measurements. Cancelling the task ends the fabrics.
    ///
    /// - Throws: `FabricBenchError`; `LauncherError` where a fabric can't be started; `MessagingError`.
    public func run() async throws -> Result {
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        let folder = scratch.path
        let context = try Context()
        let settings = settings
        let direct = try await measure(
            FabricBenchPath(run: RunID.random(), inlet: "ipc://\(folder)/d", outlet: "ipc://\(folder)/d"), context
        ) { try Self.way(of: $0, settings) }
        let (through, idle) = try await behindFabric(link: .zero, in: folder, context) {
            try Self.way(of: $0, settings)
        }
        let (over, timed) = try await behindFabric(link: settings.link, in: folder, context) {
            try Self.latency(of: $0, settings)
        }
        let link = settings.link.seconds * 1e6
        return Result(
            throughputFrameBytes: settings.throughputFrame.count, latencyFrameBytes: settings.latencyFrame.count,
            direct: direct, throughFabric: through, linkHostMicroseconds: link, overLinkHostMicroseconds: over,
            addedHostMicroseconds: through.latencyHostMicroseconds.beyond(direct.latencyHostMicroseconds),
            addedToLinkHostMicroseconds: over.beyond(direct.latencyHostMicroseconds, and: link),
            refused: idle.refused + timed.refused)
    }

    private static func way(of ends: FabricBenchEnds, _ settings: Settings) throws -> Way {
        Way(
            bytesPerHostSecond: try ends.throughput(of: settings.throughputFrame, for: settings.duration),
            latencyHostMicroseconds: try latency(of: ends, settings))
    }

    private static func latency(of ends: FabricBenchEnds, _ settings: Settings) throws -> Latency {
        Latency(try ends.latencies(of: settings.latencyFrame, rate: settings.latencyRate, for: settings.duration))
    }

    /// What `measurement` finds through a fabric process of its own, whose link takes `link`, and the fabric's own report.
    private func behindFabric<Finding: Sendable>(
        link: HostSeconds, in folder: String, _ context: Context,
        _ measurement: @escaping @Sendable (FabricBenchEnds) throws -> Finding
    ) async throws -> (Finding, FabricReport) {
        let run = RunID.random()
        let path = FabricBenchPath(run: run, inlet: "ipc://\(folder)/\(run)i", outlet: "ipc://\(folder)/\(run)o")
        let (plan, report, log) = ("\(folder)/plan.json", "\(folder)/\(run).json", "\(folder)/fabric.log")
        try JSONEncoder().encode(Self.plan(path, link: link)).write(to: URL(fileURLWithPath: plan))
        let command = WorkerCommand(
            rank: nil, executable: executable, arguments: ["fabric", "--plan", plan, "--report", report],
            environment: [:], log: log)
        let fabric = Task { try await LocalLauncher().run(command) { _ in } }
        let finding: Finding
        do {
            finding = try await withTaskCancellationHandler {
                try await measure(path, context, measurement)
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
        return (finding, try JSONDecoder().decode(FabricReport.self, from: data))
    }

    /// A fabric of two nodes, between which a frame of any size takes `link`.
    private static func plan(_ path: FabricBenchPath, link: HostSeconds) -> FabricPlan {
        let network = EmulatedNetwork(
            workers: 2, devicesPerNode: 1, deviceBytesPerSecond: 1e18, deviceLatencySeconds: 0, interfaces: 1,
            interfaceBytesPerSecond: 1e18, interfaceLatencySeconds: link.seconds)
        var plan = FabricPlan(
            run: path.run, epoch: 0, dilation: link > .zero ? 1 : 0,
            cluster: EmulatedCluster(hardware: "bench", schedules: [], network: network),
            workers: [(WorkerRank(0), ""), (WorkerRank(1), path.outlet)], inlet: { _, _ in path.inlet })
        // One way alone: nothing is ever sent back.
        plan.outlets.removeFirst()
        plan.pairs.removeAll { $0.sender != WorkerRank(0) }
        return plan
    }

    private func measure<Finding: Sendable>(
        _ path: FabricBenchPath, _ context: Context,
        _ measurement: @escaping @Sendable (FabricBenchEnds) throws -> Finding
    ) async throws -> Finding {
        let ends = try FabricBenchEnds(path, in: context)
        return try await OwnThread.run {
            try ends.waitUntilConnected()
            return try measurement(ends)
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
