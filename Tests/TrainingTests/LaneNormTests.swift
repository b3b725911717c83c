import Jobs
import Kernels
import Testing
import Training

@Suite("The norms of lanes' gradients")
struct LaneNormTests {
    /// Evaluated every 64 steps, so that every second step is measured.
    private var job: Job {
        var job = Sample.job(lanes: 4)
        job.evaluation.everySteps = 64
        return job
    }

    private func norms(_ trainers: [Trainer], step: Int) throws -> [Double?] {
        try trainers.flatMap { trainer in
            try trainer.loadStep(StepNumber(step))
            return try trainer.computeGradients(StepNumber(step)).map(\.gradientSquaredNorm)
        }
    }

    @Test("have the same bits by any threads and processes, and are those of the lanes' own gradients")
    func sameBits() throws {
        let whole = try norms([Sample.trainer(job)], step: 1)
        #expect(whole.count == 4 && !whole.contains(nil))
        for threads in [2, 3, 4] { #expect(try norms([Sample.trainer(job, threads: threads)], step: 1) == whole) }
        for shares in [[0..<1, 1..<4], [0..<2, 2..<4], [0..<3, 3..<4]] {
            let trainers = try shares.map { try Sample.trainer(job, lanes: $0, threads: 2) }
            #expect(try norms(trainers, step: 1) == whole)
        }
        for lane in 0..<4 {
            let trainer = try Sample.trainer(job, lanes: lane..<lane + 1)
            _ = try norms([trainer], step: 1)
            let gradient = trainer.partialSum(try #require(trainer.cover.first))
            let square = gradient.reduce(0.0) { $0 + Double($1) * Double($1) }
            let measured = try #require(whole[lane])
            #expect(abs(measured - square) < 1e-9 * square)
        }
    }

    @Test("are measured at the last step before each evaluation and evenly between, and change no gradient")
    func schedule() throws {
        #expect((0..<64).map { job.measuresGradientNoise(at: StepNumber($0)) } == (0..<64).map { $0 % 2 == 1 })
        #expect(try norms([Sample.trainer(job)], step: 0) == [nil, nil, nil, nil])
        var alone = job
        alone.lanes = 1
        #expect(!(0..<64).contains { alone.measuresGradientNoise(at: StepNumber($0)) })
        for everySteps in [1, 7, 100, 1_000] {
            var job = job
            job.evaluation.everySteps = everySteps
            let measured = (0..<everySteps).filter { job.measuresGradientNoise(at: StepNumber($0)) }
            #expect(measured.last == everySteps - 1 && measured.count <= 65)
        }
        var every = job
        every.evaluation.everySteps = 1
        #expect(try train(Sample.trainer(every)).digest == train(Sample.trainer(job)).digest)
    }
}
