import Foundation
import Jobs
import Runs
import TestSupport
import Testing

@Suite("Gradients that go wrong", .serialized)
struct GradientFaultTests {
    private static let reference = Result { try ElasticRun.reference(steps: 12) }

    /// Waits for the end of a run that must fail, and returns why it did.
    private func failure(_ run: ElasticRun) throws -> String {
        let hasEnded = Eventually.holds(within: 120) { (try? run.record())?.run.state.isFinal ?? false }
        guard hasEnded, case .failed(let reason) = try run.record().run.state else {
            Issue.record("\(try run.record().run.state): \(run.words)")
            return ""
        }
        #expect(Eventually.holds(within: 20) { Leftovers.processes(of: run.state).isEmpty })
        #expect(Leftovers.sockets(of: run.state) == ["control"])
        return reason
    }

    /// Goes on without the fault, by a daemon of its own, and expects the undisturbed bits.
    private func goOn(_ run: ElasticRun) throws {
        var run = run
        run.daemon.signal(SIGTERM)
        try run.serveAgain()
        #expect(try Program.run(["runs", "resume", run.id, "--state", run.state]).status == 0)
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
    }

    @Test(
        "F10: a gradient that is no number ends the run before it is applied, naming the step and the tensor",
        arguments: ["nan:1@sum:6", "nan@sum:6", "nan:0@apply:6"])
    func notANumber(fault: String) throws {
        let run = try ElasticRun(steps: 12, workers: 3, environment: ["WAFERMARK_FAULTS": fault])
        let reason = try failure(run)
        #expect(reason.contains("step 6") && reason.contains("cls.predictions"), "\(reason)")
        try goOn(run)
    }

    @Test("F11: a bit that flips in one worker's gradient is found, and the worker named, before it is on record")
    func flippedBit() throws {
        let run = try ElasticRun(steps: 12, workers: 3, environment: ["WAFERMARK_FAULTS": "flip:2@apply:6"])
        let reason = try failure(run)
        #expect(reason.contains("disagree about step 6") && reason.contains("worker 2"), "\(reason)")
        #expect(run.stepsMade == 6, "the step is not on record")
        try goOn(run)
    }
}
