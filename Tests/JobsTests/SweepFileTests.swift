import Jobs
import Testing

@Suite("Sweep files")
struct SweepFileTests {
    private static let checks = SweepFile.Checks(
        hardware: { name, backend in
            (name == "cs1") == (backend == .wafer) ? nil : "a profile of the other kind"
        },
        emulation: { _, _, hardware in hardware == nil ? "a profile of a cluster" : nil })

    private func plan(_ text: String) throws(JobFileError) -> SweepPlan {
        try SweepFile.parse(bytes: Array(text.utf8), name: "sweep.yaml", directory: "/jobs", checks: Self.checks) {
            (path) throws(JobFileError) in
            guard path == "/jobs/job.yaml" else { throw .unreadable(path: path, reason: "no such file") }
            return try JobFile.parse(JobText.valid, name: "job.yaml")
        }
    }

    private func lines(_ text: String) -> [String] {
        do {
            _ = try plan(text)
            return []
        } catch {
            return error.description.split(separator: "\n").map(String.init)
        }
    }

    @Test("has every combination once; axes of the cluster don't multiply runs of the wafer")
    func grid() throws {
        let plan = try plan(
            "job: job.yaml\nbackend: [cluster, wafer]\nworkers: [1, 2, 4]\nsparsity: [dense, sparse75]\n")
        #expect(plan.axes == ["sparsity", "backend", "workers"])
        #expect(plan.points.count == 8)
        #expect(plan.points.map(\.workers) == [1, 2, 4, 1, 1, 2, 4, 1])
        #expect(plan.points[3].values == ["dense", "wafer", nil] && plan.points[3].backend == .wafer)
        #expect(plan.points[4].job.sparsity?.density == 0.25 && plan.points[0].job.sparsity == nil)
        #expect(Set(plan.points.map(\.job.name)).count == 1)
    }

    @Test("one value is a setting and no axis; nothing at all is one run as the job says, by two workers")
    func settings() throws {
        let plain = try plan("job: job.yaml")
        #expect(plain.axes.isEmpty && plain.points.map(\.workers) == [2])
        #expect(plain.points[0].job == (try JobFile.parse(JobText.valid, name: "job.yaml")))
        let set = try plan("job: job.yaml\nname: night-1\nalgorithm: ring\nseed: [7]\nhardware: dgx1")
        #expect(set.axes.isEmpty && set.name == "night-1")
        #expect(set.points.map(\.exchange.algorithm) == [.ring] && set.points.map(\.job.seed) == [7])
        #expect(set.points.map(\.hardware) == ["dgx1"])
    }

    @Test("a batch sets every phase, and a micro-batch that was a lane's whole share stays one")
    func batch() throws {
        let job = try JobFile.parse(JobText.valid, name: "job.yaml")
        let batch = job.lanes * 6
        let point = try #require(try plan("job: job.yaml\nglobal_batch: \(batch)").points.first)
        #expect(point.job.phases.allSatisfy { $0.globalBatch == batch })
        for (before, after) in zip(job.phases, point.job.phases) {
            #expect(after.microBatch == (before.microBatch == before.globalBatch / job.lanes ? 6 : before.microBatch))
        }
    }

    @Test("an emulated sweep has its settings, and buckets of the network that it stands for")
    func emulated() throws {
        let plan = try plan(
            "job: job.yaml\nemulate: true\nstand_for: large\nhardware: [a, b]\noversubscription: [1, 4]\ndilation: 20")
        #expect(plan.points.count == 4)
        #expect(plan.points.allSatisfy { $0.emulation?.standsFor == "large" && $0.emulation?.dilation == 20 })
        #expect(plan.points.map { $0.emulation?.oversubscription } == [1, 4, 1, 4])
        #expect(plan.points.allSatisfy { $0.exchange.bucket == EmulationSettings.standInBucket })
    }

    @Test(
        "B2: what is wrong is told by line and key, with what was found and what is allowed",
        arguments: [
            ("workers: [0, 2]", "sweep.yaml:2: workers: found 0; allowed: a whole number from 1 to 4096"),
            ("workers: [1, 99]", "sweep.yaml:2: workers: found 99; allowed: 1 to 4, the job's lanes"),
            ("workers: 1.5", "sweep.yaml:2: workers: found 1.5"),
            ("workers: []", "sweep.yaml:2: workers: found a list of 0"),
            ("workers: {a: 1}", "sweep.yaml:2: workers: found a mapping of keys"),
            ("wokers: 2", "sweep.yaml:2: found the unknown key 'wokers'; allowed: did you mean 'workers'?"),
            ("global_batch: [8, 7]", "sweep.yaml:2: global_batch: found a job whose phases[0].global_batch is 7"),
            ("global_batch: 99999999999", "sweep.yaml:2: global_batch"),
            ("seed: -1", "sweep.yaml:2: seed: found -1"), ("seed: 18446744073709551616", "sweep.yaml:2: seed"),
            ("backend: [gpu]", "sweep.yaml:2: backend: found 'gpu'"),
            ("algorithm: [rign]", "sweep.yaml:2: algorithm: found 'rign'; allowed: did you mean 'ring'?"),
            ("sparsity: sparse100", "sweep.yaml:2: sparsity: found sparse100"),
            ("compression: fp8", "sweep.yaml:2: compression: found 'fp8'"),
            ("hardware: [cs1]", "sweep.yaml:2: hardware: found cs1; allowed: a profile of the other kind"),
            ("name: a b", "sweep.yaml:2: name: found a b"), ("stand_for: large", "add 'emulate: true'"),
            ("devices_per_node: 2", "add 'emulate: true'"), ("emulate: maybe", "sweep.yaml:2: emulate: found maybe"),
            ("emulate: true", "sweep.yaml:2: emulate: found 2 workers as no hardware"),
            ("emulate: true\nhardware: a\noversubscription: 0.5", "sweep.yaml:4: oversubscription: found 0.5"),
            ("emulate: true\nhardware: a\ndilation: -1", "sweep.yaml:4: dilation: found -1"),
        ])
    func refused(text: String, says: String) {
        let lines = lines("job: job.yaml\n" + text)
        #expect(lines.contains { $0.contains(says) }, "\(lines)")
    }

    @Test("B1: an empty file, another document and a missing job are refused")
    func noSweep() {
        #expect(lines("").first?.contains("a sweep: keys such as") == true)
        #expect(
            lines("workers: 2").first
                == "sweep.yaml:1: job: found nothing; allowed: the path of a job file; this key is required")
        #expect(lines("job: nix.yaml") == ["/jobs/nix.yaml: no such file"])
        #expect(lines("- a").count == 1)
    }

    @Test("more runs than a sweep may have are refused with their number")
    func tooMany() {
        let seeds = (0..<250).map(String.init).joined(separator: ", ")
        let lines = lines("job: job.yaml\nseed: [\(seeds)]\nalgorithm: [direct, star, ring, tree]\nworkers: [1, 2]")
        #expect(lines == ["sweep.yaml: found 2000 runs; allowed: at most 1000: take fewer values"])
    }
}
