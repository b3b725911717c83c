import Cluster
import Jobs
import PerformanceModel
import Report
import Runs

extension RunEmulation {
    /// What each fault of the machine costs by the replay: the step without it. A failed node has none: it costs what the record
    /// shows before and after.
    ///
    /// - Throws: `PerformanceModelError` where the machine can't do it.
    func faultCosts(
        _ run: Run, vocabularySize: Int, laneCounts: [Int], phase: Int
    ) throws -> [EmulatedFaultCost] {
        var costs: [EmulatedFaultCost] = []
        for (index, fault) in settings.faults.enumerated() {
            if case .failedNode = fault { continue }
            var others = settings.faults
            others.remove(at: index)
            var settings = settings
            settings.faults = others
            let replay = try EmulatedStepReplay(
                run, settings: settings, vocabularySize: vocabularySize, workerLanes: laneCounts, phase: phase,
                on: profile)
            costs.append(EmulatedFaultCost(fault: fault.text, stepWithout: replay.run().step))
        }
        return costs
    }
}

extension RunMachine {
    /// What the replay says of the machine that is emulated, in the last membership; nil in a native run, and before one has
    /// been formed.
    func modelledFaults() throws -> (step: ModelledSeconds, costs: [EmulatedFaultCost])? {
        guard let emulation, let dataset, !laneCounts.isEmpty, let step = emulation.modelledStep else { return nil }
        let costs = try emulation.faultCosts(
            run, vocabularySize: dataset.facts.vocabularySize, laneCounts: laneCounts,
            phase: run.job.phase(at: StepNumber(membershipStart))?.index ?? run.job.phases.count - 1)
        return (step, costs)
    }
}
