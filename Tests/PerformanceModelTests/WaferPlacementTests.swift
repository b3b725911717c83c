import Jobs
import PerformanceModel
import Testing

@Suite("Placement on a wafer")
struct WaferPlacementTests {
    private static func workload(_ size: String, sequence: Int = 128) throws -> Workload {
        Workload(
            model: try #require(ModelShape.named(size)), vocabularySize: 30_522, sequence: sequence,
            maskedPositions: sequence * 5 / 32, microBatch: 1, optimizer: .lamb)
    }

    private static func plan(_ size: String, sequence: Int = 128, replicas: Int = 1) throws -> FloorPlan {
        let machine = try #require(try HardwareCatalogue.profile("cs1").wafer)
        let planner = FloorPlanner(try workload(size, sequence: sequence), machine: machine)
        return try #require(planner.plan(replicas: replicas))
    }

    @Test(
        "every kernel has one rectangle in the grid, none overlap, and all fit their cores' memory",
        arguments: [("large", 128, 1), ("large", 512, 1), ("base", 128, 2), ("tiny", 128, 4)])
    func rectangles(size: String, sequence: Int, replicas: Int) throws {
        let plan = try Self.plan(size, sequence: sequence, replicas: replicas)
        #expect(plan.rectangles.count == plan.graph.kernels.count * replicas)
        #expect(
            Set(plan.rectangles.map { $0.replica * plan.graph.kernels.count + $0.kernel }).count
                == plan.rectangles.count)
        var isTaken = [Bool](repeating: false, count: plan.columns * plan.rows)
        var overlaps = 0
        for rectangle in plan.rectangles {
            let (columns, rows) = (rectangle.layout.columns, rectangle.layout.rows)
            #expect(rectangle.x >= 0 && rectangle.x + columns <= plan.columns)
            #expect(rectangle.y >= 0 && rectangle.y + rows <= plan.rows)
            #expect(rectangle.layout.bytesPerCore <= plan.core.dataBytes)
            for y in rectangle.y..<rectangle.y + rows {
                for x in rectangle.x..<rectangle.x + columns {
                    if isTaken[y * plan.columns + x] { overlaps += 1 }
                    isTaken[y * plan.columns + x] = true
                }
            }
        }
        #expect(overlaps == 0)
    }

    @Test("the interval is no less than the bound, and BERT-Large comes within a fifth of it")
    func bound() throws {
        for sequence in [128, 512] {
            let plan = try Self.plan("large", sequence: sequence)
            #expect(plan.intervalCycles >= plan.leastIntervalCycles)
            #expect(plan.intervalCycles < 1.2 * plan.leastIntervalCycles)
            #expect(plan.meanWireCores >= plan.leastMeanWireCores)
            #expect(plan.busyShare <= plan.occupiedShare)
        }
    }

    @Test("placing twice gives the same plan")
    func isDeterministic() throws { #expect(try Self.plan("base") == (try Self.plan("base"))) }

    @Test("the graph's multiply-adds are the training step's")
    func sameWork() throws {
        let workload = try Self.workload("base")
        let placed = WaferGraph(workload).kernels.reduce(0.0) { $0 + 2 * $1.multiplyAdds }
        let listed = OperatorGraph(workload).matrixFlops
        #expect(abs(placed - listed) < 1e-9 * listed)
    }

    @Test("the replay takes as long as the formula says, and holds no more samples than there is memory for")
    func replay() throws {
        for (size, sequence) in [("large", 128), ("large", 512), ("base", 128)] {
            let plan = try Self.plan(size, sequence: sequence)
            let samples = 2048
            let replay = PipelineReplay(plan, samples: samples)
            let time = PipelineTime(plan, samples: samples)
            let formula = (time.seconds - time.update) * plan.core.hertz
            #expect(abs(replay.cycles - formula) < 0.02 * formula)
            for rectangle in plan.rectangles { #expect(replay.mostInFlight[rectangle.kernel] <= rectangle.inFlight) }
        }
    }

    @Test("copies of a small network take as long as the formula says, few samples or many", arguments: [1, 2, 4, 8])
    func copiesReplay(replicas: Int) throws {
        let plan = try Self.plan("tiny", replicas: replicas)
        for samples in [1, 7, 40, 100, 700] {
            let replay = PipelineReplay(plan, samples: samples).cycles
            let time = PipelineTime(plan, samples: samples * replicas)
            #expect(time.samplesOfReplica == samples)
            let formula = (Double(samples) * time.kernelInterval + time.fill) * plan.core.hertz
            #expect(abs(replay / formula - 1) < 0.02, "\(samples) samples: \(replay) for \(formula)")
        }
    }

    @Test("in a replay every sample passes every kernel once each way, one at a time, and no gradient comes early")
    func passes() throws {
        let plan = try Self.plan("tiny")
        let passes = PipelineReplay(plan, samples: 30).passes
        #expect(passes.count == 2 * 30 * plan.graph.kernels.count)
        for kernel in plan.graph.kernels.indices {
            let here = passes.filter { $0.kernel == kernel }.sorted { $0.start < $1.start }
            for (first, second) in zip(here, here.dropFirst()) { #expect(second.start >= first.end) }
            for sample in 0..<30 {
                let ofSample = here.filter { $0.sample == sample }
                #expect(ofSample.map(\.isBackward) == [false, true])
            }
        }
    }

    @Test("a faster clock shortens a step as much, and a larger batch only adds intervals")
    func scaling() throws {
        let profile = try #require(try HardwareCatalogue.profile("cs1").wafer)
        var fast = profile
        fast.clockGigahertz.value *= 2
        fast.fabricPetabitsPerSecond.value *= 2
        let workload = try Self.workload("base")
        let slowPlan = try FloorPlanner(workload, machine: profile).plan(globalBatch: 256)
        let fastPlan = try FloorPlanner(workload, machine: fast).plan(globalBatch: 256)
        let (slowTime, fastTime) = (PipelineTime(slowPlan, samples: 256), PipelineTime(fastPlan, samples: 256))
        #expect(abs(slowTime.seconds / fastTime.seconds - 2) < 1e-6)
        let twice = PipelineTime(slowPlan, samples: 512)
        let extra = Double(256 / slowPlan.replicas) * slowTime.interval
        #expect(abs(twice.seconds - slowTime.seconds - extra) < 1e-9)
    }

    @Test("a small network is placed several times; one that is too large is refused with what is missing")
    func copies() throws {
        let machine = try #require(try HardwareCatalogue.profile("cs1").wafer)
        let small = try FloorPlanner(try Self.workload("tiny"), machine: machine).plan(globalBatch: 4096)
        #expect(small.replicas > 1)
        var tiny = machine
        tiny.sramGigabytes.value = 1
        let error = #expect(throws: PerformanceModelError.self) {
            try FloorPlanner(try Self.workload("large"), machine: tiny).plan(globalBatch: 256)
        }
        #expect(error?.description.contains("GB are missing") == true)
    }

    @Test("clusters, phases that don't exist and impossible numbers of copies are refused")
    func refusals() throws {
        let job = try JobExample.demo.job()
        let (wafer, cluster) = (
            try HardwareCatalogue.profile("cs1"), try HardwareCatalogue.profile("dgx1-v100-16g")
        )
        #expect(throws: PerformanceModelError.self) { try Placement(job: job, profile: cluster, phase: 0) }
        #expect(throws: PerformanceModelError.self) { try Placement(job: job, profile: wafer, phase: 7) }
        for replicas in [0, -1, 1_000_000] {
            #expect(throws: PerformanceModelError.self) {
                try Placement(
                    job: job, profile: wafer, phase: 0, layout: .init(workers: 1, replicas: replicas))
            }
        }
    }
}
