import Jobs
import Testing

@Suite("Gradient compression in a job")
struct CompressionTests {
    private func compression(_ text: String) throws -> GradientCompression? {
        try JobFile.parse(JobText.adding("compression: \(text)"), name: "job.yaml").compression
    }

    @Test("is read by its name, or as a mapping with more to say")
    func reading() throws {
        #expect(try compression("none") == nil)
        #expect(try JobFile.parse(JobText.adding(""), name: "job.yaml").compression == nil)
        #expect(try compression("bf16") == .bf16)
        #expect(try compression("{ kind: fp16 }") == .fp16)
        #expect(try compression("top_k") == .topK(TopKSettings()))
        #expect(
            try compression("{ kind: top_k, density: 0.01, flush_every: 20 }")
                == .topK(TopKSettings(density: 0.01, flushEvery: 20)))
    }

    @Test(
        "is refused where it is none, with key, what was found and what is allowed",
        arguments: [
            ("bf61", "compression", "bf16"), ("3", "compression", "bf16, fp16, top_k"),
            ("[bf16]", "compression", "kind"),
            ("{ density: 0.1 }", "compression.kind", "required"), ("{ kind: no }", "compression.kind", "top_k"),
            ("{ kind: fp16, density: 0.1 }", "compression.density", "fp16 has no such key"),
            ("{ kind: top_k, density: 0 }", "compression.density", "0.0001 to 0.5"),
            ("{ kind: top_k, density: .nan }", "compression.density", "finite"),
            ("{ kind: top_k, flush_every: 0 }", "compression.flush_every", "1 to"),
            ("{ kind: top_k, flush: 3 }", "compression", "flush_every"),
        ])
    func faults(text: String, key: String, allowed: String) throws {
        let error = try #require(throws: JobFileError.self) { try compression(text) }
        guard case .invalid(_, let problems) = error else {
            Issue.record("\(error)")
            return
        }
        #expect(problems.contains { $0.key == key && $0.allowed.contains(allowed) }, "\(problems)")
    }

    @Test(
        "comes back from YAML and JSON; a job without it has the text that it always had",
        arguments: [
            nil, .bf16, .fp16, .topK(TopKSettings(density: 0.02, flushEvery: 7)),
        ] as [GradientCompression?])
    func roundTrip(compression: GradientCompression?) throws {
        var job = try JobFile.parse(JobText.adding(""), name: "job.yaml")
        job.compression = compression
        #expect(try JobFile.parse(JobFile.render(job), name: "job.yaml") == job)
        #expect(try JobFile.decode(json: JobFile.json(job)) == job)
        #expect(JobFile.json(job).contains("compression") == (compression != nil))
    }

    @Test(
        "fp16's scale is a power of two that leaves room for a mean of 63 over all lanes",
        arguments: [1, 2, 3, 5, 64, 4_096])
    func room(lanes: Int) {
        let scale = GradientCompression.float16Scale(lanes: lanes)
        #expect(scale.significand == 1)
        #expect(65_504 / scale >= 63 * Float(lanes))
        #expect(65_504 / scale < 129 * Float(lanes))
    }

    @Test("points at which nothing is held back come every so many steps, and at the end")
    func wholePoints() throws {
        var job = try JobFile.parse(JobText.adding(""), name: "job.yaml")
        let total = job.totalSteps
        #expect((0...total).allSatisfy { job.isWhole(after: $0) })
        job.compression = .topK(TopKSettings(density: 0.1, flushEvery: 4))
        #expect((0..<total).filter { job.isWhole(after: $0) } == Array(stride(from: 0, to: total, by: 4)))
        #expect(job.isWhole(after: total))
        #expect(job.wholePoint(before: 7) == 4 && job.wholePoint(before: 8) == 8)
        #expect(job.canGoBack(from: 7, to: 4) && job.canGoBack(from: 7, to: 7))
        #expect(!job.canGoBack(from: 7, to: 0) && !job.canGoBack(from: 7, to: 6) && !job.canGoBack(from: 4, to: 8))
    }

    @Test("checkpoints wait for such a point, and none is left out", arguments: [1, 3, 4, 5, 8])
    func checkpoints(every: Int) throws {
        var job = try JobFile.parse(JobText.adding(""), name: "job.yaml")
        job.phases[0].steps = 40
        job.phases = [job.phases[0]]
        job.checkpoints.everySteps = every
        #expect((1..<40).filter { job.checkpoints(stepsMade: $0) } == Array(stride(from: every, to: 40, by: every)))
        job.compression = .topK(TopKSettings(density: 0.1, flushEvery: 4))
        let due = (1..<40).filter { job.checkpoints(stepsMade: $0) }
        #expect(due.allSatisfy { job.isWhole(after: $0) })
        // Each is the first point at or after a step at which one was due.
        let wanted = Set(stride(from: every, to: 40, by: every).map { ($0 + 3) / 4 * 4 }.filter { $0 < 40 })
        #expect(due == wanted.sorted())
        #expect(job.checkpoints(stepsMade: 40))
    }
}
