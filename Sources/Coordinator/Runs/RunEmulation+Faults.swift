import Cluster
import Jobs
import PerformanceModel
import Runs

extension RunEmulation {
    /// A step of the machine by the replay, and what each of its faults costs: the step without it. A failed node has none: it
    /// costs what the record shows before and after.
    ///
    /// - Throws: `PerformanceModelError` where the machine can't do it.
    func modelledFaults(
        _ run: Run, vocabularySize: Int, laneCounts: [Int], phase: Int
    ) throws -> (step: ModelledSeconds, costs: [EmulatedFaultCost]) {
        func step(_ faults: [EmulatedFault]) throws -> ModelledSeconds {
            var settings = settings
            settings.faults = faults
            let lanes = settings.deviceLanes(ofWorkers: laneCounts, jobLanes: run.job.lanes)
            let cluster = try EmulatedCluster(
                job: run.job, vocabularySize: vocabularySize, laneCounts: lanes, profile: profile, settings: settings)
            let exchange = EmulatedStepReplay.Exchange(run, vocabularySize: vocabularySize, lanes, cluster)
            return EmulatedStepReplay(cluster, phase: phase, exchange: exchange).run().step
        }
        var costs: [EmulatedFaultCost] = []
        for (index, fault) in settings.faults.enumerated() {
            if case .failedNode = fault { continue }
            var others = settings.faults
            others.remove(at: index)
            costs.append(EmulatedFaultCost(fault: fault.text, stepWithout: try step(others)))
        }
        return (try step(settings.faults), costs)
    }
}

extension RunMachine {
    /// What the replay says of the machine that is emulated, in the last membership; nil in a native run, and before one has
    /// been formed.
    func modelledFaults() throws -> (step: ModelledSeconds, costs: [EmulatedFaultCost])? {
        guard let emulation, let dataset, !laneCounts.isEmpty else { return nil }
        return try emulation.modelledFaults(
            run, vocabularySize: dataset.facts.vocabularySize, laneCounts: laneCounts,
            phase: run.job.phase(at: StepNumber(membershipStart))?.index ?? run.job.phases.count - 1)
    }
}
