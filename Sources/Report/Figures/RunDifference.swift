import Foundation
import Jobs
import Runs

/// What changed from one run to another: in what was asked for, in where a step's time goes, and in what came of it.
public struct RunDifference: Sendable, Encodable {
    /// A setting that is not the same in both. A missing value stands for a setting that the run doesn't have.
    public struct Setting: Sendable, Encodable {
        /// The job file's key, or `run.…` and `machine.…`.
        public var key: String
        public var value: String?
        public var referenceValue: String?
    }

    /// A phase of training, in host seconds a step: the mean over the steps and workers of each run.
    public struct PhaseDifference: Sendable, Encodable {
        /// Its number, from 1, and its sequence length in tokens.
        public var phase: Int
        public var sequenceTokens: Int
        /// Steps on record.
        public var steps: Int
        public var referenceSteps: Int
        /// Parts of a step, the one that changed most first.
        public var parts: [PartDifference]
        /// The mean step.
        public var stepHostSeconds: Double
        public var referenceStepHostSeconds: Double
        /// The step's time over the reference's and its 95 % interval; nil with fewer than ten steps.
        public var ratio: Double?
        public var ratioLow: Double?
        public var ratioHigh: Double?
        public var verdict: RatioInterval.Verdict?
    }

    /// A part of a step.
    public struct PartDifference: Sendable, Encodable {
        public var part: String
        public var hostSeconds: Double
        public var referenceHostSeconds: Double
        /// `hostSeconds` less `referenceHostSeconds`.
        public var differenceHostSeconds: Double
    }

    /// A figure of the whole run.
    public struct FigureDifference: Sendable, Encodable {
        /// The figure's key in a report's document.
        public var key: String
        public var value: Double?
        public var referenceValue: Double?
        /// `value` over `referenceValue`, where that says something.
        public var ratio: Double?
    }

    public var runId: String
    public var referenceRunId: String
    /// Whether losses at every step and the weights are equal to the bit; nil where they can't be compared.
    public var bitIdentical: Bool?
    public var configuration: [Setting]
    /// What compressing gradients did to the loss; nil where the two differ in more than that, or not in that.
    public var compression: CompressionEffect?
    public var phases: [PhaseDifference]
    /// Figures that are not the same, the largest change first.
    public var figures: [FigureDifference]

    /// What changed from `reference` to `record`.
    ///
    /// - Throws: `ReportError.cannotEncode`.
    public init(_ record: RunRecord, from reference: RunRecord) throws {
        runId = record.run.id.text
        referenceRunId = reference.run.id.text
        bitIdentical = Self.bitIdentical(record, reference)
        configuration = try Self.settings(record.run, reference.run)
        compression = CompressionEffect(record, beside: reference)
        phases = zip(record.run.job.phases, reference.run.job.phases).enumerated().compactMap { index, pair in
            PhaseDifference(index, of: record, from: reference)
        }
        figures = Self.figures(record, reference)
    }

    /// The document that `diff --json` prints. Throws `ReportError.cannotEncode`.
    public func json() throws -> Data { try JSONRenderer.document(self) }

    private static func bitIdentical(_ record: RunRecord, _ reference: RunRecord) -> Bool? {
        guard let digest = record.run.outcome?.weightsDigest, let other = reference.run.outcome?.weightsDigest,
            record.steps.count == reference.steps.count
        else { return nil }
        return digest == other
            && zip(record.steps, reference.steps).allSatisfy { $0.loss.bitPattern == $1.loss.bitPattern }
    }

    private static func figures(_ record: RunRecord, _ reference: RunRecord) -> [FigureDifference] {
        let (mine, other) = (RunFigures(record, label: ""), RunFigures(reference, label: ""))
        let all = FigureDefinition.all.compactMap { definition -> FigureDifference? in
            let (value, referenceValue) = (definition.value(mine), definition.value(other))
            guard value != referenceValue else { return nil }
            var ratio: Double?
            if definition.isCompared, let value, let referenceValue { ratio = finite(value / referenceValue) }
            return FigureDifference(key: definition.key, value: value, referenceValue: referenceValue, ratio: ratio)
        }
        func size(_ figure: FigureDifference) -> Double { figure.ratio.map { $0 > 0 ? abs(log($0)) : .infinity } ?? 0 }
        // Equal changes stay in the tables' order.
        return all.enumerated().sorted { (size($0.element), -$0.offset) > (size($1.element), -$1.offset) }.map(
            \.element)
    }
}

extension RunDifference.PhaseDifference {
    /// Phase `index`; nil where one of the two has made no step of it.
    fileprivate init?(_ index: Int, of record: RunRecord, from reference: RunRecord) {
        let mine = PhaseRecord(index, of: record)
        let other = PhaseRecord(index, of: reference)
        guard let parts = StepParts(meanOf: mine.workers), let referenceParts = StepParts(meanOf: other.workers),
            !mine.steps.isEmpty, !other.steps.isEmpty
        else { return nil }
        phase = index + 1
        sequenceTokens = record.run.job.phases[index].sequence
        steps = mine.steps.count
        referenceSteps = other.steps.count
        self.parts = zip(parts.all, referenceParts.all).map { part, reference in
            RunDifference.PartDifference(
                part: part.part.rawValue, hostSeconds: part.seconds, referenceHostSeconds: reference.seconds,
                differenceHostSeconds: part.seconds - reference.seconds)
        }.sorted { abs($0.differenceHostSeconds) > abs($1.differenceHostSeconds) }
        stepHostSeconds = mine.steps.reduce(0, +) / Double(mine.steps.count)
        referenceStepHostSeconds = other.steps.reduce(0, +) / Double(other.steps.count)
        // Runs may have different numbers of steps: the ratio is of means.
        let scale = Double(other.steps.count) / Double(mine.steps.count)
        guard min(mine.steps.count, other.steps.count) >= Comparison.fewestSteps,
            let interval = RatioInterval(
                of: RatioInterval.Series(steps: mine.steps.map { $0 * scale }),
                over: RatioInterval.Series(steps: other.steps))
        else { return }
        ratio = interval.ratio
        ratioLow = interval.low
        ratioHigh = interval.high
        verdict = interval.verdict
    }
}

/// What is on record of one phase.
private struct PhaseRecord {
    /// Durations of its steps, in host seconds.
    var steps: [Double]
    var workers: [WorkerStepRecord]

    init(_ index: Int, of record: RunRecord) {
        let phases = record.run.job.phases
        let first = phases.prefix(index).reduce(0) { $0 + $1.steps }
        let range = first..<first + phases[index].steps
        steps = record.steps.filter { range.contains($0.step.index) }.map(\.duration.seconds)
        workers = record.workerSteps.filter { range.contains($0.step.index) }
    }
}
