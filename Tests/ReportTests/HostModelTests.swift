import Jobs
import PerformanceModel
import Report
import Runs
import Testing

@Suite("The model's error on a report's own runs")
struct HostModelTests {
    /// The fabricated runs' machine, calibrated.
    static func host(processor: String = FabricatedRuns.machine.processor) -> HostMachine {
        let link = HostMachine.Link(
            latencyMicroseconds: 100, messageMicroseconds: 20, carryNanosecondsPerElement: 1)
        return HostMachine(
            processor: processor, cores: FabricatedRuns.machine.cores,
            instructionSet: FabricatedRuns.machine.instructionSet, measuredAt: "2026-01-01T00:00:00Z",
            disturbancePercent: 2,
            rates: [1, 2].map { busy in
                HostMachine.Rates(
                    hidden: 256, sequence: 128, tokens: 512, busy: busy, encoderGigaflopsPerSecond: 50,
                    lastLayerGigaflopsPerSecond: 30, headGigaflopsPerSecond: 60, attentionNanoseconds: 0.12,
                    attentionElementNanoseconds: 6, elementwiseGigabytesPerSecond: 6,
                    logitNanoseconds: 1, embeddingNanoseconds: 2, overhead: 1)
            }, adamwNanosecondsPerParameter: 1, lambNanosecondsPerParameter: 1.5,
            adamwNanosecondsPerParameterAlone: 1.7, lambNanosecondsPerParameterAlone: 2.5,
            laneGradientsAlone: .init(sum: 0.8, norm: 0.2),
            laneGradients: .init(sum: 0.9, norm: 0.2), memoryGigabytesPerSecond: 20,
            streams: .init(peerSum: 1.1, peerCopy: 0.8),
            links: .init(
                sharedMemory: .init(latencyMicroseconds: 100, messageMicroseconds: 20, carryNanosecondsPerElement: 0),
                ipc: link, tcp: link), controlMicroseconds: 500, controlMicrosecondsInTurns: 800)
    }

    @Test("is the replay of each run's steps on the calibrated machine over their measured median")
    func rows() throws {
        let pair = FabricatedRuns.pair()
        let check = HostModelCheck(pair, on: .success(Self.host()))
        #expect(check.obstacle == nil && check.rows.map(\.runId) == pair.map(\.run.id.text))
        for (row, record) in zip(check.rows, pair) {
            let steps = record.steps.dropFirst(2)
            let phase = record.run.job.phases[0]
            // Every fabricated step has as many tokens as the others, none measures norms, and no transport is noted.
            let fill = Double(record.steps[0].tokens) / Double(phase.globalBatch * phase.sequence)
            let layout = HostStep.Layout(
                workers: record.run.workers, threads: record.run.backend == .wafer ? 2 : 1,
                lengths: SequenceLengths(fill: fill, spread: 0), transport: .ipc, gradientNoiseShare: 0)
            let replay = try HostStep(job: record.run.job, layout: layout, vocabularySize: 2_048, on: Self.host()).total
            #expect(row.steps == steps.count && row.phase == 1)
            #expect(row.stepMedianHostSeconds == Quantiles(steps.map(\.duration.seconds)).median)
            #expect(abs(row.stepModelledSeconds / replay - 1) < 1e-9)
            #expect(abs(row.errorPercent - 100 * (replay / row.stepMedianHostSeconds - 1)) < 1e-9)
        }
    }

    @Test(
        "a run whose steps differ in tokens has texts of different lengths, for the longest of which its workers wait")
    func lengths() throws {
        var record = FabricatedRuns.pair()[0]
        let even = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        for index in record.steps.indices { record.steps[index].tokens += index.isMultiple(of: 2) ? 100 : -100 }
        let uneven = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        #expect(record.run.workers > 1 && uneven.modelled.waiting > even.modelled.waiting)
        record.run.exchange = ExchangeSettings(transport: .sharedMemory)
        let shared = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        #expect(shared.modelled.exchange < uneven.modelled.exchange)
        for index in record.steps.indices { record.steps[index].laneGradientSquaredNorm = 1 }
        let measuring = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        #expect(measuring.modelled.compute > shared.modelled.compute)
    }

    @Test("each step is replayed with its own tokens: some long ones move the median no more than in the run")
    func ownTokens() throws {
        var record = FabricatedRuns.pair()[0]
        let even = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        for index in record.steps.indices where index.isMultiple(of: 3) { record.steps[index].tokens *= 2 }
        let uneven = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        // By their mean tokens they would compute a third longer, and attention by lengths that vary so much comes on top.
        #expect(uneven.modelled.compute / even.modelled.compute < 1.3)
        for index in record.steps.indices where !index.isMultiple(of: 3) { record.steps[index].tokens *= 2 }
        let long = try #require(HostModelCheck.rows(record, on: Self.host()).first)
        #expect(long.modelled.compute > 1.8 * even.modelled.compute)
    }

    @Test("is told in every format; without a calibration, or on another machine, it says why there is none")
    func shown() throws {
        let calibrations: [(Result<HostMachine, PerformanceModelError>?, String)] = [
            (nil, "run 'wafermark calibrate'"),
            (.success(Self.host(processor: "another")), "the runs were on another machine"),
            (.failure(.unsupported("of an earlier version")), "of an earlier version"),
            (.success(Self.host()), "4kq7x2mz"),
        ]
        for (host, words) in calibrations {
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
