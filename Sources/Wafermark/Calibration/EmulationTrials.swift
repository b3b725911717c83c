import Coordinator
import Foundation
import Jobs
import PerformanceModel
import Report
import Runs

/// Emulates small clusters on this machine and compares their steps with the replay of the same machine and algorithm.
struct EmulationTrials: Sendable {
    /// One emulated cluster. A small network stands for BERT-Large, so that links and devices take the time of the real
    /// thing and the host computes little.
    struct Trial: Sendable {
        var workers: Int
        var devicesPerNode: Int
        /// Ethernet of so many Gb/s for each node; nil for a DGX-1 with NVLink and InfiniBand.
        var gigabits: Double?
        var algorithm = CollectiveAlgorithm.direct
        var faults: [EmulatedFault] = []
        var oversubscription = 1.0
        /// nil lets the run measure what the host needs.
        var dilation: Double?
        /// Of the workers, the last ones: those that are virtual.
        var virtual = 0
        /// What the trial is to show beside the others.
        var purpose = Purpose.comparison
    }

    /// Why a trial is made.
    enum Purpose: String, Encodable, Sendable {
        /// Emulated against modelled.
        case comparison
        /// As another one, with the clock running slower or faster.
        case otherDilation = "other_dilation"
        /// The same again.
        case repetition
        /// As another one, with virtual devices in the place of workers.
        case virtualWorkers = "virtual_workers"
    }

    /// One to sixteen workers, 1 Gb/s to NVLink, three algorithms, with and without something wrong.
    static let trials = [
        Trial(workers: 1, devicesPerNode: 1),
        Trial(workers: 2, devicesPerNode: 2),
        Trial(workers: 2, devicesPerNode: 1, gigabits: 25),
        Trial(workers: 2, devicesPerNode: 1, gigabits: 1),
        Trial(workers: 4, devicesPerNode: 1, gigabits: 10),
        Trial(workers: 4, devicesPerNode: 1, gigabits: 10, algorithm: .star),
        Trial(workers: 4, devicesPerNode: 1, gigabits: 10, algorithm: .ring),
        Trial(workers: 4, devicesPerNode: 2, gigabits: 10, faults: [.slowWorker(place: 3, factor: 1.5)]),
        Trial(workers: 8, devicesPerNode: 2, gigabits: 25),
        Trial(workers: 8, devicesPerNode: 8, algorithm: .ring),
        Trial(workers: 8, devicesPerNode: 4, gigabits: 100, algorithm: .star),
        Trial(
            workers: 8, devicesPerNode: 2, gigabits: 25,
            faults: [.slowNetworkInterface(node: 1, factor: 4), .slowWorker(place: 0, factor: 2)]),
        Trial(workers: 8, devicesPerNode: 1, gigabits: 25, oversubscription: 4),
        Trial(workers: 16, devicesPerNode: 8, gigabits: 100),
        Trial(workers: 16, devicesPerNode: 4, gigabits: 25, algorithm: .ring),
        Trial(workers: 16, devicesPerNode: 8),
    ]

    /// Machines of eight devices, of which all are workers and then four; and one that is larger than there are workers for.
    private static let virtual = [
        Trial(workers: 8, devicesPerNode: 4), Trial(workers: 8, devicesPerNode: 4, algorithm: .star),
        Trial(workers: 8, devicesPerNode: 4, algorithm: .ring),
    ]
    private static let large = Trial(workers: 16, devicesPerNode: 8, virtual: 12, purpose: .virtualWorkers)

    /// The trial that is made again, under other dilations and as it is.
    private static let repeated = Trial(workers: 4, devicesPerNode: 2, gigabits: 100)
    /// The factors between its dilations, and how often it is made at the first one.
    private static let factors = [1.0, 2.0, 4.0]
    private static let repetitions = 3

    /// A trial's outcome. Times are the mean step's.
    struct Row: Encodable, Sendable {
        var runId: String
        var purpose: Purpose
        var workers: Int
        var nodes: Int
        /// Of the workers, those that are virtual.
        var virtualWorkers: Int
        var network: String
        var algorithm: CollectiveAlgorithm
        var faults: [String]
        var oversubscription: Double
        var dilation: Double
        var steps: Int
        var lateSteps: Int
        var isHostOverloaded: Bool
        var stepEmulatedSeconds: Double?
        var stepModelledSeconds: Double
        var differencePercent: Double?
        /// The share of the step that the busiest link carried something.
        var busiestLink: String?
        var busiestLinkUtilisation: Double?
    }

    /// All outcomes.
    struct Outcome: Encodable, Sendable {
        var rows: [Row]
        /// Of the rows that compare, without those of an overloaded host.
        var medianAbsoluteDifferencePercent: Double?
        var worstAbsoluteDifferencePercent: Double?
        /// The largest distance between emulated steps of one machine: under other dilations, and repeated.
        var otherDilationSpreadPercent: Double?
        var repetitionSpreadPercent: Double?
        /// The largest distance of a step with virtual devices from that with workers in their place.
        var virtualWorstDifferencePercent: Double?
    }

    /// By which they run, and the folder of the profiles that are made for them.
    var runs: FollowedRuns
    var profiles: String

    /// Runs every trial.
    func run(progress: @Sendable (String) -> Void) async throws -> Outcome {
        var rows: [Row] = []
        for trial in Self.trials { rows.append(try await row(trial, progress)) }
        let first = try await row(Self.repeated, progress)
        rows.append(first)
        for factor in Self.factors.dropFirst() {
            var trial = Self.repeated
            trial.dilation = first.dilation * factor
            trial.purpose = .otherDilation
            rows.append(try await row(trial, progress))
        }
        for _ in 1..<Self.repetitions {
            var trial = Self.repeated
            trial.dilation = first.dilation
            trial.purpose = .repetition
            rows.append(try await row(trial, progress))
        }
        var differences: [Double] = []
        for trial in Self.virtual {
            let (real, virtual) = try await pair(trial, progress)
            rows += [real, virtual]
            if let whole = real.stepEmulatedSeconds, let part = virtual.stepEmulatedSeconds {
                differences.append(100 * abs(part / whole - 1))
            }
        }
        rows.append(try await row(Self.large, progress))
        var outcome = Self.outcome(rows, repeated: first)
        outcome.virtualWorstDifferencePercent = differences.max()
        return outcome
    }

    /// `trial` with workers for all devices, and with virtual ones for half of them.
    private func pair(
        _ trial: Trial, _ progress: @Sendable (String) -> Void
    ) async throws -> (real: Row, virtual: Row) {
        let real = try await row(trial, progress)
        var half = trial
        half.virtual = trial.workers / 2
        half.purpose = .virtualWorkers
        half.dilation = real.dilation
        return (real, try await row(half, progress))
    }

    private static func outcome(_ rows: [Row], repeated: Row) -> Outcome {
        let differences = rows.filter { $0.purpose == .comparison }.compactMap(\.differencePercent).map(abs)
        func spread(_ purpose: Purpose) -> Double? {
            let steps = ([repeated] + rows.filter { $0.purpose == purpose }).compactMap(\.stepEmulatedSeconds)
            guard let least = steps.min(), let most = steps.max(), steps.count > 1 else { return nil }
            return 100 * (most / least - 1)
        }
        return Outcome(
            rows: rows, medianAbsoluteDifferencePercent: Quantiles(differences).median,
            worstAbsoluteDifferencePercent: differences.max(), otherDilationSpreadPercent: spread(.otherDilation),
            repetitionSpreadPercent: spread(.repetition))
    }

    private func row(
        _ trial: Trial, _ progress: @Sendable (String) -> Void
    ) async throws -> Row {
        let profile = try profile(trial.gigabits)
        let job = Self.job(trial.algorithm)
        let settings = EmulationSettings(
            dilation: trial.dilation, faults: trial.faults, standsFor: "large", devicesPerNode: trial.devicesPerNode,
            oversubscription: trial.oversubscription, virtualWorkers: trial.virtual > 0 ? trial.virtual : nil)
        let exchange = try ExchangeSettings(algorithm: trial.algorithm, laneShares: .even, bucket: .mebibytes(25))
        progress(
            "\(Figures.plural(trial.workers, "worker")), \(trial.devicesPerNode) a node, \(profile.name), "
                + trial.algorithm.rawValue + (trial.virtual > 0 ? ", \(trial.virtual) of them virtual" : ""))
        let record = try await runs.measurement(
            of: job, on: .cluster, workers: trial.workers - trial.virtual,
            hardware: trial.gigabits == nil ? profile.name : profile.file, exchange: exchange, emulation: settings)
        let row = try Self.row(trial, record, profile)
        let emulated = row.stepEmulatedSeconds.map(Figures.milliseconds) ?? "INVALID: host overloaded"
        progress("    emulated \(emulated), modelled \(Figures.milliseconds(row.stepModelledSeconds))")
        return row
    }

    private static func row(_ trial: Trial, _ record: RunRecord, _ profile: HardwareProfile) throws -> Row {
        let run = record.run
        guard let emulation = run.emulation else {
            throw CommandFailure.failed("run \(run.id) has no emulation on record")
        }
        let modelled = try EmulatedStepReplay.modelling(run, on: profile).run().step.seconds
        let emulated = record.emulatedStepMean?.seconds
        let busiest = emulation.links?.max { $0.utilisation < $1.utilisation }
        return Row(
            runId: run.id.text, purpose: trial.purpose, workers: trial.workers,
            nodes: (trial.workers + trial.devicesPerNode - 1) / trial.devicesPerNode,
            virtualWorkers: trial.virtual, network: profile.name,
            algorithm: trial.algorithm, faults: trial.faults.map(\.text), oversubscription: trial.oversubscription,
            dilation: emulation.dilation ?? 0, steps: record.emulatedSteps.count,
            lateSteps: record.emulatedSteps.count(where: \.isLate), isHostOverloaded: record.isHostOverloaded,
            stepEmulatedSeconds: emulated, stepModelledSeconds: modelled,
            differencePercent: emulated.map { 100 * ($0 / modelled - 1) }, busiestLink: busiest?.name,
            busiestLinkUtilisation: busiest?.utilisation)
    }

    /// The DGX-1 of the catalogue, or a node like the catalogue's cloud node with another port.
    private func profile(_ gigabits: Double?) throws -> HardwareProfile {
        guard let gigabits else { return try HardwareCatalogue.profile("dgx1-v100-16g") }
        let base = "cloud-v100-25gbe"
        guard let text = HardwareCatalogue.text(of: base) else {
            throw CommandFailure.failed("the profile '\(base)' is missing")
        }
        let name = Figures.short(gigabits)
        // As in the catalogue's profile, 80 % of the line rate reach an all-reduce.
        let changed = text.replacingOccurrences(of: "name: \(base)", with: "name: cloud-v100-\(name)gbe")
            .replacingOccurrences(
                of: "network_gigabits_per_second: { value: 25,",
                with: "network_gigabits_per_second: { value: \(gigabits),"
            )
            .replacingOccurrences(
                of: "inter_node_bus_gigabytes_per_second: { value: 2.5,",
                with: "inter_node_bus_gigabytes_per_second: { value: \(gigabits / 10),")
        let file = profiles + "/cloud-v100-\(name)gbe.yaml"
        try changed.write(toFile: file, atomically: true, encoding: .utf8)
        return try HardwareCatalogue.profile(file)
    }

    /// A narrow network on synthetic text: a step takes the host some tens of milliseconds. Devices around a ring need some
    /// twenty steps until each begins as long after the one before as it does from then on.
    private static func job(_ algorithm: CollectiveAlgorithm) -> Job {
        let steps = algorithm == .ring ? 40 : 14
        return Job(
            name: "emulated", model: ModelShape(layers: 2, hidden: 64, heads: 2, positions: 128),
            corpus: CorpusSource(text: .synthetic(documents: 600, seed: 1), vocabulary: .trained(size: 2000)),
            examples: ExampleSettings(), lanes: 16, seed: 1,
            phases: [
                Phase(
                    sequence: 128, maskedPositions: 20, globalBatch: 16, microBatch: 1, steps: steps,
                    schedule: Schedule(peak: 1e-4, warmupSteps: 0, decay: .constant))
            ],
            optimizer: OptimizerSettings(kind: .lamb),
            evaluation: EvaluationSettings(everySteps: steps, sequences: 16), target: nil,
            checkpoints: CheckpointSettings())
    }
}
