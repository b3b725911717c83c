import Foundation
import Jobs
import PerformanceModel
import Testing

@Suite("What published rows contradict each other by")
struct ScatterTests {
    private static func read<Rows>(_ lines: [String], _ body: (String) throws -> Rows) throws -> Rows {
        let path = NSTemporaryDirectory() + "scatter-\(UUID().uuidString).csv"
        try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        defer { try? FileManager.default.removeItem(atPath: path) }
        return try body(path)
    }

    private static func points(_ residual: (Int) -> Double) -> [ConvergenceLaw.Point] {
        (0..<8).map { index in
            let batch = 256 * pow(2, Double(index))
            return .init(globalBatch: batch, samples: 1e6 * (1 + batch / 4_000) * exp(residual(index)))
        }
    }

    @Test("rows on the law scatter by nothing; rows that leave it alternately, by about as much as they do")
    func smoothScatter() throws {
        let smooth = try #require(try ConvergenceValidation(Self.points { _ in 0 }).scatter)
        #expect(smooth.deviationPercent < 0.01)
        let rough = try #require(try ConvergenceValidation(Self.points { $0.isMultiple(of: 2) ? 0.1 : -0.1 }).scatter)
        // A straight line through neighbours that are 0.1 off misses by 0.2, of a standard deviation of sqrt(1.5).
        #expect(abs(rough.deviationPercent - 20 / 1.5.squareRoot()) < 2)
        #expect(rough.knownLawErrorPercent < rough.deviationPercent)
        #expect(rough.leftOutErrorPercent > rough.knownLawErrorPercent)
    }

    @Test("two batches tell nothing of scatter")
    func tooFew() throws {
        #expect(try ConvergenceValidation(Array(Self.points { _ in 0 }.prefix(2))).scatter == nil)
    }

    @Test("rows of one configuration leave an error that no single prediction can avoid")
    func replicates() throws {
        func row(_ id: String, micro: Int, _ rate: Double) -> String {
            "\(id),pytorch-20.06,dgx1-v100-16g,bert-large,128,20,fp16,1,1,\(micro),1,lamb,\(rate)"
        }
        let cases = try Self.read(
            [
                PublishedCase.columns.joined(separator: ","), row("a", micro: 4, 100), row("b", micro: 4, 110),
                row("c", micro: 8, 150),
            ], PublishedCase.read)
        let validation = try Validation(cases)
        let replicates = try #require(validation.replicates)
        #expect(replicates.rows == 2 && replicates.configurations == 1)
        // The best prediction of 100 and 110 is 100: one row is hit, the other missed by a tenth of 110 / 100.
        #expect(abs(replicates.leastMeanAbsoluteErrorPercent - 100 * (1 - 100.0 / 110) / 2) < 1e-9)
        #expect(try Validation(Array(cases.suffix(2))).replicates == nil)
    }

    @Test("trainings that took fewer device-hours on more devices leave an error that no model can avoid")
    func deviceHours() throws {
        let header =
            "id,stack,hardware,model,precision,nodes,gpus_per_node,phase1_sequence,phase1_steps,phase1_global_batch,"
            + "phase2_sequence,phase2_steps,phase2_global_batch,optimizer,accumulation_phase1_phase2,hours"
        func row(_ id: String, nodes: Int, _ accumulation: String, _ hours: Double) -> String {
            "\(id),tf-19.08,dgx1-v100-16g,bert-large,fp16,\(nodes),8,128,7038,65536,512,1563,32768,lamb,"
                + "\"\(accumulation)\",\(hours)"
        }
        func least(_ hours: Double) throws -> Double {
            let trainings = try Self.read(
                [header, row("a", nodes: 1, "512,1024", 100), row("b", nodes: 4, "128,256", hours)],
                PublishedTraining.read)
            return try TrainingValidation(trainings).leastMeanAbsoluteErrorPercent
        }
        #expect(try least(30) == 0)
        // 20 hours on four nodes are 80 node-hours after 100: both predicted as 80, the first is missed by a fifth.
        #expect(abs(try least(20) - 10) < 1e-9)
    }

    @Test("two devices do not take longer than one for want of a faster host, however small the network")
    func smallNetwork() throws {
        let job = try JobExample.demo.job()
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        let one = try StepModel.predict(job: job, profile: profile, workers: 1)
        let two = try StepModel.predict(job: job, profile: profile, workers: 2)
        #expect(two.step < one.step)
        #expect(two.boundBy == .kernelLaunch)
    }
}
