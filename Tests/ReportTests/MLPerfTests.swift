import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("MLPerf's clock and log")
struct MLPerfTests {
    private static let seeds = FabricatedRuns.seeds([1, 2, 3, 4])

    /// What a report of `records` says by MLPerf's clock.
    private static func times(_ records: [RunRecord]) throws -> MLPerfTimes {
        try #require(try ComparisonReport(runs: records, clock: .mlperf, generated: FabricatedRuns.start).mlperf)
    }

    @Test("a run's time goes from the dealing of lanes to the target by the wall clock, initialisation apart")
    func clock() throws {
        let times = try Self.times(Self.seeds)
        #expect(times.runs.count == 8)
        for (run, record) in zip(times.runs, Self.seeds) {
            let host = try #require(record.run.outcome?.timeToTarget?.seconds)
            #expect(run.status == .success && run.isInitWithinAllowance == true)
            #expect(abs((run.runWallSeconds ?? 0) - (host + 0.05)) < 1e-5)
            #expect(abs((run.pausedWallSeconds ?? 0) - 0.05) < 1e-5)
            #expect(abs((run.initWallSeconds ?? 0) - 0.3) < 1e-5)
        }
    }

    @Test("it goes on while a run is stopped")
    func noPause() throws {
        var record = Self.seeds[0]
        let host = try #require(record.run.outcome?.timeToTarget?.seconds)
        let stop = try #require(record.events.firstIndex { $0.kind == .targetReached })
        let pause = 1_000.0
        for index in record.events.indices where record.events[index].time >= record.events[stop].time {
            record.events[index].time += pause
        }
        let taken = record.events[stop].time.addingTimeInterval(-1)
        record.events += [
            RunEvent(time: taken.addingTimeInterval(-0.5), kind: .resumed, message: "goes on", step: StepNumber(100)),
            RunEvent(time: taken, kind: .membershipChanged, message: "lanes are dealt", step: StepNumber(100)),
        ]
        record.run.ended? += pause
        let run = try #require(Self.times([record]).runs.first)
        #expect(abs((run.runWallSeconds ?? 0) - (host + 0.05 + pause)) < 1e-5)
        #expect(abs((run.pausedWallSeconds ?? 0) - (0.05 + pause)) < 1e-5)
        let lines = try Self.lines(MLPerfLog(record).render())
        let moments = lines.compactMap { $0["time_ms"] as? Int }
        #expect(moments == moments.sorted())
    }

    @Test("a result leaves the fastest and the slowest out; one run may miss the target, two may not")
    func olympic() throws {
        let times = try Self.times(Self.seeds)
        let cluster = try #require(times.results.first)
        let own = times.runs.filter { cluster.runIds.contains($0.runId) }.compactMap(\.runWallSeconds).sorted()
        #expect(abs((cluster.olympicMeanWallSeconds ?? 0) - (own[1] + own[2]) / 2) < 1e-9)
        var runs = Self.seeds
        runs[0].run.outcome?.timeToTarget = nil
        let once = try #require(Self.times(runs).results.first)
        #expect(once.aborted == 1 && once.olympicMeanWallSeconds != nil)
        runs[2].run.outcome?.timeToTarget = nil
        let twice = try #require(Self.times(runs).results.first)
        #expect(twice.aborted == 2 && twice.olympicMeanWallSeconds == nil && twice.obstacle != nil)
        #expect(OlympicMean.of([1, 2]) == nil && OlympicMean.of([9, 1, 2]) == 2)
        #expect(OlympicMean.of([1, .infinity, 3, 2]) == 2.5)
        #expect(OlympicMean.of([1, .infinity, .infinity]) == nil)
    }

    @Test("the log has every key that the rules want, as often as they want it, in an order that they take")
    func log() throws {
        let text = try MLPerfLog(Self.seeds[0]).render()
        let lines = try Self.lines(text)
        let keys = lines.compactMap { $0["key"] as? String }
        let once = [
            "submission_benchmark", "submission_division", "submission_org", "submission_platform", "init_stop",
            "run_start", "run_stop", "train_samples", "eval_samples", "global_batch_size", "opt_base_learning_rate",
            "opt_lamb_epsilon", "opt_learning_rate_training_steps", "opt_learning_rate_warmup_steps",
            "num_warmup_steps", "start_warmup_step", "opt_lamb_beta_1", "opt_lamb_beta_2", "opt_lamb_weight_decay_rate",
            "gradient_accumulation_steps", "seed",
        ]
        for key in once { #expect(keys.filter { $0 == key }.count == 1, "\(key)") }
        for key in [
            "cache_clear", "init_start", "block_start", "block_stop", "eval_start", "eval_stop", "eval_accuracy",
        ] {
            #expect(keys.contains(key), "\(key)")
        }
        let order = ["init_start", "init_stop", "run_start", "block_start", "eval_start", "eval_accuracy", "run_stop"]
        let places = order.compactMap { keys.firstIndex(of: $0) }
        #expect(places.count == order.count && places == places.sorted())
        let moments = lines.compactMap { $0["time_ms"] as? Int }
        #expect(moments.count == lines.count && moments == moments.sorted())
        for line in lines {
            let metadata = try #require(line["metadata"] as? [String: Any])
            if (line["key"] as? String)?.hasPrefix("eval_") == true, line["key"] as? String != "eval_samples" {
                #expect(metadata["epoch_num"] != nil && metadata["samples_count"] != nil)
            }
            if line["key"] as? String == "run_stop" { #expect(metadata["status"] as? String == "success") }
        }
        #expect(lines.filter { $0["key"] as? String == "eval_accuracy" }.count == Self.seeds[0].evaluations.count)
        #expect(text.hasPrefix("# ") && text.contains("not an MLPerf result"))
    }

    @Test("a run that missed its target is aborted in the log; one that never made a step has none")
    func aborted() throws {
        let record = FabricatedRuns.pair()[0]
        let stop = try #require(try Self.lines(MLPerfLog(record).render()).last)
        #expect((stop["metadata"] as? [String: Any])?["status"] as? String == "aborted")
        let empty = FabricatedRuns.record("0000aaaa", backend: .cluster, made: 0, stepTime: 1)
        let error = #expect(throws: ReportError.self) { try MLPerfLog(empty) }
        #expect(error?.description.contains("0000aaaa") == true)
        var going = record
        going.run.state = .running
        #expect(throws: ReportError.self) { try MLPerfLog(going) }
    }

    @Test("several runs are written beside each other, a single one under the name that was given")
    func files() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "mlperf-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appending(path: "result.txt").path(percentEncoded: false)
        #expect(
            try MLPerfLog.write([Self.seeds[0]], to: path).map { URL(filePath: $0).lastPathComponent } == ["result.txt"]
        )
        let several = try MLPerfLog.write(Array(Self.seeds.prefix(2)), to: path)
        #expect(
            several.map { URL(filePath: $0).lastPathComponent } == ["result-10000000.txt", "result-20000000.txt"])
        #expect(several.allSatisfy { FileManager.default.fileExists(atPath: $0) })
    }

    @Test("is in the report where it is asked for, and not elsewhere")
    func shown() throws {
        let plain = try ComparisonReport(runs: Self.seeds, generated: FabricatedRuns.start)
        #expect(plain.mlperf == nil && !HTMLRenderer(plain).render().contains("id=\"mlperf\""))
        let report = try ComparisonReport(runs: Self.seeds, clock: .mlperf, generated: FabricatedRuns.start)
        let html = HTMLRenderer(report).render()
        #expect(html.contains("data-key=\"/mlperf/results/0/olympic_mean_wall_seconds\""))
        #expect(html.contains("MLCommons has not verified them"))
        #expect(MarkdownRenderer(report).render().contains("### By MLPerf’s clock"))
        #expect(CSVRenderer(report).render().contains("mlperf/run_wall_seconds"))
    }

    /// The log's own lines, each as what its JSON says.
    private static func lines(_ text: String) throws -> [[String: Any]] {
        let token = ":::MLLOG "
        return try text.split(separator: "\n").filter { $0.hasPrefix(token) }.map { line in
            try #require(
                try JSONSerialization.jsonObject(with: Data(line.dropFirst(token.count).utf8)) as? [String: Any])
        }
    }
}
