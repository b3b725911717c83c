import Foundation
import Jobs
import Testing
import Training

@Suite("A checkpoint")
struct CheckpointTests {
    @Test(
        "continues to the same bits as a run that never stopped", arguments: [1, 3, 4, 5],
        [OptimizerSettings.Kind.adamw, .lamb])
    func resume(at step: Int, kind: OptimizerSettings.Kind) throws {
        let job = Sample.job(optimizer: OptimizerSettings(kind: kind))
        let folder = try TemporaryFolder()
        let store = CheckpointStore(directory: folder.path + "/checkpoints")
        let first = try Sample.trainer(job, threads: 2)
        let before = try train(first, to: step)
        let written = try first.writeCheckpoint(to: store, target: TargetTracker(target: nil))
        let rest = try train(first)

        let second = try Sample.trainer(job)
        let state = try second.restore(from: written)
        #expect(state.stepsMade == step)
        #expect(state.weightsDigest == before.digest)
        #expect(try train(second) == rest)
    }

    @Test("keeps as many of the newest as the job says")
    func retention() throws {
        var job = Sample.job()
        job.checkpoints.keepLast = 2
        let folder = try TemporaryFolder()
        let store = CheckpointStore(directory: folder.path)
        let trainer = try Sample.trainer(job)
        for step in 1...4 {
            _ = try train(trainer, to: step)
            try trainer.writeCheckpoint(to: store, target: TargetTracker(target: nil))
        }
        #expect(store.checkpoints.map(\.stepsMade) == [4, 3])
        #expect(
            try Set(FileManager.default.contentsOfDirectory(atPath: folder.path)) == ["step-00000003", "step-00000004"])
    }

    /// Steps 2, 4 and 6 are evaluated; accuracies and losses disagree on which is the best.
    @Test(
        "of the best quality is kept beside the newest",
        arguments: [
            (CheckpointSettings.Measure.maskedAccuracy, [6, 2]), (.maskedLoss, [6, 4]),
            (CheckpointSettings.Measure?.none, [6]),
        ])
    func bestIsKept(measure: CheckpointSettings.Measure?, kept: [Int]) throws {
        var job = Sample.job()
        job.checkpoints = CheckpointSettings(everySteps: 1, keepLast: 1, keepBest: measure)
        let folder = try TemporaryFolder()
        let store = CheckpointStore(directory: folder.path)
        let trainer = try Sample.trainer(job)
        var target = TargetTracker(target: nil)
        let qualities = [2: (0.3, 4.0), 4: (0.1, 3.0), 6: (0.2, 5.0)]
        for step in 1...6 {
            _ = try train(trainer, to: step)
            if let (accuracy, loss) = qualities[step] { target.observe(maskedAccuracy: accuracy, maskedLoss: loss) }
            try trainer.writeCheckpoint(to: store, target: target)
        }
        #expect(store.checkpoints.map(\.stepsMade) == kept)
        if let measure {
            #expect(store.best(by: measure) == store.checkpoints.last?.folder)
            #expect(try store.best(by: measure)?.verify().stepsMade == kept.last)
        }
    }

    @Test(
        "F31: that another worker may be reading is not taken away to write the same again, unless its quality is wanted",
        arguments: [CheckpointSettings.Measure?.none, .maskedLoss])
    func writtenTwice(measure: CheckpointSettings.Measure?) throws {
        var job = Sample.job()
        job.checkpoints = CheckpointSettings(everySteps: 2, keepLast: 1, keepBest: measure)
        let folder = try TemporaryFolder()
        let store = CheckpointStore(directory: folder.path)
        let trainer = try Sample.trainer(job)
        _ = try train(trainer, to: 2)
        var target = TargetTracker(target: nil)
        // As when a run is cancelled before the evaluation that is due, and again when it goes on.
        let first = try trainer.writeCheckpoint(to: store, target: target)
        func number() throws -> UInt64? {
            let file = first.path + "/weights.safetensors"
            return try FileManager.default.attributesOfItem(atPath: file)[.systemFileNumber] as? UInt64
        }
        let before = try number()
        target.observe(maskedAccuracy: 0.5, maskedLoss: 2)
        #expect(try trainer.writeCheckpoint(to: store, target: target) == first)
        if measure == nil { #expect(try before != nil && number() == before) }
        #expect(try first.verify().quality?.maskedLoss == (measure == nil ? nil : 2))
    }

    @Test("without a readable state is no candidate for the best, and a loss that is no number is no quality")
    func bestAmongDamaged() throws {
        var job = Sample.job()
        job.checkpoints = CheckpointSettings(everySteps: 2, keepLast: 5, keepBest: .maskedLoss)
        let folder = try TemporaryFolder()
        let store = CheckpointStore(directory: folder.path)
        let trainer = try Sample.trainer(job)
        var target = TargetTracker(target: nil)
        for (step, loss) in [(2, 1.0), (4, 2.0), (6, Double.nan)] {
            _ = try train(trainer, to: step)
            target.observe(maskedAccuracy: 0.5, maskedLoss: loss)
            try trainer.writeCheckpoint(to: store, target: target)
        }
        #expect(try store.checkpoints[0].folder.verify().quality == nil)
        try Data("{".utf8).write(to: URL(filePath: store.checkpoints[2].folder.path + "/checkpoint.json"))
        #expect(store.best(by: .maskedLoss) == store.checkpoints[1].folder)
    }

    @Test(
        "F31: that was damaged is named, and the one before it serves",
        arguments: [
            "weights.safetensors", "first_moments.safetensors", "second_moments.safetensors", "checkpoint.json",
            "SHA256SUMS",
        ])
    func damage(file: String) throws {
        let folder = try TemporaryFolder()
        let (store, trainer) = try twoCheckpoints(in: folder)
        let newest = store.checkpoints[0].folder
        let path = "\(newest.path)/\(file)"
        var bytes = try Data(contentsOf: URL(filePath: path))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(filePath: path))

        let error = try #require(throws: TrainingError.self) { try trainer.restore(from: newest) }
        #expect(error.description.contains(newest.path))
        let (found, passedOver) = store.newestWhole()
        #expect(found?.state.stepsMade == 1)
        #expect(passedOver.count == 1)
    }

    @Test("F31: with a file cut short or missing is refused", arguments: [true, false])
    func truncation(isMissing: Bool) throws {
        let folder = try TemporaryFolder()
        let (store, trainer) = try twoCheckpoints(in: folder)
        let newest = store.checkpoints[0].folder
        let path = "\(newest.path)/second_moments.safetensors"
        if isMissing {
            try FileManager.default.removeItem(atPath: path)
        } else {
            try Data(contentsOf: URL(filePath: path)).dropLast().write(to: URL(filePath: path))
        }
        #expect(throws: TrainingError.self) { try trainer.restore(from: newest) }
        #expect(store.newestWhole().found?.state.stepsMade == 1)
    }

    @Test("of another job or dataset is refused, naming what differs")
    func otherJob() throws {
        let folder = try TemporaryFolder()
        let (store, _) = try twoCheckpoints(in: folder)
        let newest = store.checkpoints[0].folder
        let error = try #require(throws: TrainingError.self) {
            try Sample.trainer(Sample.job(seed: 9)).restore(from: newest)
        }
        #expect(error.description.contains("'seed'"))
        let source = RandomStepSource(vocabularySize: 200, seed: 99)
        let other = try #require(throws: TrainingError.self) {
            try Sample.trainer(Sample.job(), source: source).restore(from: newest)
        }
        #expect(other.description.contains("dataset"))
    }

    @Test("may be continued under another name, evaluation and target")
    func renamedJob() throws {
        let folder = try TemporaryFolder()
        let (store, _) = try twoCheckpoints(in: folder)
        var job = Sample.job()
        job.name = "other"
        job.evaluation.everySteps = 1
        job.target = Target(quality: .maskedAccuracy(0.9))
        let trainer = try Sample.trainer(job)
        try trainer.restore(from: store.checkpoints[0].folder)
        #expect(trainer.stepsMade == 2)
    }

    @Test("keeps how far the target had been met")
    func target() throws {
        let folder = try TemporaryFolder()
        let trainer = try Sample.trainer(Sample.job())
        var tracker = TargetTracker(target: Target(quality: .maskedAccuracy(0.1), consecutive: 3))
        tracker.observe(maskedAccuracy: 0.2, maskedLoss: 1)
        let written = try trainer.writeCheckpoint(to: CheckpointStore(directory: folder.path), target: tracker)
        #expect(try written.verify().target == tracker)
    }

    @Test("F31: in a place that can't be written is an error that names it")
    func unwritable() throws {
        let folder = try TemporaryFolder()
        try Data().write(to: URL(filePath: folder.path + "/file"))
        let store = CheckpointStore(directory: folder.path + "/file/checkpoints")
        let error = try #require(throws: TrainingError.self) {
            try Sample.trainer(Sample.job()).writeCheckpoint(to: store, target: TargetTracker(target: nil))
        }
        #expect(error.description.contains(store.directory))
    }

    private func twoCheckpoints(in folder: TemporaryFolder) throws -> (CheckpointStore, Trainer) {
        let store = CheckpointStore(directory: folder.path)
        let trainer = try Sample.trainer(Sample.job())
        for step in 1...2 {
            _ = try train(trainer, to: step)
            try trainer.writeCheckpoint(to: store, target: TargetTracker(target: nil))
        }
        return (store, trainer)
    }
}
