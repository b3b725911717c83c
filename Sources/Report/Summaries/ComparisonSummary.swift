import Foundation
import Jobs
import Runs

/// What `compare --json` prints: the figures that a script wants of a pair, and where the report is.
///
/// Keys (every one is always there; null stands for what is not known): `report_path`; `bit_identical`, whether losses
/// at every step and weights are equal to the bit; `answer`, the report's sentence; `ratio`, `ratio_low`, `ratio_high`,
/// the cluster's host time over the wafer's and its 95 % interval; and, under `cluster` and `wafer` each, the keys of
/// `Side`.
public struct ComparisonSummary: Hashable, Sendable, Codable {
    /// One backend's figures.
    public struct Side: Hashable, Sendable, Codable {
        /// The run.
        public var runID: String
        /// Where it stands: `finished`, `failed` …
        public var state: String
        /// Worker processes; 1 on the wafer.
        public var workers: Int
        /// Optimizer steps made.
        public var steps: Int
        /// Host time from the start of the first step to the end of the last, evaluations included.
        public var hostSeconds: Double?
        /// Host time until the target was met, where one was set.
        public var timeToTargetHostSeconds: Double?
        /// Sequences of all steps over the steps' host time.
        public var sequencesPerSecond: Double?
        /// Training loss (MLM plus NSP) of the first and of the last step, in nats.
        public var firstLoss: Double?
        /// Training loss of the last step, in nats.
        public var finalLoss: Double?
        /// MLM accuracy on held-out text at the last evaluation, a share of 1.
        public var finalMLMAccuracy: Double?
        /// SHA-256 of all weights, in hexadecimal.
        public var weightsDigest: String?

        private enum CodingKeys: String, CodingKey {
            case runID = "run_id"
            case state
            case workers
            case steps
            case hostSeconds = "host_seconds"
            case timeToTargetHostSeconds = "time_to_target_host_seconds"
            case sequencesPerSecond = "sequences_per_second"
            case firstLoss = "first_loss"
            case finalLoss = "final_loss"
            case finalMLMAccuracy = "final_mlm_accuracy"
            case weightsDigest = "weights_digest"
        }

        init(_ run: RunFigures) {
            runID = run.runId
            state = run.state
            workers = run.workers
            steps = run.stepsMade
            hostSeconds = run.trainingHostSeconds
            timeToTargetHostSeconds = run.timeToTargetHostSeconds
            sequencesPerSecond = run.sequencesPerHostSecond
            firstLoss = run.firstLossNats
            finalLoss = run.finalLossNats
            finalMLMAccuracy = run.finalHeldOutMlmAccuracy
            weightsDigest = run.weightsDigest
        }

        /// Writes every key, null where a figure is not known.
        public func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(runID, forKey: .runID)
            try container.encode(state, forKey: .state)
            try container.encode(workers, forKey: .workers)
            try container.encode(steps, forKey: .steps)
            try container.encode(hostSeconds, forKey: .hostSeconds)
            try container.encode(timeToTargetHostSeconds, forKey: .timeToTargetHostSeconds)
            try container.encode(sequencesPerSecond, forKey: .sequencesPerSecond)
            try container.encode(firstLoss, forKey: .firstLoss)
            try container.encode(finalLoss, forKey: .finalLoss)
            try container.encode(finalMLMAccuracy, forKey: .finalMLMAccuracy)
            try container.encode(weightsDigest, forKey: .weightsDigest)
        }
    }

    /// Where the report is.
    public var reportPath: String?
    /// Whether losses and weights are equal to the bit; nil where they can't be compared.
    public var bitIdentical: Bool?
    /// The report's sentence.
    public var answer: String
    /// The cluster's host time over the wafer's, and the ends of its interval.
    public var ratio: Double?
    /// The lower end of the interval.
    public var ratioLow: Double?
    /// The upper end of the interval.
    public var ratioHigh: Double?
    /// The cluster run.
    public var cluster: Side?
    /// The wafer run.
    public var wafer: Side?

    private enum CodingKeys: String, CodingKey {
        case reportPath = "report_path"
        case bitIdentical = "bit_identical"
        case answer
        case ratio
        case ratioLow = "ratio_low"
        case ratioHigh = "ratio_high"
        case cluster
        case wafer
    }

    /// The summary of `report`: of its first cluster run and its first wafer run.
    public init(_ report: ComparisonReport, reportPath: String?) {
        self.reportPath = reportPath
        answer = report.answer.sentence.plain
        let cluster = report.runs.first { $0.backend == .cluster }
        let wafer = report.runs.first { $0.backend == .wafer }
        self.cluster = cluster.map(Side.init)
        self.wafer = wafer.map(Side.init)
        let ids = [cluster?.runId, wafer?.runId].compactMap { $0 }
        bitIdentical =
            report.identity.first { ids.contains($0.runId) && ids.contains($0.referenceRunId) }?.bitIdentical
        let comparison = report.comparisons.first { $0.runId == cluster?.runId && $0.referenceRunId == wafer?.runId }
        ratio = comparison?.ratio
        ratioLow = comparison?.ratioLow
        ratioHigh = comparison?.ratioHigh
    }

    /// Writes every key, null where a figure is not known.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(reportPath, forKey: .reportPath)
        try container.encode(bitIdentical, forKey: .bitIdentical)
        try container.encode(answer, forKey: .answer)
        try container.encode(ratio, forKey: .ratio)
        try container.encode(ratioLow, forKey: .ratioLow)
        try container.encode(ratioHigh, forKey: .ratioHigh)
        try container.encode(cluster, forKey: .cluster)
        try container.encode(wafer, forKey: .wafer)
    }

    /// The JSON document, ending in a new line. Throws `ReportError.cannotEncode`.
    public func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            return try encoder.encode(self) + Data("\n".utf8)
        } catch {
            throw ReportError.cannotEncode(detail: String(describing: error))
        }
    }
}
