import BERT
import Foundation
import Jobs

/// The checkpoints of one run: folders `step-00000100` in one directory, of which the newest and the best are kept.
public struct CheckpointStore: Hashable, Sendable {
    /// The directory.
    public let directory: String

    /// The checkpoints in `directory`, which is made when the first is written.
    public init(directory: String) { self.directory = directory }

    /// All checkpoints by their names, newest first; nothing is verified.
    public var checkpoints: [(stepsMade: Int, folder: CheckpointFolder)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        return names.compactMap { name in
            guard name.hasPrefix("step-"), let steps = Int(name.dropFirst(5)), steps >= 0 else { return nil }
            return (steps, CheckpointFolder(path: "\(directory)/\(name)"))
        }.sorted { $0.stepsMade > $1.stepsMade }
    }

    /// The newest checkpoint that is whole, and why newer ones were passed over.
    ///
    /// A checkpoint that doesn't verify is left where it is; the one before it serves.
    public func newestWhole() -> (
        found: (folder: CheckpointFolder, state: CheckpointState)?, passedOver: [TrainingError]
    ) {
        var passedOver: [TrainingError] = []
        for (_, folder) in checkpoints {
            do {
                return ((folder, try folder.verify()), passedOver)
            } catch let error as TrainingError {
                passedOver.append(error)
            } catch {
                passedOver.append(.checkpoint(path: folder.path, found: "\(error)", allowed: "a readable folder"))
            }
        }
        return (nil, passedOver)
    }

    /// Where the checkpoint after `stepsMade` steps lies or is to lie.
    func folder(stepsMade: Int) throws -> CheckpointFolder {
        do {
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        } catch {
            throw TrainingError.checkpoint(
                path: directory, found: "a directory that can't be made: \(error.localizedDescription)",
                allowed: "a writable place")
        }
        let digits = String(stepsMade)
        return CheckpointFolder(
            path: "\(directory)/step-\(String(repeating: "0", count: max(0, 8 - digits.count)))\(digits)")
    }

    /// The checkpoint of the best quality by `measure`, the newer of equal ones; nil where none was evaluated.
    ///
    /// What checkpoints say of themselves is believed unverified, and one that says nothing readable is passed over.
    public func best(by measure: CheckpointSettings.Measure) -> CheckpointFolder? {
        var best: (folder: CheckpointFolder, quality: HeldOutQuality)?
        for (_, folder) in checkpoints {
            guard let quality = try? folder.readState().quality else { continue }
            if let known = best?.quality, !quality.isBetter(than: known, by: measure) { continue }
            best = (folder, quality)
        }
        return best?.folder
    }

    /// Removes all but the newest checkpoints and the best one that `settings` keeps, and what a process that was killed
    /// while writing left.
    func retain(_ settings: CheckpointSettings) {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory)) ?? []
        for name in names where name.hasPrefix(".step-") && name.hasSuffix(".partial") {
            AtomicFolder.remove("\(directory)/\(name)")
        }
        let best = settings.keepBest.flatMap(best)
        for (_, folder) in checkpoints.dropFirst(max(1, settings.keepLast)) where folder != best {
            AtomicFolder.remove(folder.path)
        }
    }
}

extension Trainer {
    /// Writes a checkpoint of everything that the steps to come depend on, then removes those that the job doesn't keep.
    ///
    /// - Parameters:
    ///   - store: the run's checkpoints.
    ///   - target: how far the job's target has been met, with the evaluation after the last step where there was one.
    /// - Returns: the new folder. One that is there for this step already is kept where it continues the same run, since
    ///   another worker may just be reading it; else, and where its quality is wanted and not that in it, it is replaced.
    /// - Throws: `ModelFileError` where it can't be written: older checkpoints are then still there.
    @discardableResult
    public func writeCheckpoint(to store: CheckpointStore, target: TargetTracker) throws -> CheckpointFolder {
        let folder = try store.folder(stepsMade: stepsMade)
        let state = CheckpointState(
            stepsMade: stepsMade, job: plan.job, datasetDigest: source.digest,
            vocabularySize: plan.configuration.vocabularySize, weightsDigest: weightsDigest(), target: target,
            quality: plan.evaluates(stepsMade: stepsMade) ? target.latest : nil)
        if FileManager.default.fileExists(atPath: folder.path) {
            if let found = try? folder.verify(),
                found == state || (plan.job.checkpoints.keepBest == nil && found.continuesLike(state))
            {
                return folder
            }
            AtomicFolder.remove(folder.path)
        }
        try folder.write(
            layout: plan.layout, state: state,
            buffers: (
                UnsafePointer(weights.pointer), UnsafePointer(optimizer.firstMoments.pointer),
                UnsafePointer(optimizer.secondMoments.pointer)
            ), masks: sparsity?.masks)
        store.retain(plan.job.checkpoints)
        return folder
    }

    /// Continues where a checkpoint was written: the steps to come give the same bits as if nothing had stopped.
    ///
    /// - Returns: the state, with how far the target had been met.
    /// - Throws: `TrainingError.checkpoint` where a file is missing or changed, or the job or dataset is another; the
    ///   trainer must then not be used further.
    @discardableResult
    public func restore(from folder: CheckpointFolder) throws -> CheckpointState {
        let state = try folder.verify()
        if let (found, allowed) = state.obstacle(for: plan, datasetDigest: source.digest) {
            throw TrainingError.checkpoint(path: folder.path, found: found, allowed: allowed)
        }
        try folder.read(CheckpointFolder.weightsFile, layout: plan.layout, into: weights.pointer)
        try folder.read(CheckpointFolder.firstMomentsFile, layout: plan.layout, into: optimizer.firstMoments.pointer)
        try folder.read(CheckpointFolder.secondMomentsFile, layout: plan.layout, into: optimizer.secondMoments.pointer)
        if let masks = sparsity?.masks { try folder.read(masks: masks) }
        try resume(stepsMade: state.stepsMade)
        let digest = weightsDigest()
        guard digest == state.weightsDigest else {
            throw TrainingError.checkpoint(
                path: folder.path, found: "weights \(digest.prefix(16))…", allowed: "\(state.weightsDigest.prefix(16))…"
            )
        }
        return state
    }
}
