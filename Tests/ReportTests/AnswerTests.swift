import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("The answer in one sentence")
struct AnswerTests {
    private func sentence(_ runs: [RunRecord]) throws -> String {
        try ComparisonReport(runs: runs, generated: FabricatedRuns.start).answer.sentence.plain
    }

    private func kinds(_ runs: [RunRecord]) throws -> [Note.Kind] {
        try ComparisonReport(runs: runs, generated: FabricatedRuns.start).notes.map(\.kind)
    }

    @Test("without a target it is the time for the same steps")
    func sameSteps() throws {
        let text = try sentence(FabricatedRuns.pair())
        #expect(
            text.hasPrefix("On this machine the wafer backend made 300 steps in 4")
                && text.hasSuffix("(host clock): the cluster took 1.10× as long."))
    }

    @Test("with a target that both met it is the time to it")
    func target() throws {
        let text = try sentence(FabricatedRuns.pair(target: Target(quality: .maskedAccuracy(0.4))))
        #expect(text.hasPrefix("On this machine the wafer backend reached 40.0 % MLM accuracy on held-out text in "))
    }

    @Test("a target that was missed is said")
    func missed() throws {
        let runs = FabricatedRuns.pair(target: Target(quality: .maskedLoss(0.1)))
        #expect(try kinds(runs).filter { $0 == .targetMissed }.count == 2)
        let alone = try sentence([runs[1]])
        #expect(alone.hasSuffix("without reaching an MLM loss of 0.1000 nats on held-out text."))
    }

    @Test("where steps spread over the difference there is no significant one")
    func even() throws {
        let runs = FabricatedRuns.pair(wafer: 0.1402, cluster: 0.1405)
        #expect(try sentence(runs).hasSuffix("(host clock): no significant difference."))
        let comparison = try #require(
            try ComparisonReport(runs: runs, generated: FabricatedRuns.start).comparisons.first)
        #expect(comparison.verdict == .noSignificantDifference)
    }

    @Test("with few steps the ratio is given, and that nothing is known of chance")
    func fewSteps() throws {
        let job = FabricatedRuns.job(steps: 6)
        let report = try ComparisonReport(
            runs: [
                FabricatedRuns.record("4kq7x2mz", backend: .cluster, workers: 2, job: job, stepTime: 0.2),
                FabricatedRuns.record("9c0ht5vw", backend: .wafer, job: job, stepTime: 0.1),
            ], generated: FabricatedRuns.start)
        #expect(report.comparisons.first?.verdict == nil)
        #expect(report.answer.details.map(\.plain).contains("With so few steps nothing can be said about chance."))
    }

    @Test(
        "a run that did not finish gives no answer, and says why",
        arguments: [
            (RunState.failed(reason: "worker 1 was lost"), "failed"), (.cancelled, "was cancelled"),
            (.interrupted, "was interrupted"), (.running, "is still running"),
        ])
    func unfinished(state: RunState, verb: String) throws {
        let runs = [
            FabricatedRuns.record("4kq7x2mz", backend: .cluster, workers: 2, made: 120, stepTime: 0.141, state: state),
            FabricatedRuns.pair()[1],
        ]
        #expect(try sentence(runs) == "There is no answer: the 2-worker cluster \(verb) after 120 of 300 steps.")
        #expect(try kinds(runs).contains(.notFinished))
        #expect(try sentence([runs[0]]) == "The 2-worker cluster \(verb) after 120 of 300 steps.")
    }

    @Test("different jobs are not compared")
    func differentJobs() throws {
        let runs = [
            FabricatedRuns.record("4kq7x2mz", backend: .cluster, workers: 2, stepTime: 0.1),
            FabricatedRuns.record("9c0ht5vw", backend: .wafer, job: FabricatedRuns.job(steps: 40), stepTime: 0.1),
        ]
        let report = try ComparisonReport(runs: runs, generated: FabricatedRuns.start)
        #expect(report.comparisons.isEmpty)
        #expect(report.identity.first?.bitIdentical == nil)
        #expect(report.notes.map(\.kind).contains(.differentJobs))
    }

    @Test("different machines are said, and 'on this machine' is not")
    func differentMachines() throws {
        var runs = FabricatedRuns.pair()
        runs[0].run.machine?.processor = "Another"
        #expect(try sentence(runs).hasPrefix("The wafer backend made"))
        #expect(try kinds(runs).contains(.differentMachines))
    }

    @Test("synthetic text is said; people's text is not called so")
    func synthetic() throws {
        #expect(try kinds(FabricatedRuns.pair()).contains(.syntheticText))
        var runs = FabricatedRuns.pair()
        for index in runs.indices {
            runs[index].run.corpus?.isSynthetic = false
            runs[index].run.job.corpus = CorpusSource(
                text: .files(["/data/abstracts.txt.gz"]), vocabulary: .trained(size: 2_048))
        }
        #expect(try !kinds(runs).contains(.syntheticText))
    }

    @Test("several runs are ranked")
    func several() throws {
        let runs =
            FabricatedRuns.pair() + [
                FabricatedRuns.record("7aaaaaaa", backend: .cluster, workers: 4, stepTime: 0.155, seed: 5)
            ]
        let text = try sentence(runs)
        #expect(text.contains("the wafer backend made 300 steps soonest of 3 runs"))
        #expect(text.contains("the 4-worker cluster took longest"))
        let details = try ComparisonReport(runs: runs, generated: FabricatedRuns.start).answer.details.map(\.plain)
        #expect(details.contains { $0.hasPrefix("Beside the wafer backend: the 2-worker cluster 1.10×") })
        #expect(details.contains { $0.hasPrefix("All runs are bit-identical") })
    }

    @Test("where one run met the target and the other did not, each is told for itself")
    func oneMissed() throws {
        var runs = FabricatedRuns.pair(target: Target(quality: .maskedAccuracy(0.4)))
        runs[0].run.outcome?.timeToTarget = nil
        runs[0].steps.removeLast(10)
        runs[0].run.outcome?.steps = 290
        let text = try sentence(runs)
        #expect(text.contains("the 2-worker cluster made 290 steps in "))
        #expect(text.contains("without reaching 40.0 % MLM accuracy on held-out text; the wafer backend reached"))
        #expect(text.hasSuffix("They did not do the same work."))
    }

    @Test("no run is an error")
    func none() {
        #expect(throws: ReportError.noRuns) { try ComparisonReport(runs: [], generated: FabricatedRuns.start) }
    }
}

@Suite("The check of the bits")
struct IdentityTests {
    private func check(_ runs: [RunRecord]) throws -> IdentityCheck {
        try #require(try ComparisonReport(runs: runs, generated: FabricatedRuns.start).identity.first)
    }

    @Test("equal losses and digests are bit-identical")
    func equal() throws {
        let check = try check(FabricatedRuns.pair())
        #expect(check.bitIdentical == true)
        #expect((check.stepsCompared, check.stepsEqual) == (300, 300))
    }

    @Test("one bit of one loss is found, with its step")
    func oneBit() throws {
        var runs = FabricatedRuns.pair()
        runs[0].steps[217].loss = runs[0].steps[217].loss.nextUp
        runs[0].steps[250].loss = 1
        let check = try check(runs)
        #expect(check.bitIdentical == false)
        #expect(check.firstDifferingStep == 217)
        #expect(check.stepsEqual == 298)
        let answer = try ComparisonReport(runs: runs, generated: FabricatedRuns.start).answer
        #expect(answer.details.map(\.plain).contains { $0.contains("differ from step 217 on") })
    }

    @Test("equal losses with different weights are not bit-identical")
    func weights() throws {
        var runs = FabricatedRuns.pair()
        runs[0].run.outcome?.weightsDigest = "00"
        let check = try check(runs)
        #expect(check.bitIdentical == false)
        #expect(check.firstDifferingStep == nil)
        #expect(check.weightsEqual == false)
    }

    @Test("a step that one run has and the other has not is no identity")
    func missingStep() throws {
        var runs = FabricatedRuns.pair()
        runs[0].steps.removeLast()
        #expect(try check(runs).bitIdentical == false)
    }

    @Test("zero and minus zero differ; NaN equals the same NaN")
    func bitPatterns() throws {
        var runs = FabricatedRuns.pair()
        runs[0].steps[1].loss = .nan
        runs[1].steps[1].loss = .nan
        #expect(try check(runs).bitIdentical == true)
        runs[0].steps[2].loss = 0
        runs[1].steps[2].loss = -0.0
        #expect(try check(runs).firstDifferingStep == 2)
    }

    @Test("other kernels are an obstacle, not a fault")
    func kernels() throws {
        var runs = FabricatedRuns.pair()
        runs[0].run.machine?.instructionSet = "avx2"
        let check = try check(runs)
        #expect(check.bitIdentical == nil)
        #expect(check.obstacle?.contains("different kernels") == true)
    }

    @Test("a run's name and checkpoints don't make it another job")
    func names() throws {
        var runs = FabricatedRuns.pair()
        runs[0].run.job.name = "another name"
        runs[0].run.job.checkpoints = CheckpointSettings(everySteps: 10)
        #expect(try check(runs).bitIdentical == true)
    }
}
