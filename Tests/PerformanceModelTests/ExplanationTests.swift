import Jobs
import PerformanceModel
import Testing

@Suite("Explanations")
struct ExplanationTests {
    @Test("formulas are evaluated as they read")
    func formula() throws {
        let inputs = ["a": 6.0, "b_1": 3.0]
        for (text, value) in [
            ("a + b_1 * 2", 12.0), ("(a + b_1) * 2", 18), ("a - b_1 - 1", 2), ("a / b_1 / 2", 1), ("max(a, b_1, 7)", 7),
            ("min(a, 2 * b_1 + 1)", 6), ("log2(a + 2)", 3), ("1.5 * a", 9),
        ] { #expect(try Formula(text).value(inputs) == value, "\(text)") }
        for text in ["", "a +", "a b", "(a", "c", "max()", "f(a)", "1.2.3", "a$"] {
            #expect(throws: Formula.Failure.self, "\(text)") { try Formula(text).value(inputs) }
        }
    }

    @Test("every figure is what its inputs give, on every machine", arguments: HardwareCatalogue.names)
    func recomputes(name: String) throws {
        let profile = try HardwareCatalogue.profile(name)
        let job = StepModelTests.job()
        for stack in ["pytorch-20.06", "tf-19.08", "oneflow-0.1.8"] {
            for (workers, accumulation) in [(1, 1), (8, 1), (8, 4)] {
                let layout = StepModel.Layout(
                    workers: workers, devicesPerNode: min(workers, profile.cluster?.devicesPerNode ?? 8),
                    microBatch: 16,
                    accumulation: accumulation,
                    stack: stack)
                let prediction = try JobPrediction(job: job, profile: profile, layout: layout)
                let root = try Explanation.prediction(job: job, profile: profile, layout: layout)
                #expect(try wrong(in: root) == [])
                #expect(root.figure("time_seconds")?.value == prediction.time.seconds)
                #expect(root.figure("step_seconds")?.value == prediction.phases[0].step.step.seconds)
                #expect(root.figure("energy_kilowatt_hours")?.value == prediction.energyKilowattHours)
                #expect(root.figure("cost_us_dollars")?.value == prediction.costUSDollars)
            }
        }
    }

    /// What is not as its inputs give it, or has neither a formula nor a source.
    private func wrong(in explanation: Explanation) throws -> [String] {
        let again = try explanation.recomputed()
        var wrong = try explanation.inputs.flatMap { try self.wrong(in: $0) }
        if abs(again - explanation.value) > 1e-9 * abs(explanation.value) + 1e-15 {
            wrong.append("\(explanation.name) is \(again), not \(explanation.value)")
        }
        if explanation.formula == nil, explanation.source?.isEmpty ?? true {
            wrong.append("\(explanation.name): no source")
        }
        return wrong
    }
}
