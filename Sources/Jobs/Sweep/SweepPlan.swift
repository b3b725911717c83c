/// A grid of runs of one job: every combination of the values of its axes.
public struct SweepPlan: Hashable, Sendable {
    /// What the sweep is called; it begins the keys by which its runs are known again.
    public var name: String
    /// The axes that have more than one value, in the order in which they vary: the last one fastest.
    public var axes: [String]
    /// The runs, each once.
    public var points: [SweepPoint]

    /// The most runs of one sweep.
    public static let pointLimit = 1_000
}

/// One run of a sweep.
public struct SweepPoint: Hashable, Sendable {
    /// What is trained, with this point's batch, seed, sparsity and compression.
    public var job: Job
    /// What trains it.
    public var backend: Backend
    /// Worker processes; 1 on the wafer.
    public var workers: Int
    /// The machine that the backend stands for.
    public var hardware: String?
    /// How workers exchange gradients; without effect on the wafer.
    public var exchange: ExchangeSettings
    /// How the hardware is emulated; nil for a native run.
    public var emulation: EmulationSettings?
    /// The value on each of the plan's axes; nil where the axis has no effect on this run.
    public var values: [String?]
}
