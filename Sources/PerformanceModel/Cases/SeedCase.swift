import Jobs

/// The case that the project began with: BERT-Large from scratch by the published two-phase recipe, on V100 clusters of 8
/// to 1,024 devices, beside what was said of a GPU cluster and of one wafer.
public struct SeedCase: Hashable, Sendable, Codable {
    /// A cluster size under a stack.
    public struct Cell: Hashable, Sendable, Codable {
        /// The software stack's name.
        public var stack: String
        /// Days of the whole recipe, modelled.
        public var days: Double
        /// The ends of the 90 % interval.
        public var low: Double
        /// The ends of the 90 % interval.
        public var high: Double
        /// Whether an input lies outside what was calibrated.
        public var extrapolated: Bool
    }

    /// A cluster size.
    public struct Row: Hashable, Sendable, Codable {
        /// Devices.
        public var devices: Int
        /// The stacks, in the order of `stacks`.
        public var cells: [Cell]
    }

    /// What was published of the case, in days, and by whom.
    public struct Claim: Hashable, Sendable, Codable {
        /// In the source's words.
        public var text: String
        /// In days.
        public var days: Double
    }

    /// The profile's name.
    public var hardware: String
    /// The stacks' names.
    public var stacks: [String]
    /// By devices.
    public var rows: [Row]
    /// "AstraZeneca and Cerebras, Accelerating Drug Discovery Research with New AI Models", 26 April 2021. It names
    /// neither the number of sequences nor the batch nor the cluster, so the recipe is this project's assumption.
    public var claims = [
        Claim(text: "over 2 weeks on a large cluster of GPUs", days: 14),
        Claim(text: "52 hours on one CS-1", days: Self.waferHours / 24),
    ]
    /// The hours that the source says one CS-1 took for BERT-Large.
    public static let waferHours = 52.0

    /// The table for the stacks that the recipe's published times are of, and their successors.
    ///
    /// - Throws: `PerformanceModelError` where a profile or stack is missing.
    public init(
        hardware: String = "dgx1-v100-16g",
        stacks: [String] = ["tf-19.08", "pytorch-19.07", "tf-20.06", "pytorch-20.06"],
        calibration: Calibration? = nil
    ) throws {
        self.hardware = hardware
        self.stacks = stacks
        let profile = try HardwareCatalogue.profile(hardware)
        var job = try JobExample.bertLargePubmed.job()
        // What fits into 16 GB, as the published runs had it.
        for (index, microBatch) in zip(job.phases.indices, [16, 4]) { job.phases[index].microBatch = microBatch }
        rows = try [8, 16, 32, 64, 128, 256, 512, 1024].map { devices in
            Row(
                devices: devices,
                cells: try stacks.map { stack in
                    let prediction = try JobPrediction(
                        job: job, profile: profile, layout: .init(workers: devices, stack: stack),
                        calibration: calibration)
                    return Cell(
                        stack: stack, days: prediction.time.seconds / 86_400, low: prediction.low.seconds / 86_400,
                        high: prediction.high.seconds / 86_400, extrapolated: !prediction.extrapolated.isEmpty)
                })
        }
    }
}
