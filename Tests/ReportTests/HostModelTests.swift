import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("The model's error on a report's own runs")
struct HostModelTests {
    /// The fabricated runs' machine, calibrated.
    static func host(processor: String = FabricatedRuns.machine.processor) -> HostMachine {
        HostMachine(
            processor: processor, cores: FabricatedRuns.machine.cores,
            instructionSet: FabricatedRuns.machine.instructionSet, measuredAt: "2026-01-01T00:00:00Z",
            rates: [1, 2].map { busy in
                HostMachine.Rates(
                    hidden: 256, sequence: 128, tokens: 512, busy: busy, encoderGigaflopsPerSecond: 50,
                    headGigaflopsPerSecond: 60, attentionNanoseconds: 0.2, elementwiseGigabytesPerSecond: 6,
                    logitNanoseconds: 1, embeddingNanoseconds: 2, overhead: 1)
            }, adamwNanosecondsPerParameter: 1, lambNanosecondsPerParameter: 1.5,
            adamwNanosecondsPerParameterAlone: 1.7, lambNanosecondsPerParameterAlone: 2.5,
            sumNanosecondsPerElement: 0.8, memoryGigabytesPerSecond: 20, linkLatencyMicroseconds: 30,
            linkGigabytesPerSecond: 2)
    }

    @Test("is the replay of each run's steps on the calibrated machine over their measured median")
    func rows() throws {
        let pair = FabricatedRuns.pair()
        let check = HostModelCheck(pair, on: Self.host())
        #expect(check.obstacle == nil && check.rows.map(\.runId) == pair.map(\.run.id.text))
        for (row, record) in zip(check.rows, pair) {
            let steps = record.steps.dropFirst(2)
            let phase = record.run.job.phases[0]
            let positions = Double(steps.count * phase.globalBatch * phase.sequence)
            let layout = HostStep.Layout(
                workers: record.run.workers, threads: record.run.backend == .wafer ? 2 : 1,
                fill: Double(steps.reduce(0) { $0 + $1.tokens }) / positions)
            let replay = try HostStep(job: record.run.job, layout: layout, vocabularySize: 2_048, on: Self.host()).total
            #expect(row.steps == steps.count && row.phase == 1)
            #expect(row.stepMedianHostSeconds == Quantiles(steps.map(\.duration.seconds)).median)
            #expect(row.stepModelledSeconds == replay)
            #expect(abs(row.errorPercent - 100 * (replay / row.stepMedianHostSeconds - 1)) < 1e-9)
        }
    }

    @Test("is told in every format; without a calibration, or on another machine, it says why there is none")
    func shown() throws {
        for (host, words) in [
            (nil, "run 'wafermark calibrate'"), (Self.host(processor: "another"), "the runs were on another machine"),
            (Self.host(), "4kq7x2mz"),
        ] {
            let report = try ComparisonReport(runs: FabricatedRuns.pair(), host: host, generated: FabricatedRuns.start)
            #expect((report.hostModel.obstacle ?? report.hostModel.rows.description).contains(words))
            let isChecked = report.hostModel.obstacle == nil
            let html = HTMLRenderer(report).render()
            #expect(html.contains("<section id=\"host-model\"") && html.contains("Not checked:") != isChecked)
            let markdown = MarkdownRenderer(report).render()
            #expect(markdown.contains("| Run | Median step (host) | Replay (modelled) | Error |") == isChecked)
        }
    }
}
