import Jobs
import PerformanceModel
import Testing

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

@Suite("Sweeps")
struct SweepTests {
    @Test(
        "values are read one by one, as a range and by doubling",
        arguments: [
            ("nodes=1,2,4", ["1", "2", "4"]), ("nodes=1..4", ["1", "2", "3", "4"]),
            ("micro-batch=8..64x2", ["8", "16", "32", "64"]),
            ("stack=pytorch-20.06,tf-19.08", ["pytorch-20.06", "tf-19.08"]), ("precision=fp16", ["fp16"]),
        ])
    func parses(text: String, values: [String]) throws {
        #expect(try Sweep.Axis(parsing: text).values == values)
    }

    @Test(
        "what is no axis is refused",
        arguments: [
            "nodes", "nodes=", "nodes=0", "nodes=4..1", "nodes=1..8x1", "nodes=a", "colour=red", "precision=fp8",
            "stack=",
            "nodes=1..99999999", "nodes=1,,2",
        ])
    func refuses(text: String) {
        #expect(throws: PerformanceModelError.self) { try Sweep.Axis(parsing: text) }
    }

    @Test("every combination is predicted as by itself, and what a machine can't do is its own configuration's error")
    func combinations() throws {
        let job = StepModelTests.job()
        let axes = try [Sweep.Axis(parsing: "nodes=1,2"), Sweep.Axis(parsing: "gpus-per-node=8,9")]
        let found = try Sweep(axes, hardware: "dgx1-v100-16g", layout: .init(stack: "pytorch-20.06")).run(
            job: job, convergence: nil)
        #expect(found.map(\.layout.nodes) == [1, 1, 2, 2])
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        let alone = try JobPrediction(
            job: job, profile: profile, layout: .init(workers: 16, devicesPerNode: 8, stack: "pytorch-20.06"))
        #expect(try found[2].outcome.get() == alone)
        #expect(throws: PerformanceModelError.self) { try found[1].outcome.get() }
    }

    /// CPU time of this thread: other tests and programs don't count.
    private func cpuSeconds(_ body: () throws -> Void) rethrows -> Double {
        func now() -> Double {
            var time = timespec()
            clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
            return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
        }
        let start = now()
        try body()
        return now() - start
    }

    @Test("a thousand configurations take less than a second of one core")
    func isFast() throws {
        let axes = try [
            Sweep.Axis(parsing: "nodes=1..50"), Sweep.Axis(parsing: "micro-batch=1..10"),
            Sweep.Axis(parsing: "stack=pytorch-20.06,tf-19.08"),
        ]
        let sweep = try Sweep(axes, hardware: "dgx1-v100-16g", layout: .init(accumulation: 1))
        var found: [Sweep.Configuration] = []
        let seconds = try cpuSeconds { found = try sweep.run(job: StepModelTests.job(), convergence: nil) }
        #expect(found.count == 1000 && seconds < 1)
    }

    @Test("4,096 devices are predicted in less than a second")
    func manyDevices() throws {
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        var step: ModelledStep?
        let seconds = try cpuSeconds {
            step = try StepModel.predict(job: StepModelTests.job(), profile: profile, workers: 4096)
        }
        #expect(step?.workers == 4096 && step?.extrapolated.isEmpty == false && seconds < 1)
    }
}
