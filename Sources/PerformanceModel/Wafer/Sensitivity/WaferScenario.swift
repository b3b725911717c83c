import Jobs

/// A job on a wafer with everything that its time rests on, so that each can be varied by itself.
struct WaferScenario: Sendable {
    /// A phase of the job.
    struct Phase: Sendable {
        var graph: WaferGraph
        var globalBatch: Int
        /// Steps; a fraction where a batch doesn't divide the sequences.
        var steps: Double

        var sequences: Double { steps * Double(globalBatch) }
    }

    var machine: WaferMachine
    var phases: [Phase]
    var programShare = WaferCore.programShare
    /// How many times the interval between samples exceeds its lower bound; nil takes the plan's.
    var imbalance: Double?
    var execution: WaferExecution?
    var replicas: Int?

    /// The scenario of `job` on `machine` as `layout` says.
    ///
    /// - Throws: as `WeightSparsity`.
    init(job: Job, machine: WaferMachine, layout: StepModel.Layout) throws(PerformanceModelError) {
        let sparsity = try layout.weightSparsity(of: job)
        self.machine = machine
        execution = layout.execution
        replicas = layout.replicas
        phases = job.phases.map {
            Phase(
                graph: WaferGraph(StepModel.workload(of: $0, in: job, layout), sparsity: sparsity),
                globalBatch: $0.globalBatch, steps: Double($0.steps))
        }
    }

    /// The schedules of the phases.
    func schedules(_ plans: PlanMemory) throws(PerformanceModelError) -> [WaferSchedule] {
        let core = WaferCore(machine, programShare: programShare)
        var schedules: [WaferSchedule] = []
        for phase in phases {
            schedules.append(
                try WaferSchedule(
                    phase.graph, machine: machine, core: core, globalBatch: phase.globalBatch, execution: execution,
                    replicas: replicas, plans: plans))
        }
        return schedules
    }

    /// Hours of all steps.
    func hours(_ plans: PlanMemory) throws(PerformanceModelError) -> Double {
        zip(phases, try schedules(plans)).reduce(0) { $0 + $1.0.steps * seconds($1.1) } / 3600
    }

    private func seconds(_ schedule: WaferSchedule) -> Double {
        guard let imbalance, case .pipelined(let plan, let time) = schedule else { return schedule.seconds }
        let least = plan.leastIntervalCycles * imbalance / plan.core.hertz
        return time.seconds - Double(time.samplesOfReplica) * (time.interval - max(least, time.inputInterval))
    }
}
