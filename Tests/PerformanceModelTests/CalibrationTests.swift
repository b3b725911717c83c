import Foundation
import PerformanceModel
import Testing

/// The published tables, where `shared/published` lies beside a folder above this file.
enum Published {
    static let folder: String = {
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while folder.path.count > 1 {
            let candidate = folder.appendingPathComponent("shared/published").path
            if FileManager.default.fileExists(atPath: candidate) { return candidate }
            folder.deleteLastPathComponent()
        }
        return ""
    }()
    static var isPresent: Bool { FileManager.default.fileExists(atPath: folder + "/gpu_calibration.csv") }
}

@Suite("Calibration and validation")
struct CalibrationTests {
    @Test("every stack is read without an error, and the catalogue lists exactly the files of Resources/stacks")
    func catalogue() throws {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/PerformanceModel/Resources/stacks")
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".yaml") }
        #expect(Set(files) == Set(StackCatalogue.names.map { "\($0).yaml" } + ["shared.yaml"]))
        #expect(try Set(StackCatalogue.calibration().stacks.map(\.name)) == Set(StackCatalogue.names))
    }

    @Test("a calibration written to YAML and read again is the same")
    func roundTrip() throws {
        let calibration = try StackCatalogue.calibration()
        #expect(try SharedConstants(parsing: calibration.shared.yaml, file: "x") == calibration.shared)
        for stack in calibration.stacks { #expect(try SoftwareStack(parsing: stack.yaml, file: "x") == stack) }
    }

    @Test("a stack that nothing is known of is predicted, and flagged")
    func unknownStack() throws {
        let calibration = try StackCatalogue.calibration()
        let setup = try ClusterSetup(
            profile: HardwareCatalogue.profile("v100x8-1edr"),
            workload: Workload(
                model: .init(layers: 12, hidden: 768, heads: 12), vocabularySize: 30_522, sequence: 128,
                maskedPositions: 20, microBatch: 32, optimizer: .adamw),
            precision: .fp16, nodes: 1, devicesPerNode: 8, accumulation: 1)
        let step = ModelledStep(setup, stack: calibration.stackOrTypical("new-1.0"), calibration: calibration)
        #expect(!step.extrapolated.isEmpty)
        #expect(step.sequencesPerSecond > 0)
    }

    @Test(
        "steps that accumulate where no row does, or don't where every row does, are extrapolated and less certain",
        arguments: [("tf-19.08", 1, 128), ("pytorch-20.06", 512, 1)])
    func accumulation(stack name: String, seen: Int, unseen: Int) throws {
        let calibration = try StackCatalogue.calibration()
        let stack = try calibration.stack(name)
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        func step(_ accumulation: Int) throws -> ModelledStep {
            let setup = try ClusterSetup(
                profile: profile,
                workload: Workload(
                    model: .init(layers: 24, hidden: 1024, heads: 16), vocabularySize: 30_522, sequence: 128,
                    maskedPositions: 20, microBatch: 16, optimizer: .lamb),
                precision: .fp16, nodes: 1, devicesPerNode: 8, accumulation: accumulation)
            return ModelledStep(setup, stack: stack, calibration: calibration)
        }
        let (inside, outside) = (try step(seen), try step(unseen))
        #expect(inside.extrapolated.isEmpty)
        #expect(outside.extrapolated.count == 1 && outside.extrapolated.contains { $0.contains("micro-batch") })
        func width(_ step: ModelledStep) -> Double { step.high.seconds / step.step.seconds - 1 }
        let factor = calibration.shared.interval.extrapolatedFactor
        #expect(abs(width(outside) - factor * width(inside)) < 1e-9)
    }

    @Test("the published throughputs are predicted within 5 % on average", .enabled(if: Published.isPresent))
    func calibrationRows() throws {
        let validation = try Validation(PublishedCase.read(Published.folder + "/gpu_calibration.csv"))
        #expect(validation.rows.count == 158)
        #expect(validation.meanAbsoluteErrorPercent <= 5)
        #expect(validation.intervalCoveragePercent >= 85)
        for part in validation.byScale { #expect(part.meanAbsoluteErrorPercent <= 5, "\(part.name)") }
    }

    @Test("the shipped constants are those that the fit finds", .enabled(if: Published.isPresent))
    func shippedIsFitted() throws {
        let shipped = try StackCatalogue.calibration()
        let rows = try PublishedCase.read(Published.folder + "/gpu_calibration.csv")
        let fit = try CalibrationFit(rows: rows, base: .priors(stacks: shipped.stacks)).run()
        #expect(fit.constants.count < rows.count / 2)
        for row in rows {
            let (one, two) = (
                try shipped.sequencesPerSecond(row), try fit.calibration.sequencesPerSecond(row)
            )
            #expect(abs(one / two - 1) < 1e-3, "\(row.id)")
        }
    }

    @Test("rows that a fit has not seen are predicted nearly as well", .enabled(if: Published.isPresent))
    func crossValidation() throws {
        let shipped = try StackCatalogue.calibration()
        let rows = try PublishedCase.read(Published.folder + "/gpu_calibration.csv")
        let folds = try CrossValidation(rows: rows, base: .priors(stacks: shipped.stacks)).folds
        for fold in folds where fold.name.hasSuffix("several nodes") || fold.name.hasSuffix("several devices") {
            #expect(fold.meanAbsolutePercent <= 10, "\(fold.name)")
        }
    }

    @Test("more constants than rows are refused", .enabled(if: Published.isPresent))
    func refusesTooMany() throws {
        let rows = try Array(PublishedCase.read(Published.folder + "/gpu_calibration.csv").prefix(3))
        let fit = try CalibrationFit(rows: rows, base: StackCatalogue.calibration())
        #expect(throws: PerformanceModelError.self) {
            try fit.run([
                .matrixShare(stack: "pytorch-19.07", precision: .fp16), .launch(stack: "pytorch-19.07"),
                .elementwiseTraffic, .updateTraffic,
            ])
        }
    }

    @Test(
        "samples to the target are within 4 % of the published ones, within 6 % where their batch is held out",
        .enabled(if: Published.isPresent))
    func convergence() throws {
        let points = try ConvergenceLaw.Point.read(Published.folder + "/convergence.csv")
        let validation = try ConvergenceValidation(points)
        #expect(validation.meanAbsoluteErrorPercent <= 4)
        #expect(try #require(validation.leftOutMeanAbsoluteErrorPercent) <= 6)
    }

    @Test("one batch whose learning rate was tuned badly doesn't move the law of the others")
    func outlier() throws {
        var points = [100.0, 300, 1000, 3000, 10_000].map {
            ConvergenceLaw.Point(globalBatch: $0, samples: 500 * (1 + $0 / 2000))
        }
        points[2].samples *= 1.3
        let law = try ConvergenceLaw(fitting: points)
        #expect(abs(law.leastSamples - 500) < 1e-6)
        #expect(abs(law.criticalBatch - 2000) < 1e-6)
    }

    @Test("samples that fall with the batch, or grow as fast as it, leave a law that is flat, or in proportion")
    func edges() throws {
        let falling = try ConvergenceLaw(fitting: [
            .init(globalBatch: 10, samples: 200), .init(globalBatch: 20, samples: 190),
            .init(globalBatch: 40, samples: 180),
        ])
        #expect(abs(falling.uncorrectedSamples(globalBatch: 10) - 190) < 1e-3)
        #expect(abs(falling.uncorrectedSamples(globalBatch: 1000) - 190) < 1e-3)
        let proportional = try ConvergenceLaw(fitting: [
            .init(globalBatch: 10, samples: 20), .init(globalBatch: 20, samples: 40),
            .init(globalBatch: 40, samples: 80),
        ])
        #expect(abs(proportional.uncorrectedSamples(globalBatch: 1000) / 2000 - 1) < 0.01)
    }

    @Test("far from every measured batch only the two-constant law is left, and one batch is too few")
    func lawAlone() throws {
        let law = try ConvergenceLaw(fitting: [
            .init(globalBatch: 100, samples: 110), .init(globalBatch: 1000, samples: 200),
        ])
        #expect(abs(law.criticalBatch - 1000) < 1)
        #expect(abs(law.samples(globalBatch: 1e6) / law.uncorrectedSamples(globalBatch: 1e6) - 1) < 1e-9)
        #expect(throws: PerformanceModelError.self) {
            try ConvergenceLaw(fitting: [.init(globalBatch: 100, samples: 110)])
        }
    }
}
