import Coordinator
import Jobs
import Runs
import Testing
import Wire

@Suite("What a run may take")
struct RunLimitsTests {
    private func life(_ limits: RunLimits) throws -> Life {
        var life = try Life(steps: 100, limits: limits)
        life.begin()
        life.step(0)
        return life
    }

    @Test("when its time is up, a run writes a last checkpoint and fails with the reason")
    func time() throws {
        var life = try life(RunLimits(time: HostSeconds(30)))
        #expect(life.live(seconds: 29, speaking: [0, 1], step: 1).end == nil)
        let asked = life.live(seconds: 2, speaking: [0, 1], step: 1)
        #expect(asked.words.contains { $0.contains("the limit of time is up") }, "\(asked.words)")
        life.halted(0, after: 1)
        let saving = life.halted(1, after: 1)
        #expect(saving.saves == [0])
        let report = CheckpointReport(stepsMade: 1, path: "/run/checkpoints/1", duration: HostSeconds(0.1))
        let end = life.say(0, .checkpointReport(report)).end
        guard case .failed(let reason)? = end?.state else {
            Issue.record("\(String(describing: end))")
            return
        }
        #expect(reason.contains("30.0 s") && reason.contains("runs resume"), "\(reason)")
    }

    @Test("before the first step nothing is there to be kept, and it ends at once")
    func timeBeforeTheFirstStep() throws {
        var life = try Life(steps: 100, limits: RunLimits(time: HostSeconds(5)))
        life.prepare()
        #expect(life.live(seconds: 6, speaking: []).failure?.contains("limit of time") == true)
    }

    @Test("too much memory ends it with a checkpoint; far too much, or more than before meanwhile, at once")
    func memory() throws {
        let limits = RunLimits(memory: .mebibytes(1_000))
        var life = try life(limits)
        #expect(life.handle(.usage(RunUsage(memory: .mebibytes(1_000)))).isEmpty)
        let asked = life.handle(.usage(RunUsage(memory: .mebibytes(1_100))))
        #expect(asked.failure == nil && !asked.isEmpty)
        // It is on its way out.
        #expect(life.handle(.usage(RunUsage(memory: .mebibytes(1_100)))).isEmpty)
        let end = life.handle(.usage(RunUsage(memory: .mebibytes(1_300))))
        #expect(end.failure?.contains("1.27 GiB of memory; its limit is 0.98 GiB") == true, "\(end.failure ?? "")")
        #expect(end.stopped == [0, 1])
    }

    @Test("too many files end it at once: a checkpoint would be one more")
    func disk() throws {
        var life = try life(RunLimits(disk: .mebibytes(10)))
        #expect(life.handle(.usage(RunUsage(disk: .mebibytes(10)))).isEmpty)
        #expect(life.handle(.usage(RunUsage(disk: .mebibytes(11)))).failure?.contains("its files take") == true)
    }

    @Test("nobody joins a run that has as many workers as it may have")
    func workers() throws {
        var life = try life(RunLimits(workers: 2))
        let refusal = life.handle(.joinRequested(by: [1, 2, 3]))
        #expect(refusal.count == 1 && refusal.events.isEmpty)
        var free = try self.life(RunLimits())
        #expect(free.handle(.joinRequested(by: [1, 2, 3])).events == [.workerJoined])
    }

    @Test("what can't fit is refused with what it needs at least, and what fits isn't")
    func needs() throws {
        var job = try Reports.run().job
        job.model = try #require(ModelShape.named("large"))
        job.corpus = CorpusSource(text: .synthetic(documents: 300, seed: 5), vocabulary: .trained(size: 30_522))
        let needs = RunNeeds(of: job, workers: 2)
        // BERT-Large has 336,226,108 parameters (Hugging Face's count with both heads); biases and heads are left out here.
        #expect(needs.parameters <= 336_226_108 && Double(needs.parameters) > 0.98 * 336_226_108)
        #expect(needs.memory.count == 2 * 16 * needs.parameters && needs.disk.count == 16 * needs.parameters)
        try JobRequirements.check(RunLimits(memory: needs.memory, disk: needs.disk, workers: 2), of: job, workers: 2)
        for (limits, word) in [
            (RunLimits(memory: Bytes(needs.memory.count - 1)), "of memory or more"),
            (RunLimits(disk: Bytes(needs.disk.count - 1)), "of disk or more"),
            (RunLimits(workers: 1), "its limit is 1"),
        ] {
            let error = #expect(throws: JobRequirements.Violation.self) {
                try JobRequirements.check(limits, of: job, workers: 2)
            }
            #expect(error?.description.contains(word) == true, "\(error?.description ?? "")")
        }
    }

    @Test("B4: needs of the largest shapes that a job file takes don't overflow")
    func overflow() throws {
        var job = try Reports.run(lanes: 4).job
        job.model = ModelShape(layers: 1_000_000, hidden: 1 << 20, heads: 16, intermediate: 1 << 24, positions: 1 << 24)
        job.compression = .topK(TopKSettings())
        let needs = RunNeeds(of: job, workers: 4_096)
        #expect(needs.memory.count == 1 << 62 && needs.disk.count > 1 << 60)
    }

    @Test("of two limits the narrower one holds, each by itself")
    func tightened() {
        let one = RunLimits(memory: .mebibytes(5), time: HostSeconds(10))
        let two = RunLimits(memory: .mebibytes(9), disk: .mebibytes(1), time: HostSeconds(3), workers: 4)
        #expect(
            one.tightened(by: two)
                == RunLimits(memory: .mebibytes(5), disk: .mebibytes(1), time: HostSeconds(3), workers: 4))
        #expect(one.tightened(by: RunLimits()) == one && RunLimits().isEmpty)
    }
}
