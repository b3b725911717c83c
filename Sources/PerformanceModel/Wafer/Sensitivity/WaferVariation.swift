import Jobs

/// A thing that a wafer's time rests on: its value, the range that its source leaves, and how a scenario takes another.
struct WaferVariation {
    var name: String
    var unit: String
    var value: Double
    var low: Double
    var high: Double
    var source: String
    var set: (inout WaferScenario, Double) -> Void

    /// Everything that is varied of `base`, which runs by `schedules`.
    static func all(of base: WaferScenario, schedules: [WaferSchedule]) -> [WaferVariation] {
        machine(base.machine) + memory(base) + balance(schedules) + recipe(base)
            + (schedules.contains { $0.execution == .streaming } ? streaming(base.machine) : [])
    }

    // MARK: - The machine

    private static func machine(_ machine: WaferMachine) -> [WaferVariation] {
        let grid = machine.usableColumns.value * machine.usableRows.value
        return [
            WaferVariation(
                name: "share of peak that a kernel sustains", unit: "", value: machine.sustainedShare.value, low: 0.25,
                high: 0.9,
                source: "low: assumption; high: Oppelstrup et al. 2025 (arXiv 2511.11542): 90 % of peak on CS-3"
            ) { $0.machine.sustainedShare.value = $1 },
            WaferVariation(
                name: "clock", unit: "GHz", value: machine.clockGigahertz.value, low: 0.84, high: 1.0,
                source: "inference: 0.86 PFLOP/s (Rocki et al. 2020) is 36 to 30 % of peak, about one third"
            ) { scenario, clock in
                // The fabric's stated bandwidth stays, so a link carries fewer bytes a cycle.
                scenario.machine.clockGigahertz.value = clock
            },
            WaferVariation(
                name: "usable share of the cores", unit: "", value: grid / machine.cores.value, low: 0.85, high: 1,
                source: "Rocki et al. 2020: 602 x 595 of a CS-1's 400,000; high: all of them"
            ) { scenario, share in
                let columns = share * machine.cores.value / machine.usableRows.value
                scenario.machine.usableColumns.value = columns.rounded(.down)
            },
            WaferVariation(
                name: "fabric bandwidth", unit: "Pb/s", value: machine.fabricPetabitsPerSecond.value,
                low: machine.fabricPetabitsPerSecond.value / 2, high: machine.fabricPetabitsPerSecond.value,
                source: "the profile's; low: assumption, if both directions were counted"
            ) { $0.machine.fabricPetabitsPerSecond.value = $1 },
            WaferVariation(
                name: "network interfaces in use", unit: "", value: machine.networkInterfaces.value, low: 1,
                high: machine.networkInterfaces.value, source: "the profile's; low: a single one"
            ) { $0.machine.networkInterfaces.value = $1 },
            WaferVariation(
                name: "cost of starting a step", unit: "us", value: machine.launchMicroseconds?.value ?? 0, low: 0,
                high: 10_000, source: "assumption: nothing is published"
            ) { $0.machine.launchMicroseconds = Figure(value: $1, source: "varied") },
        ]
    }

    private static func streaming(_ machine: WaferMachine) -> [WaferVariation] {
        guard let store = machine.weightStore else { return [] }
        return [
            WaferVariation(
                name: "bandwidth to the weights' memory", unit: "Gb/s", value: store.gigabitsPerSecond.value,
                low: store.gigabitsPerSecond.value / 4, high: store.gigabitsPerSecond.value,
                source: "the profile's; low: assumption, a quarter of it sustained"
            ) { $0.machine.weightStore?.gigabitsPerSecond.value = $1 }
        ]
    }

    // MARK: - What the plan assumes

    private static func memory(_ base: WaferScenario) -> [WaferVariation] {
        [
            WaferVariation(
                name: "program's share of a core's memory", unit: "", value: base.programShare, low: 0.05, high: 0.25,
                source: "assumption: nothing is published"
            ) { $0.programShare = $1 },
            WaferVariation(
                name: "element-wise operations, times the count", unit: "", value: 1, low: 0.5, high: 2,
                source: "assumption: counted from formulas; exponentials may take more, fused ones fewer"
            ) { scenario, factor in
                for phase in scenario.phases.indices {
                    for kernel in scenario.phases[phase].graph.kernels.indices {
                        scenario.phases[phase].graph.kernels[kernel].elementwiseOperations *= factor
                    }
                }
            },
        ]
    }

    /// How evenly the kernels are loaded: the interval over its lower bound, the phases' mean.
    private static func balance(_ schedules: [WaferSchedule]) -> [WaferVariation] {
        let ratios = schedules.compactMap(\.floorPlan).map { $0.intervalCycles / $0.leastIntervalCycles }
        guard ratios.count == schedules.count, !ratios.isEmpty else { return [] }
        let mean = ratios.reduce(0, +) / Double(ratios.count)
        return [
            WaferVariation(
                name: "interval between samples, over its lower bound", unit: "", value: mean, low: 1,
                high: max(1.5, mean),
                source: "the plan's; low: all cores equally loaded; high: assumption, a worse plan"
            ) { $0.imbalance = $1 }
        ]
    }

    // MARK: - The recipe

    private static func recipe(_ base: WaferScenario) -> [WaferVariation] {
        let total = base.phases.reduce(0) { $0 + $1.sequences }
        var variations = [
            WaferVariation(
                name: "sequences in all", unit: "M", value: total / 1e6, low: total / 2e6, high: total / 1e6,
                source: "the job's; low: half, as Devlin et al. 2019 (256 M) to the LAMB recipe (512 M)"
            ) { scenario, millions in
                for index in scenario.phases.indices { scenario.phases[index].steps *= millions * 1e6 / total }
            },
            WaferVariation(
                name: "global batch, times the job's", unit: "", value: 1, low: 1.0 / 128, high: 1,
                source: "You et al. 2020 (arXiv 1904.00962): as many sequences from a batch of 512 up"
            ) { scenario, factor in
                for index in scenario.phases.indices {
                    let sequences = scenario.phases[index].sequences
                    let batch = max(1, Int((Double(scenario.phases[index].globalBatch) * factor).rounded()))
                    scenario.phases[index].globalBatch = batch
                    scenario.phases[index].steps = sequences / Double(batch)
                }
            },
        ]
        if base.phases.count > 1, let last = base.phases.last {
            variations.append(
                WaferVariation(
                    name: "share of sequences in the last phase", unit: "", value: last.sequences / total, low: 0,
                    high: 2 * last.sequences / total, source: "assumption: the source of the 52 hours states no phases"
                ) { scenario, share in
                    let rest = total - last.sequences
                    for index in scenario.phases.indices.dropLast() {
                        scenario.phases[index].steps *= (1 - share) * total / rest
                    }
                    scenario.phases[scenario.phases.count - 1].steps *= share * total / last.sequences
                })
        }
        return variations
    }
}
