import Foundation
import Jobs
import Testing

@Suite("Sparsity in a job file")
struct SparsityTests {
    private func sparsity(_ text: String) throws -> SparsitySettings? {
        try JobFile.parse(JobText.adding("sparsity: {\(text)}"), name: "job.yaml").sparsity
    }

    @Test("is none where the file is silent or says so")
    func absent() throws {
        #expect(try JobFile.parse(JobText.valid, name: "job.yaml").sparsity == nil)
        #expect(try JobFile.parse(JobText.adding("sparsity: none"), name: "job.yaml").sparsity == nil)
    }

    @Test("takes the conventions of its method where it is silent")
    func conventions() throws {
        #expect(try sparsity("density: 0.25") == SparsitySettings(density: 0.25))
        #expect(try sparsity("pattern: \"2:4\"")?.density == 0.5)
        #expect(try sparsity("pattern: 1:4")?.pattern == .nOfM(kept: 1, group: 4))
        // The job has ten steps.
        #expect(
            try sparsity("density: 0.5, method: magnitude")?.method
                == .magnitude(MagnitudeRamp(startStep: 1, rampSteps: 5, updateEvery: 1)))
        #expect(
            try sparsity("density: 0.5, method: regrow")?.method
                == .regrow(Regrowth(share: 0.3, updateEvery: 1, stopStep: 7)))
        #expect(
            try sparsity("density: 0.5, matrices: [output, query_key_value]")?.matrices == [.queryKeyValue, .output])
    }

    @Test(
        "is read again from its own rendering and from JSON to the same job",
        arguments: [
            SparsitySettings(density: 0.25),
            SparsitySettings(density: 0.1, pattern: .block4, matrices: [.intermediate, .output]),
            SparsitySettings(
                density: 0.3, method: .magnitude(MagnitudeRamp(startStep: 2, rampSteps: 6, updateEvery: 3))),
            SparsitySettings(
                density: 0.25, pattern: .nOfM(kept: 2, group: 8),
                method: .regrow(Regrowth(share: 0.4, updateEvery: 2, stopStep: 8))),
        ])
    func roundTrip(settings: SparsitySettings) throws {
        var job = try JobFile.parse(JobText.valid, name: "job.yaml")
        job.sparsity = settings
        #expect(JobFile.problems(of: job).isEmpty)
        #expect(try JobFile.parse(JobFile.render(job), name: "rendered") == job)
        #expect(try JobFile.decode(json: JobFile.json(job)) == job)
        #expect(try JSONDecoder().decode(Job.self, from: JSONEncoder().encode(job)) == job)
    }

    @Test("is part of a job's text; a dense job's text knows nothing of it")
    func identity() throws {
        var job = try JobFile.parse(JobText.valid, name: "job.yaml")
        let dense = JobFile.json(job)
        #expect(!dense.contains("sparsity"))
        #expect(try !String(decoding: JSONEncoder().encode(job), as: UTF8.self).contains("sparsity"))
        job.sparsity = SparsitySettings(density: 0.25)
        let sparse = JobFile.json(job)
        job.sparsity = SparsitySettings(density: 0.24)
        #expect(Set([dense, sparse, JobFile.json(job)]).count == 3)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var text: String
        var says: [String]
        var testDescription: String { text }
        init(_ text: String, _ says: String...) { (self.text, self.says) = (text, says) }
    }

    @Test(
        "B2, B7: is refused with one line that says where and what",
        arguments: [
            Case("density: 0", ":13: sparsity.density: found 0.0; allowed: 0.01 to 0.99"),
            Case("density: 1", ":13: sparsity.density: found 1.0"),
            Case("density: NaN", ":13: sparsity.density: found NaN"),
            Case("density: 75%", ":13: sparsity.density: found 75%"),
            Case("method: static", "sparsity.density: found nothing"),
            Case("density: 0.5, pattern: blocks", ":13: sparsity.pattern: found blocks", "2:4"),
            Case("pattern: 4:4", "sparsity.pattern: found 4:4", "n from 1 to m - 1"),
            Case("pattern: 1:3", "sparsity.pattern: found 1:3", "2, 4, 8 or 16"),
            Case("pattern: 2:4, density: 0.25", "sparsity.density: found 0.25", "0.5"),
            Case("density: 0.5, method: magnitde", ":13: sparsity.method", "did you mean 'magnitude'?"),
            Case("density: 0.5, ramp_steps: 3", ":13: sparsity: found the unknown key 'ramp_steps'"),
            Case("density: 0.5, method: regrow, ramp_steps: 3", "unknown key 'ramp_steps'", "regrow_share"),
            Case("density: 0.5, method: magnitude, ramp_steps: 9", "sparsity.ramp_steps", "step 10", "(10)"),
            Case("density: 0.5, method: magnitude, update_every: 0", "sparsity.update_every: found 0"),
            Case("pattern: 2:4, method: magnitude, ramp_steps: 2", "sparsity.ramp_steps", "one density alone"),
            Case("density: 0.5, method: regrow, regrow_share: 1", "sparsity.regrow_share: found 1.0"),
            Case("density: 0.5, method: regrow, stop_step: 11", "sparsity.stop_step: found 11"),
            Case("density: 0.5, matrices: [outptu]", "sparsity.matrices", "did you mean 'output'?"),
            Case("density: 0.5, matrices: []", "sparsity.matrices: found none"),
            Case("density: 0.5, densty: 0.5", "unknown key 'densty'", "did you mean 'density'?"),
        ])
    func refused(bad: Case) {
        let problems = JobText.problems(of: JobText.adding("sparsity: {\(bad.text)}"))
        let text = JobFileError.invalid(name: "job.yaml", problems: problems).description
        #expect(problems.count == 1, "\(text)")
        for part in bad.says { #expect(text.contains(part), "\(text)") }
    }
}
