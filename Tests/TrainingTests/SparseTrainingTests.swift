import BERT
import Foundation
import Jobs
import Testing
import Training

@Suite("Sparse training")
struct SparseTrainingTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        var settings: SparsitySettings
        var optimizer: OptimizerSettings.Kind
        var testDescription: String {
            "\(settings.method.name) \(settings.pattern.name) \(settings.density) \(optimizer.rawValue)"
        }

        init(
            _ density: Double, _ pattern: SparsityPattern, _ method: SparsityMethod,
            _ optimizer: OptimizerSettings.Kind,
            _ matrices: [SparsitySettings.Matrix] = SparsitySettings.Matrix.allCases
        ) {
            settings = SparsitySettings(density: density, pattern: pattern, method: method, matrices: matrices)
            self.optimizer = optimizer
        }

        var job: Job {
            var job = Sample.job(optimizer: OptimizerSettings(kind: optimizer))
            job.sparsity = settings
            return job
        }
    }

    // Six steps: the ramps go through densities that are multiplied with zeros and such that are not.
    static let ramp = SparsityMethod.magnitude(MagnitudeRamp(startStep: 1, rampSteps: 3, updateEvery: 2))
    static let regrow = SparsityMethod.regrow(Regrowth(share: 0.5, updateEvery: 2, stopStep: 6))
    static let kinds = [
        Kind(0.25, .unstructured, .fixed, .adamw), Kind(0.6, .unstructured, .fixed, .lamb),
        Kind(0.25, .block4, .fixed, .lamb), Kind(0.25, .unstructured, ramp, .adamw),
        Kind(0.25, .unstructured, regrow, .adamw), Kind(0.25, .unstructured, regrow, .lamb),
        Kind(0.25, .block4, regrow, .adamw, [.intermediate, .output]),
        Kind(0.25, .nOfM(kept: 1, group: 4), regrow, .lamb), Kind(0.5, .nOfM(kept: 2, group: 4), .fixed, .adamw),
        Kind(
            0.25, .nOfM(kept: 2, group: 8),
            .magnitude(MagnitudeRamp(startStep: 2, rampSteps: 0, updateEvery: 1)), .adamw),
    ]

    /// Mask of a trainer, by tensor: which elements are kept.
    private func kept(_ trainer: Trainer) throws -> [(tensor: ParameterTensor, keeps: [Bool])] {
        let masks = try #require(trainer.masks)
        return masks.layout.tensors.map { masked in
            let words = masks.words + masked.words.lowerBound
            return (
                masked.tensor,
                (0..<masked.rows * masked.columns).map { index in
                    let (row, column) = index.quotientAndRemainder(dividingBy: masked.columns)
                    return words[row * masked.wordsOfRow + column / 64] >> UInt64(column % 64) & 1 == 1
                }
            )
        }
    }

    @Test("keeps masked weights, their gradients and moments at exactly zero, and the job's density", arguments: kinds)
    func exactZeros(kind: Kind) throws {
        let trainer = try Sample.trainer(kind.job, threads: 2)
        for index in 0..<6 {
            try trainer.loadStep(StepNumber(index))
            _ = try trainer.computeGradients(StepNumber(index))
            let gradient = Array(trainer.gradient)
            let before = try kept(trainer)
            let isMasked =
                trainer.sparsitySchedule?.needsAllGradients(at: index) == false
                && trainer.sparsitySchedule?.skipsZeros(at: index) == true
            for (tensor, keeps) in before where isMasked {
                #expect(zip(gradient[tensor.range], keeps).allSatisfy { $1 || $0 == 0 })
            }
            _ = try trainer.applyOptimizer(StepNumber(index))
        }
        for (tensor, keeps) in try kept(trainer) {
            for buffer in trainer.state.prefix(3) {
                #expect(zip(buffer[tensor.range], keeps).allSatisfy { $1 || $0.bitPattern == 0 }, "\(tensor.name)")
            }
            // Kept weights have been trained.
            let moving = zip(trainer.state[2][tensor.range], keeps).filter { $1 && $0 > 0 }.count
            #expect(moving > keeps.filter { $0 }.count / 2)
            let units = kind.settings.pattern == .block4 ? keeps.count / 4 : keeps.count
            let due = Int((kind.settings.density * Double(units)).rounded()) * (keeps.count / units)
            #expect(keeps.filter { $0 }.count == due, "\(tensor.name)")
        }
    }

    @Test("keeps whole units of the pattern", arguments: kinds)
    func patterns(kind: Kind) throws {
        let trainer = try Sample.trainer(kind.job)
        _ = try train(trainer)
        for (tensor, keeps) in try kept(trainer) {
            let columns = tensor.shape[1]
            switch kind.settings.pattern {
            case .unstructured: break
            case .block4:
                for index in keeps.indices {
                    let (row, column) = index.quotientAndRemainder(dividingBy: columns)
                    #expect(keeps[index] == keeps[row / 4 * 4 * columns + column])
                }
            case .nOfM(let count, let group):
                for start in stride(from: 0, to: keeps.count, by: group) {
                    #expect(keeps[start..<start + group].filter { $0 }.count == count)
                }
            }
        }
    }

    @Test("gives the same bits on any number of threads and processes", arguments: kinds)
    func sameBits(kind: Kind) throws {
        let whole = try train(Sample.trainer(kind.job))
        #expect(try train(Sample.trainer(kind.job, threads: 4)) == whole)
        for shares in [[0..<2, 2..<4], [0..<1, 1..<4], [0..<1, 1..<2, 2..<3, 3..<4]] {
            for trace in try train(shares.map { try Sample.trainer(kind.job, lanes: $0) }) { #expect(trace == whole) }
        }
    }

    @Test("goes on from a checkpoint to the same bits", arguments: kinds, [1, 2, 3, 5])
    func resume(kind: Kind, at step: Int) throws {
        let folder = try TemporaryFolder()
        let first = try Sample.trainer(kind.job, threads: 2)
        _ = try train(first, to: step)
        let written = try first.writeCheckpoint(
            to: CheckpointStore(directory: folder.path), target: TargetTracker(target: nil))
        let rest = try train(first)
        let second = try Sample.trainer(kind.job)
        try second.restore(from: written)
        #expect(try train(second) == rest)
    }

    @Test("goes on from a peer's state to the same bits", arguments: kinds)
    func transfer(kind: Kind) throws {
        let first = try Sample.trainer(kind.job)
        _ = try train(first, to: 3)
        let second = try Sample.trainer(kind.job)
        for (into, from) in zip(second.state, first.state) { _ = into.update(fromContentsOf: from) }
        try second.resume(stepsMade: 3)
        #expect(try train(second) == (try train(first)))
    }

    @Test("F31, B10: a checkpoint whose masks are damaged, missing or of another size is refused", arguments: 0..<3)
    func damagedMasks(damage: Int) throws {
        let folder = try TemporaryFolder()
        let trainer = try Sample.trainer(Self.kinds[0].job)
        let written = try trainer.writeCheckpoint(
            to: CheckpointStore(directory: folder.path), target: TargetTracker(target: nil))
        let path = "\(written.path)/masks.bin"
        var bytes = try Data(contentsOf: URL(filePath: path))
        switch damage {
        case 0: bytes[7] ^= 1
        case 1: bytes.removeLast()
        default: bytes = Data()
        }
        if bytes.isEmpty {
            try FileManager.default.removeItem(atPath: path)
        } else {
            try bytes.write(to: URL(filePath: path))
        }
        let error = try #require(throws: TrainingError.self) { try trainer.restore(from: written) }
        #expect(error.description.contains("masks.bin"))
    }

    @Test("a checkpoint of a dense job is refused by a sparse one, and the reverse")
    func otherSparsity() throws {
        let folder = try TemporaryFolder()
        let dense = try Sample.trainer(Sample.job())
        let sparse = try Sample.trainer(Self.kinds[0].job)
        let store = CheckpointStore(directory: folder.path)
        for (writer, reader) in [(dense, sparse), (sparse, dense)] {
            let written = try writer.writeCheckpoint(to: store, target: TargetTracker(target: nil))
            let error = try #require(throws: TrainingError.self) { try reader.restore(from: written) }
            #expect(error.description.contains("sparsity"))
            try FileManager.default.removeItem(atPath: written.path)
        }
    }

    @Test("exchanges weights at its steps alone, as many as the schedule says")
    func exchanges() throws {
        let kind = Kind(0.25, .unstructured, Self.regrow, .adamw)
        let trainer = try Sample.trainer(kind.job)
        for index in 0..<6 {
            let before = try kept(trainer)
            _ = try train(trainer, to: index + 1)
            for ((tensor, old), (_, new)) in zip(before, try kept(trainer)) {
                let grown = zip(old, new).filter { !$0 && $1 }.count
                let gone = zip(old, new).filter { $0 && !$1 }.count
                #expect(grown == gone)
                if case .exchange(let share)? = trainer.sparsitySchedule?.change(at: index) {
                    // What gave way may have come back, but not all of it.
                    #expect(grown > 0 && grown <= Int(share * Double(old.filter { $0 }.count)), "\(tensor.name)")
                } else {
                    #expect(grown == 0)
                }
            }
        }
    }

    @Test("prunes by magnitude: what goes is smaller than what stays")
    func magnitude() throws {
        let kind = Kind(
            0.3, .unstructured, .magnitude(MagnitudeRamp(startStep: 0, rampSteps: 0, updateEvery: 1)), .adamw)
        let dense = try Sample.trainer(Sample.job())
        let weights = Array(dense.parameters)
        let trainer = try Sample.trainer(kind.job)
        _ = try train(trainer, to: 1)
        for (tensor, keeps) in try kept(trainer) {
            let stays = zip(weights[tensor.range], keeps).filter(\.1).map { abs($0.0) }.min() ?? 0
            let goes = zip(weights[tensor.range], keeps).filter { !$0.1 }.map { abs($0.0) }.max() ?? .infinity
            #expect(stays >= goes)
        }
    }

    @Test("another seed draws other masks of the same density")
    func seeds() throws {
        var job = Self.kinds[0].job
        let first = try kept(Sample.trainer(job)).flatMap(\.keeps)
        #expect(try kept(Sample.trainer(job)).flatMap(\.keeps) == first)
        job.seed += 1
        let other = try kept(Sample.trainer(job)).flatMap(\.keeps)
        #expect(other != first)
        // A quarter of a quarter is kept by both, within five deviations.
        let both = Double(zip(first, other).filter { $0 && $1 }.count) / Double(first.count)
        #expect(abs(both - 1 / 16.0) < 5 * (1 / 16.0 / Double(first.count)).squareRoot())
    }
}

@Suite("A sparsity schedule")
struct SparsityScheduleTests {
    private func schedule(_ method: SparsityMethod, density: Double = 0.2) -> SparsitySchedule {
        SparsitySchedule(SparsitySettings(density: density, method: method))
    }

    @Test("falls along Zhu and Gupta's cube and stays")
    func ramp() {
        let ramp = schedule(.magnitude(MagnitudeRamp(startStep: 10, rampSteps: 20, updateEvery: 8)))
        #expect((0...10).allSatisfy { ramp.density(of: $0) == 1 })
        #expect((0..<40).filter { ramp.change(at: $0) != nil } == [10, 18, 26, 30])
        #expect(ramp.change(at: 10) == .prune(density: 1))
        let due = 1 - 0.8 * (1 - 0.6 * 0.6 * 0.6)
        #expect(abs(ramp.density(of: 19) - due) < 1e-12)
        #expect(ramp.density(of: 26) == ramp.density(of: 19))
        #expect(ramp.density(of: 30) > 0.2 && ramp.density(of: 31) == 0.2 && ramp.density(of: 99) == 0.2)
        #expect((0..<40).allSatisfy { !ramp.needsAllGradients(at: $0) })
    }

    @Test("exchanges along RigL's cosine until it stops")
    func regrowth() throws {
        let regrow = schedule(.regrow(Regrowth(share: 0.3, updateEvery: 5, stopStep: 20)))
        #expect((0..<40).filter { regrow.change(at: $0) != nil } == [5, 10, 15])
        #expect((0..<40).filter(regrow.needsAllGradients(at:)) == [5, 10, 15])
        guard case .exchange(let share)? = regrow.change(at: 10) else {
            Issue.record("no exchange")
            return
        }
        #expect(abs(share - 0.15) < 1e-12)
        #expect((0..<40).allSatisfy { regrow.density(of: $0) == 0.2 })
    }

    @Test("multiplies zeros only above the fixed limit")
    func limit() {
        #expect(schedule(.fixed, density: SparsitySchedule.densityLimit).skipsZeros(at: 0))
        #expect(!schedule(.fixed, density: SparsitySchedule.densityLimit + 0.01).skipsZeros(at: 0))
    }
}
