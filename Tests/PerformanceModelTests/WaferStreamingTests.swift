import Jobs
import PerformanceModel
import Testing

@Suite("Weight streaming on a wafer")
struct WaferStreamingTests {
    private static func workload(_ size: String, sequence: Int = 128) throws -> Workload {
        Workload(
            model: try #require(ModelShape.named(size)), vocabularySize: 30_522, sequence: sequence,
            maskedPositions: sequence * 5 / 32, microBatch: 1, optimizer: .lamb)
    }

    private static func machine(_ name: String = "cs2") throws -> WaferMachine {
        try #require(try HardwareCatalogue.profile(name).wafer)
    }

    private static func plan(
        _ size: String = "large", sequence: Int = 128, batch: Int = 4096, on machine: WaferMachine? = nil,
        sparsity: WeightSparsity? = nil
    ) throws -> StreamingPlan {
        try StreamingPlan(
            workload(size, sequence: sequence), machine: try machine ?? Self.machine(), globalBatch: batch,
            sparsity: sparsity)
    }

    @Test("the replay of weight blocks takes as long as the formula says, whether weights or arithmetic are slower")
    func replay() throws {
        var slow = try Self.machine()
        slow.weightStore?.gigabitsPerSecond.value = 20
        for machine in [try Self.machine(), try Self.machine("cs3"), slow] {
            for (size, sequence, batch) in [
                ("large", 128, 4096), ("large", 512, 64), ("base", 128, 1), ("tiny", 512, 8),
            ] {
                let plan = try Self.plan(size, sequence: sequence, batch: batch, on: machine)
                let passes = min(3, plan.passes)
                let replay = StreamingReplay(plan, passes: passes).seconds
                let formula = Double(passes) * plan.passSeconds
                #expect(abs(replay - formula) < 0.02 * formula, "\(size), \(batch): \(replay) for \(formula)")
            }
        }
    }

    @Test("in a replay the stages follow each other, forward and then back, and no two overlap")
    func turns() throws {
        let plan = try Self.plan("mini", batch: 64)
        let turns = StreamingReplay(plan, passes: 2).turns
        #expect(turns.map(\.stage) == Array(plan.stages.indices) + Array(plan.stages.indices))
        for (first, second) in zip(turns, turns.dropFirst()) { #expect(second.start >= first.end - 1e-15) }
        let names = plan.stages.filter { !$0.isBackward }.map(\.name)
        #expect(plan.stages.filter(\.isBackward).map(\.name) == names.reversed())
    }

    @Test("every weight comes in twice a pass and its gradient goes out once")
    func traffic() throws {
        let plan = try Self.plan(batch: 2000)
        let parameters = plan.graph.kernels.reduce(0) { $0 + $1.parameters }
        let passes = Double(plan.passes)
        // Beside the weights come the rows of the embedding table that the tokens name, at most the table.
        let table = Double(30_522 * 1024 * 2)
        let rounding = 1 + 1e-12
        #expect(plan.bytesIn * rounding >= passes * 4 * Double(parameters))
        #expect(plan.bytesIn <= passes * (4 * Double(parameters) + table + 2000 * 128 * 12) * rounding)
        #expect(plan.bytesOut * rounding >= passes * 2 * Double(parameters))
        #expect(plan.bytesOut <= passes * (2 * Double(parameters) + table) * rounding)
    }

    @Test("the passes take all samples, and the activations of each fit the cores")
    func fits() throws {
        for (sequence, batch) in [(128, 1), (128, 65_536), (512, 32_768), (512, 3)] {
            let plan = try Self.plan(sequence: sequence, batch: batch)
            #expect(plan.passes * plan.samplesOfPass >= batch)
            #expect((plan.passes - 1) * plan.samplesOfPass < batch)
            #expect(plan.activationBytesPerCore <= plan.core.dataBytes)
            #expect(plan.featureRows <= plan.rows)
        }
    }

    @Test("arithmetic is at least what the multiply-adds take when spread evenly")
    func bound() throws {
        let plan = try Self.plan()
        let multiplyAdds = plan.graph.kernels.reduce(0) { $0 + $1.multiplyAdds } * 4096
        let cores = Double(plan.columns * plan.rows)
        let least = multiplyAdds / (cores * plan.core.multiplyAddsPerCycle * plan.core.hertz)
        #expect(plan.computeSeconds > least)
        #expect(plan.computeSeconds < 2.5 * least)
    }

    @Test("more bandwidth to the weights' memory never slows a step, and an endless one leaves the arithmetic")
    func monotone() throws {
        var (machine, before) = (try Self.machine(), Double.infinity)
        for gigabits in [10.0, 100, 1000, 1e6] {
            machine.weightStore?.gigabitsPerSecond.value = gigabits
            let seconds = try Self.plan("base", batch: 64, on: machine).seconds
            #expect(seconds <= before)
            before = seconds
        }
        let plan = try Self.plan("base", batch: 64, on: machine)
        #expect(plan.exposedSeconds < 0.05 * plan.seconds)
    }

    @Test("a larger batch takes longer, and less for each sequence")
    func amortised() throws {
        let (small, large) = (try Self.plan("base", batch: 16), try Self.plan("base", batch: 1024))
        #expect(large.seconds > small.seconds)
        #expect(large.seconds / 1024 < small.seconds / 16)
    }

    @Test("what doesn't fit the pipeline is streamed where the machine can, and refused elsewhere with what is missing")
    func fallsBack() throws {
        var job = StepModelTests.job(globalBatch: 64)
        job.model = ModelShape(layers: 96, hidden: 4096, heads: 32)
        let layout = StepModel.Layout(workers: 1)
        let streamed = try StepModel.predict(
            job: job, profile: HardwareCatalogue.profile("cs2"), layout: layout)
        #expect(streamed.execution == .streaming)
        let sum = streamed.compute + streamed.exposedCommunication + streamed.pipelineFill + streamed.optimizer
        #expect(abs(sum.seconds - streamed.step.seconds) < 1e-9 * streamed.step.seconds)
        let refused = #expect(throws: PerformanceModelError.self) {
            try StepModel.predict(job: job, profile: HardwareCatalogue.profile("cs1"), layout: layout)
        }
        #expect(refused?.description.contains("GB are missing") == true)
        #expect(throws: PerformanceModelError.self) {
            try StepModel.predict(
                job: job, profile: HardwareCatalogue.profile("cs2"), layout: .init(workers: 1, execution: .pipelined))
        }
    }

    @Test("BERT-Large fits a CS-2 in the pipeline, and is streamed when that is asked for")
    func asked() throws {
        let (job, profile) = (StepModelTests.job(), try HardwareCatalogue.profile("cs2"))
        let own = try StepModel.predict(job: job, profile: profile, layout: .init(workers: 1))
        #expect(own.execution == .pipelined)
        let streamed = try StepModel.predict(
            job: job, profile: profile, layout: .init(workers: 1, execution: .streaming))
        #expect(streamed.execution == .streaming)
        #expect(streamed.step.seconds > 0)
    }

    @Test(
        "a machine without streaming, copies of a streamed network, and memories too small are refused with the reason")
    func refusals() throws {
        func refusal(_ machine: WaferMachine, _ part: String) throws {
            let error = #expect(throws: PerformanceModelError.self) { try Self.plan(on: machine) }
            #expect(error?.description.contains(part) == true, "\(error?.description ?? "no error")")
        }
        try refusal(try Self.machine("cs1"), "has no weight streaming")
        var small = try Self.machine()
        small.weightStore?.terabytes.value = 0.001
        try refusal(small, "GB are missing")
        var tiny = try Self.machine()
        tiny.sramGigabytes.value = 0.05
        try refusal(tiny, "activations of one sequence")
        let copies = #expect(throws: PerformanceModelError.self) {
            try StepModel.predict(
                job: StepModelTests.job(), profile: HardwareCatalogue.profile("cs2"),
                layout: .init(workers: 1, execution: .streaming, replicas: 2))
        }
        #expect(copies?.description.contains("allowed: 1") == true)
    }
}
