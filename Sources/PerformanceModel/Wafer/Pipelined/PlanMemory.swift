import Jobs
import Synchronization

/// Floor plans that were made before. Planning takes most of a wafer prediction's time, and a report needs the same plan
/// in several places.
///
/// May be shared among threads; one that asks for a plan while another makes the same makes it again, to the same result.
public final class PlanMemory: Sendable {
    private struct Key: Hashable {
        var graph: WaferGraph
        var core: WaferCore
        var columns: Double
        var rows: Double
        var globalBatch: Int
        var replicas: Int?
    }

    private struct State {
        var plans: [Key: Result<FloorPlan, PerformanceModelError>] = [:]
        /// Keys, the one that was not asked for longest first.
        var order: [Key] = []
        var made = 0
    }

    private let most: Int
    private let state = Mutex(State())

    /// A memory that keeps the `most` plans that were asked for last.
    public init(most: Int = 256) { self.most = max(1, most) }

    /// How often a plan had to be made.
    public var plansMade: Int { state.withLock { $0.made } }

    /// The plan of `graph` on `machine` for steps of `globalBatch` samples: one that is there, or else a new one.
    ///
    /// - Throws: what the planner throws, then and each time after.
    func plan(
        _ graph: WaferGraph, machine: WaferMachine, core: WaferCore, globalBatch: Int, replicas: Int?
    ) throws(PerformanceModelError) -> FloorPlan {
        let key = Key(
            graph: graph, core: core, columns: machine.usableColumns.value, rows: machine.usableRows.value,
            globalBatch: globalBatch, replicas: replicas)
        if let known = recall(key) { return try known.get() }
        let planner = FloorPlanner(graph, machine: machine, core: core)
        let made: Result<FloorPlan, PerformanceModelError> = Result { () throws(PerformanceModelError) in
            if let replicas {
                try planner.plan(replicas: replicas, globalBatch: globalBatch)
            } else {
                try planner.plan(globalBatch: globalBatch)
            }
        }
        keep(made, as: key)
        return try made.get()
    }

    private func recall(_ key: Key) -> Result<FloorPlan, PerformanceModelError>? {
        state.withLock { state in
            guard let known = state.plans[key] else { return nil }
            if let place = state.order.firstIndex(of: key) { state.order.append(state.order.remove(at: place)) }
            return known
        }
    }

    private func keep(_ plan: Result<FloorPlan, PerformanceModelError>, as key: Key) {
        state.withLock { state in
            state.made += 1
            if state.plans.updateValue(plan, forKey: key) == nil { state.order.append(key) }
            if state.order.count > most { state.plans[state.order.removeFirst()] = nil }
        }
    }
}
