import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("The gradient noise scale of a run", .serialized)
struct NoiseScaleTests {
    @Test("is the same to the bit on the wafer and on any number of workers, is shown, and predicts steps")
    func sameBits() throws {
        let runs = try [
            ElasticRun(steps: 24, backend: "wafer"), ElasticRun(steps: 24, workers: 1),
            ElasticRun(steps: 24, workers: 3, environment: ["WAFERMARK_FAULTS": "kill:1@apply:9"]),
        ]
        var noise: [[GradientNoise?]] = []
        for run in runs {
            try run.waitForEnd()
            noise.append(try run.record().evaluations.map(\.noise))
        }
        let first = try #require(noise.first)
        #expect(first.count == 4 && !first.contains(nil))
        for other in noise { #expect(other == first) }
        let scale = try #require(first.last??.scale)
        #expect(scale > 0.01 && scale < 1e6)

        let run = runs[2]
        let shown = try Program.run(["runs", "show", run.id, "--state", run.state])
        #expect(shown.standardOutput.contains("Noise scale, sequences"), "\(shown.standardOutput)")
        let json = try Program.run(["runs", "show", run.id, "--state", run.state, "--json"]).json()
        let figures = try #require(json["run"] as? [String: Any])
        #expect(figures["gradient_noise_scale_sequences"] as? Double == scale)

        // The law goes through the run's own point, and a larger batch takes fewer steps, but more than in proportion.
        func steps(batch: Int) throws -> Double {
            let folder = try TemporaryFolder()
            let job = try folder.write(
                JobFixtures.small(steps: 24).replacingOccurrences(
                    of: "global_batch: 16", with: "global_batch: \(batch)"), to: "job.yaml")
            let outcome = try Program.run([
                "predict", job, "--hardware", "dgx1-v100-16g", "--gpus-per-node", "1", "--state", run.state,
                "--noise-scale-from", run.id, "--json",
            ])
            #expect(outcome.status == 0, "\(outcome.standardError)")
            return try #require(try outcome.json()["steps"] as? Double)
        }
        #expect(abs(try steps(batch: 16) - 24) < 1e-6)
        let larger = try steps(batch: 64)
        #expect(larger < 24 && larger > 6)
    }
}
