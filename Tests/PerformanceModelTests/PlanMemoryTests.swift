import Jobs
import PerformanceModel
import Testing

@Suite("Floor plans that are kept")
struct PlanMemoryTests {
    private static func job() throws -> Job {
        var job = try JobExample.demo.job()
        job.model = ModelShape(layers: 2, hidden: 128, heads: 2)
        return job
    }

    @Test("a plan is made once, whoever asks for it, and is the one that is made without a memory")
    func once() throws {
        let (job, profile) = (try Self.job(), try HardwareCatalogue.profile("cs1"))
        let layout = StepModel.Layout(workers: 1, vocabularySize: 2_048)
        let plans = PlanMemory()
        let first = try StepModel.predictAndPlace(job: job, profile: profile, layout: layout, plans: plans)
        #expect(plans.plansMade == 1)
        let prediction = try JobPrediction(job: job, profile: profile, layout: layout, plans: plans)
        #expect(plans.plansMade == job.phases.count)
        #expect(prediction.phases.first?.step == first.step)
        let alone = try StepModel.predictAndPlace(job: job, profile: profile, layout: layout)
        #expect(alone.plan == first.plan && alone.step == first.step)
    }

    @Test("what a wafer's time rests on needs no second plan of the base, and none at all the second time")
    func sensitivity() throws {
        let (job, profile) = (try Self.job(), try HardwareCatalogue.profile("cs1"))
        let layout = StepModel.Layout(workers: 1, vocabularySize: 2_048)
        let (warm, cold) = (PlanMemory(), PlanMemory())
        _ = try JobPrediction(job: job, profile: profile, layout: layout, plans: warm)
        let table = try WaferSensitivity(job: job, profile: profile, layout: layout, plans: warm)
        #expect(try WaferSensitivity(job: job, profile: profile, layout: layout, plans: cold) == table)
        #expect(warm.plansMade == cold.plansMade)
        let made = warm.plansMade
        #expect(try WaferSensitivity(job: job, profile: profile, layout: layout, plans: warm) == table)
        #expect(warm.plansMade == made)
    }

    @Test("a network that doesn't fit is found out once, too")
    func failure() throws {
        var job = try Self.job()
        job.model = ModelShape(layers: 400, hidden: 8_192, heads: 64)
        let profile = try HardwareCatalogue.profile("cs1")
        let layout = StepModel.Layout(workers: 1, vocabularySize: 30_522, execution: .pipelined)
        let plans = PlanMemory()
        for _ in 0..<2 {
            #expect(throws: PerformanceModelError.self) {
                try StepModel.predict(job: job, profile: profile, layout: layout, plans: plans)
            }
        }
        #expect(plans.plansMade == 1)
    }

    @Test("the plan that was not asked for longest gives way")
    func bounded() throws {
        let profile = try HardwareCatalogue.profile("cs1")
        let plans = PlanMemory(most: 2)
        func ask(_ layers: Int) throws {
            var job = try Self.job()
            job.model = ModelShape(layers: layers, hidden: 128, heads: 2)
            _ = try StepModel.predict(
                job: job, profile: profile, layout: StepModel.Layout(workers: 1, vocabularySize: 2_048), plans: plans)
        }
        for layers in [1, 2, 1, 3, 1] { try ask(layers) }
        #expect(plans.plansMade == 3)
        try ask(2)
        #expect(plans.plansMade == 4)
    }
}
