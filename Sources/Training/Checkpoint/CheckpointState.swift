import Foundation
import Jobs

/// What a checkpoint says beside weights and moments: `checkpoint.json`.
///
/// Together with the job and the dataset it is everything that the steps to come depend on: examples and random numbers
/// are functions of (seed, step), so the step is the corpus position and the random state.
public struct CheckpointState: Hashable, Sendable, Codable {
    /// The version of the folder's layout.
    public var format = Self.currentFormat
    /// Optimizer steps made.
    public var stepsMade: Int
    /// The job.
    public var job: Job
    /// Identifies the examples.
    public var datasetDigest: String
    /// Entries of the vocabulary.
    public var vocabularySize: Int
    /// SHA-256 of the weights, as runs report it.
    public var weightsDigest: String
    /// How far the job's target had been met.
    public var target: TargetTracker
    /// What held-out text said of these very weights; nil where it was not measured after this step.
    public var quality: HeldOutQuality?

    /// The version that this code reads and writes.
    public static let currentFormat = 1

    /// Why this checkpoint can't continue `plan` on the examples `datasetDigest`; nil where it can.
    ///
    /// What doesn't change a step's bits may differ: the name, evaluations, target and checkpoints.
    func obstacle(for plan: TrainingPlan, datasetDigest: String) -> (found: String, allowed: String)? {
        let mine = job
        let theirs = plan.job
        let parts: [(name: String, isEqual: Bool)] = [
            ("model", mine.model == theirs.model), ("corpus", mine.corpus.contents == theirs.corpus.contents),
            ("examples", mine.examples == theirs.examples), ("lanes", mine.lanes == theirs.lanes),
            ("seed", mine.seed == theirs.seed), ("phases", mine.phases == theirs.phases),
            ("optimizer", mine.optimizer == theirs.optimizer), ("sparsity", mine.sparsity == theirs.sparsity),
            ("compression", mine.compression == theirs.compression),
        ]
        if let part = parts.first(where: { !$0.isEqual }) {
            return ("a job with another '\(part.name)'", "the run's job")
        }
        guard vocabularySize == plan.configuration.vocabularySize else {
            return ("a vocabulary of \(vocabularySize)", "\(plan.configuration.vocabularySize)")
        }
        guard self.datasetDigest == datasetDigest else {
            return ("dataset \(self.datasetDigest)", "dataset \(datasetDigest)")
        }
        guard (0...plan.totalSteps).contains(stepsMade) else {
            return ("\(stepsMade) steps made", "0 to \(plan.totalSteps)")
        }
        return nil
    }

    /// Whether the steps to come are the same as after `other`: what has been evaluated may differ.
    func continuesLike(_ other: CheckpointState) -> Bool {
        var alike = other
        alike.target = target
        alike.quality = quality
        return self == alike
    }

    func json() throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        return Array(try encoder.encode(self)) + [UInt8(ascii: "\n")]
    }

    init(json: [UInt8], path: String) throws {
        struct Version: Decodable { var format: Int }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do {
            let format = try decoder.decode(Version.self, from: Data(json)).format
            guard format == Self.currentFormat else {
                throw TrainingError.checkpoint(
                    path: path, found: "format \(format)", allowed: "format \(Self.currentFormat)")
            }
            self = try decoder.decode(CheckpointState.self, from: Data(json))
        } catch is DecodingError {
            throw TrainingError.checkpoint(
                path: path, found: "a checkpoint.json that can't be understood", allowed: "one that this program wrote")
        }
    }
}

extension CheckpointState {
    /// The state of a run after `stepsMade` steps.
    init(
        stepsMade: Int, job: Job, datasetDigest: String, vocabularySize: Int, weightsDigest: String,
        target: TargetTracker, quality: HeldOutQuality?
    ) {
        self.stepsMade = stepsMade
        self.job = job
        self.datasetDigest = datasetDigest
        self.vocabularySize = vocabularySize
        self.weightsDigest = weightsDigest
        self.target = target
        self.quality = quality
    }
}
