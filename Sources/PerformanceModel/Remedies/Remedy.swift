import Jobs

/// A change that might shorten a cluster's steps. Replaying a step as if it were made tells what it would save.
public enum Remedy: String, Hashable, Sendable, Codable, CaseIterable {
    /// Exchanging gradients costs nothing, neither on the wire nor on the device: what is left is computing.
    case infiniteNetwork = "infinite_network"
    /// Every worker is as fast as the typical one.
    case noStraggler = "no_straggler"
    /// Transfers go on beside computing from the step's start to its end, and slow each other in nothing.
    case perfectOverlap = "perfect_overlap"
    /// Every gradient element takes half the bytes; buckets keep their tensors.
    case halfTheBytes = "half_the_bytes"
    /// Twice as many sequences are computed at once, half as often; the global batch stays.
    case doubleMicroBatch = "double_micro_batch"

    /// Whether the remedy takes work or waiting away and adds none, so that no step can become slower by it. A doubled
    /// micro-batch may, where it doesn't divide a worker's share.
    public var onlyRemoves: Bool {
        switch self {
        case .infiniteNetwork, .noStraggler, .perfectOverlap, .halfTheBytes: true
        case .doubleMicroBatch: false
        }
    }
}

/// What each remedy would make of a step.
public struct RemedyReplay: Hashable, Sendable {
    /// A step with one remedy.
    public struct Outcome: Hashable, Sendable {
        public var remedy: Remedy
        /// Seconds of the step; nil where the remedy can't be applied or its effect can't be told.
        public var seconds: Double?
        /// Why there are no seconds.
        public var obstacle: String?

        static func step(_ remedy: Remedy, _ seconds: Double) -> Outcome { Outcome(remedy: remedy, seconds: seconds) }
        static func none(_ remedy: Remedy, _ obstacle: String) -> Outcome {
            Outcome(remedy: remedy, obstacle: obstacle)
        }

        /// Half the bytes of gradients that peers read where they are: none less is read.
        package static func nothingTravels(_ remedy: Remedy) -> Outcome {
            .none(remedy, "gradients don’t travel here: workers read them in each other’s memory")
        }
        /// Overlap where no core is left for it.
        package static func coresCompute(_ remedy: Remedy) -> Outcome {
            .none(remedy, "the cores that exchange gradients are those that compute, and none of them is idle")
        }

        /// An outcome of the given parts.
        public init(remedy: Remedy, seconds: Double? = nil, obstacle: String? = nil) {
            self.remedy = remedy
            self.seconds = seconds
            self.obstacle = obstacle
        }
    }

    /// Seconds of the step as it is.
    public var seconds: Double
    /// One for each remedy, in the order of `Remedy.allCases`.
    public var outcomes: [Outcome]

    /// A replay of the given parts.
    public init(seconds: Double, outcomes: [Outcome]) {
        self.seconds = seconds
        self.outcomes = outcomes
    }

    /// The mean step of several kinds, each as often as its weight says; nil where there are none. A remedy that can't be
    /// applied to one kind leaves that kind as it is; one that can be applied to none has the first's obstacle.
    public init?(mean kinds: [(replay: RemedyReplay, weight: Double)]) {
        let total = kinds.reduce(0) { $0 + $1.weight }
        guard total > 0 else { return nil }
        seconds = kinds.reduce(0) { $0 + $1.weight * $1.replay.seconds } / total
        outcomes = Remedy.allCases.compactMap { remedy in
            let found = kinds.compactMap { kind in
                kind.replay.outcomes.first { $0.remedy == remedy }.map { (kind, $0) }
            }
            guard let first = found.first?.1 else { return nil }
            guard found.contains(where: { $0.1.seconds != nil }) else { return first }
            let sum = found.reduce(0) { sum, next in
                sum + next.0.weight * (next.1.seconds ?? next.0.replay.seconds)
            }
            return .step(remedy, sum / total)
        }
    }
}
