import Foundation
import Jobs
import Report
import Runs
import Testing
import Wafermark

@Suite("Progress on the terminal")
struct RunProgressTests {
    private func run(_ state: RunState = .running) throws -> Run {
        let id = try #require(RunID("0123abcd"))
        var job = try JobExample.demo.job()
        // The tests count to 600, whatever the demo's length.
        job.phases[0].steps = 600
        var run = Run(
            id: id, job: job, backend: .cluster, workers: 4, hardware: nil,
            submitted: Date(timeIntervalSince1970: 0))
        run.state = state
        return run
    }

    /// `count` steps of half a second whose loss falls from 8.
    private func steps(_ count: Int) -> [StepRecord] {
        (0..<count).map { index in
            StepRecord(
                step: StepNumber(index), loss: 8 - 4 * Double(index) / Double(max(1, count)), maskedLoss: 7,
                nextSentenceLoss: 0.7, maskedAccuracy: 0.25, learningRate: 1e-3, gradientNorm: 1, sequences: 64,
                tokens: 4096, elapsed: HostSeconds(0.5 * Double(index + 1)), duration: HostSeconds(0.4))
        }
    }

    private func evaluation(after steps: Int) -> EvaluationRecord {
        EvaluationRecord(
            stepsMade: steps, elapsed: HostSeconds(0.5 * Double(steps)), maskedLoss: 5, maskedAccuracy: 0.31,
            nextSentenceAccuracy: 0.6, baselineAccuracy: 0.04, maskedTokens: 2560)
    }

    private func text(_ progress: RunProgress, columns: Int = 80, glyphs: Glyphs = .ascii) -> [String] {
        ProgressPanel(columns: columns, glyphs: glyphs).lines(for: progress)
            .map { $0.rendered(columns: columns, colour: false) }
    }

    @Test("shows job, backend, state, bar, loss, accuracy, speed and where time goes")
    func panel() throws {
        let worker = WorkerStepRecord(
            step: StepNumber(99), rank: WorkerRank(0), input: HostSeconds(0), compute: HostSeconds(0.3),
            exposedCommunication: HostSeconds(0.06), waiting: HostSeconds(0.02), optimizer: HostSeconds(0.02),
            duration: HostSeconds(0.4), sent: .mebibytes(1))
        let lines = text(
            RunProgress(
                run: try run(), steps: steps(300), evaluations: [evaluation(after: 250)], workers: [worker]))
        #expect(lines.count == 4)
        #expect(lines[0].hasPrefix("demo  cluster of 4  run 0123abcd  running"))
        #expect(lines[0].hasSuffix("2:30"))
        #expect(lines[1].contains("50 %  step 300/600  2:30 left"))
        #expect(lines[2].contains("loss 4.013"))
        #expect(lines[2].contains("held-out MLM 31 % (baseline 4 %)"))
        #expect(lines[3].contains("160 sequences/s"))
        #expect(lines[3].contains("compute 75 %, exchange 15 %, wait 5 %, update 5 %"))
    }

    @Test("stays within the columns, with colour and without", arguments: [40, 60, 80, 100])
    func width(columns: Int) throws {
        var queued = try run(.queued)
        queued.job.name = String(repeating: "long", count: 16)
        queued.hardware = "dgx1-v100-16g"
        let states = [
            RunProgress(run: queued, steps: []), RunProgress(run: try run(.preparing), steps: []),
            RunProgress(run: try run(), steps: steps(1)), RunProgress(run: try run(), steps: steps(599)),
            RunProgress(run: try run(.finished), steps: steps(600), evaluations: [evaluation(after: 600)]),
        ]
        for progress in states {
            for line in ProgressPanel(columns: columns, glyphs: .blocks).lines(for: progress) {
                #expect(line.rendered(columns: columns, colour: false).count <= columns)
                let coloured = line.rendered(columns: columns, colour: true)
                #expect(coloured.replacing(/\u{1B}\[[0-9]+m/, with: "").count <= columns)
            }
        }
    }

    @Test("uses no colour where none is wanted")
    func noColour() throws {
        let progress = RunProgress(run: try run(.finished), steps: steps(10))
        #expect(!text(progress).joined().contains("\u{1B}"))
        let coloured = ProgressPanel(columns: 80, glyphs: .blocks).lines(for: progress)
            .map { $0.rendered(columns: 80, colour: true) }
        #expect(coloured.joined().contains("\u{1B}[32mfinished\u{1B}[0m"))
    }

    @Test("is told in plain lines: changes of state, evaluations, and about twenty steps of any run")
    func plainLines() throws {
        var log = ProgressLog()
        var lines: [String] = []
        lines += log.lines(for: RunProgress(run: try run(.queued), steps: []))
        lines += log.lines(for: RunProgress(run: try run(.queued), steps: []))
        lines += log.lines(for: RunProgress(run: try run(.preparing), steps: []))
        let all = steps(600)
        for count in 1...600 {
            let evaluations = stride(from: 200, through: count, by: 200).map(evaluation(after:))
            lines += log.lines(
                for: RunProgress(run: try run(), steps: Array(all.prefix(count)), evaluations: evaluations))
        }
        lines += log.lines(
            for: RunProgress(
                run: try run(.finished), steps: all, evaluations: [200, 400, 600].map(evaluation(after:))))
        #expect(lines[0] == "run 0123abcd queued: demo on the cluster of 4")
        #expect(lines[1] == "run 0123abcd preparing: demo on the cluster of 4")
        #expect(lines.count { $0.contains(" step ") } == 21)
        #expect(lines.count { $0.contains("held-out after") } == 3)
        #expect(lines.last == "run 0123abcd finished after 600 steps, 300.0 s host time")
        #expect(lines.allSatisfy { !$0.contains("\u{1B}") && !$0.contains("\n") })
    }

    @Test("says why a run failed, once")
    func failure() throws {
        var log = ProgressLog()
        let progress = RunProgress(run: try run(.failed(reason: "worker 1 ended in step 7: SIGKILL")), steps: steps(7))
        let lines = log.lines(for: progress) + log.lines(for: progress)
        #expect(lines.count { $0.contains("worker 1 ended in step 7") } == 1)
    }

    @Test(
        "draws curves from any values, whatever they are",
        arguments: [
            [], [1], [1, 1, 1], [3, 2, 1], [.nan, 1, .infinity, 2], (0..<1000).map { Double($0) },
        ] as [[Double]])
    func sparkline(values: [Double]) {
        for glyphs in [Glyphs.blocks, .ascii] {
            let line = glyphs.sparkline(values, width: 20)
            #expect(line.count <= 20)
            #expect(line.isEmpty == values.filter(\.isFinite).isEmpty)
            #expect(line.allSatisfy { glyphs.levels.contains($0) })
        }
        #expect(Glyphs.ascii.sparkline([8, 4, 0], width: 3) == "#=_")
    }

    @Test("draws bars that are as long as they should be", arguments: [-1, 0, 0.5, 1, 2, .nan] as [Double])
    func bar(fraction: Double) {
        #expect(Glyphs.blocks.bar(fraction, width: 30).count == 30)
        #expect(Glyphs.ascii.bar(0.5, width: 4) == "##..")
    }

    @Test("spells times and numbers the same in every locale")
    func figures() {
        #expect(Figures.clock(59.6) == "1:00")
        #expect(Figures.clock(3725) == "1:02:05")
        #expect(Figures.clock(.infinity) == "-")
        #expect(Figures.short(1234.5) == "1234")
        #expect(Figures.short(0.1234) == "0.123")
        #expect(Figures.bytes(1536) == "1.50 KiB")
        #expect(Figures.percent(.nan) == "-")
    }
}
