import Jobs
import PerformanceModel

/// What a fabric process is to be where only some devices of the emulated cluster are workers: it follows the exchange of all
/// devices, whose numbers the workers sum by a way of their own.
public struct VirtualPlan: Hashable, Sendable, Codable {
    /// The line between a worker and the fabric.
    public struct Line: Hashable, Sendable, Codable {
        public var rank: WorkerRank
        /// The worker's device, among all.
        public var device: Int
        /// Where the fabric hears what the device has ready, and the worker when the device's exchange is over.
        public var inlet: String
        public var outlet: String

        /// The line of the worker `rank` that is the device at place `device`.
        public init(rank: WorkerRank, device: Int, inlet: String, outlet: String) {
            self.rank = rank
            self.device = device
            self.inlet = inlet
            self.outlet = outlet
        }
    }

    /// The job, which decides with the step what a device does.
    public var job: Job
    /// All devices: those of the workers first.
    public var devices: [EmulatedDevice]
    /// What the devices exchange, and how.
    public var exchange: EmulatedStepReplay.Exchange
    /// The workers.
    public var lines: [Line]

    /// A plan of the given parts.
    public init(job: Job, devices: [EmulatedDevice], exchange: EmulatedStepReplay.Exchange, lines: [Line]) {
        self.job = job
        self.devices = devices
        self.exchange = exchange
        self.lines = lines
    }

    /// Messages of a step that the fabric follows at most. `direct` among 64 devices, which is near it, kept up on two cores at
    /// a dilation of 13, at which a step lasted 12 s.
    public static let mostMessages = 500_000

    /// Throws where `exchange` has more messages than the fabric follows.
    ///
    /// - Throws: `EmulationSettings.Violation`.
    public static func check(_ exchange: EmulatedStepReplay.Exchange) throws(EmulationSettings.Violation) {
        let count = exchange.messageCount
        guard count <= mostMessages else {
            throw EmulationSettings.Violation(
                description:
                    "\(exchange.algorithm.rawValue) among \(exchange.laneCounts.count) devices is \(count) messages "
                    + "a step, and at most \(mostMessages) are followed; take --algorithm tree or star, larger buckets, or "
                    + "fewer devices")
        }
    }
}
