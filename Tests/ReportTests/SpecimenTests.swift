import Foundation
import Jobs
import Report
import Runs
import Testing

/// Writes specimens of the report for people (and a browser) to look at: set WAFERMARK_SPECIMENS to a folder.
@Suite("Specimens of the report")
struct SpecimenTests {
    @Test(
        "specimens are written where asked for",
        .enabled(
            if: ProcessInfo.processInfo.environment["WAFERMARK_SPECIMENS"] != nil, "WAFERMARK_SPECIMENS is not set"))
    func specimens() throws {
        let folder = try #require(ProcessInfo.processInfo.environment["WAFERMARK_SPECIMENS"])
        let job = FabricatedRuns.job()
        let sets: [String: [RunRecord]] = [
            "pair": FabricatedRuns.pair(),
            "target": FabricatedRuns.pair(target: Target(quality: .maskedAccuracy(0.4))),
            "even": FabricatedRuns.pair(wafer: 0.1402, cluster: 0.1405),
            "single": [FabricatedRuns.record("9c0ht5vw", backend: .wafer, stepTime: 0.128)],
            "several": FabricatedRuns.pair() + [
                FabricatedRuns.record("7aaaaaaa", backend: .cluster, workers: 4, job: job, stepTime: 0.155, seed: 5),
                FabricatedRuns.record("7bbbbbbb", backend: .cluster, workers: 8, job: job, stepTime: 0.19, seed: 6),
            ],
            "failed": [
                FabricatedRuns.record(
                    "4kq7x2mz", backend: .cluster, workers: 2, job: job, made: 120, stepTime: 0.141,
                    state: .failed(reason: "worker 1 was killed by signal 9 in step 120 <script>alert(1)</script>")),
                FabricatedRuns.pair()[1],
            ],
        ]
        try ReportWriter(
            try ScalingCurveTests.report(
                ScalingCurveTests.runs(), scaling: [try ScalingCurveTests.scaling(noise: 300)]), steps: []
        ).write(to: folder + "/scaling")
        for (name, runs) in sets {
            let report = try ComparisonReport(
                runs: runs, jobFile: FabricatedRuns.jobFile, generated: FabricatedRuns.start.addingTimeInterval(120))
            try ReportWriter(report, steps: runs.map(StepTable.init)).write(to: folder + "/" + name)
        }
    }
}
