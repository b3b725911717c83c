import Jobs

/// How much longer one machine takes for a step of a job that is dealt in one way than in another: what agreeing on a step
/// costs shows beside threads that compute, and nowhere else.
public struct StepDifference: Hashable, Sendable {
    /// What is trained.
    public var job: Job
    /// Words of its vocabulary.
    public var vocabularySize: Int
    /// The way that is longer.
    public var longer: HostStep.Layout
    /// The way that is shorter.
    public var shorter: HostStep.Layout
    /// By how much, in host seconds.
    public var hostSeconds: Double

    /// A difference of the given parts.
    public init(
        job: Job, vocabularySize: Int, longer: HostStep.Layout, shorter: HostStep.Layout, hostSeconds: Double
    ) {
        self.job = job
        self.vocabularySize = vocabularySize
        self.longer = longer
        self.shorter = shorter
        self.hostSeconds = hostSeconds
    }

    /// The same difference by the replay, in modelled seconds.
    ///
    /// - Throws: as `HostStep`.
    func modelledSeconds(on machine: HostMachine) throws(PerformanceModelError) -> Double {
        func total(_ layout: HostStep.Layout) throws(PerformanceModelError) -> Double {
            try HostStep(job: job, layout: layout, vocabularySize: vocabularySize, on: machine).total
        }
        return try total(longer) - total(shorter)
    }
}

extension HostMachine {
    /// Sets `figure`, which the replay's time is linear in, so that the replay tells `difference` as it was measured; to 0
    /// where the rest of the profile explains more than that, or where the two ways don't differ by the figure.
    ///
    /// - Throws: as `HostStep`.
    public mutating func set(
        _ figure: WritableKeyPath<HostMachine, Double>, from difference: StepDifference
    ) throws(PerformanceModelError) {
        self[keyPath: figure] = 1
        let withOne = try difference.modelledSeconds(on: self)
        self[keyPath: figure] = 0
        let without = try difference.modelledSeconds(on: self)
        guard withOne > without else { return }
        self[keyPath: figure] = max(0, (difference.hostSeconds - without) / (withOne - without))
    }
}
