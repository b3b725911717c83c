import Jobs
import PerformanceModel
import Runs

/// The curves of a report's runs.
extension ScalingCurve {
    /// Those of cluster runs, native and emulated, each beside its replay, and those of `predictions`.
    ///
    /// - Parameter host: the calibrated machine; without it, native runs have no replay.
    static func all(
        of records: [RunRecord], predictions: [ModelledScaling], host: HostMachine?
    ) -> [ScalingCurve] {
        let runs = records.filter { $0.run.backend == .cluster }
        let native = runs.filter { $0.run.emulation == nil }
        let emulated = runs.filter { $0.run.emulation != nil }
        return curves(.measured, native, all: runs) { $0.measuredRate }
            + curves(.replayed, native, all: runs) { record in host.flatMap { record.replayedRate(on: $0) } }
            + curves(.emulated, emulated, all: runs) { EmulationFigures($0)?.sequencesPerEmulatedSecond }
            + curves(.replayed, emulated, all: runs) { $0.emulatedReplayRate }
            + predictions.compactMap(ScalingCurve.init)
    }

    /// A curve for each machine and way of exchanging among `records`, of the rate that is known of each.
    private static func curves(
        _ basis: Basis, _ records: [RunRecord], all: [RunRecord], rate: (RunRecord) -> Double?
    ) -> [ScalingCurve] {
        let rates = records.compactMap { record in rate(record).map { (record, $0) } }
        let groups = Dictionary(grouping: rates) { $0.0.scalingGroup(among: all) }
        return groups.sorted { $0.key < $1.key }.compactMap { machine, rates in
            let sizes = Dictionary(grouping: rates) { $0.0.devices }
            return ScalingCurve(
                basis, machine: machine, points: sizes.map { workers, rates in Point(workers: workers, rates) })
        }
    }

    /// The points that `scaling` predicts.
    private init?(_ scaling: ModelledScaling) {
        self.init(
            .predicted, machine: "\(scaling.hardware) with its own software, the job’s own network",
            points: scaling.points.map { point in
                let rate = point.sequencesPerModelledSecond
                return Point(
                    workers: point.devices, sequencesPerSecond: rate,
                    low: rate * point.timeModelledSeconds / point.highModelledSeconds,
                    high: rate * point.timeModelledSeconds / point.lowModelledSeconds, runIds: [])
            })
    }
}

extension ScalingCurve.Point {
    /// What runs with so many workers gave: their median, and how far they lie apart.
    fileprivate init(workers: Int, _ rates: [(RunRecord, Double)]) {
        let spread = Quantiles(rates.map(\.1))
        self.init(
            workers: workers, sequencesPerSecond: spread.median ?? 0, low: rates.count > 1 ? spread.minimum : nil,
            high: rates.count > 1 ? spread.maximum : nil, runIds: rates.map(\.0.run.id.text))
    }
}

extension RunRecord {
    /// Its workers, and the virtual devices beside them.
    fileprivate var devices: Int { run.emulation?.settings.devices(workers: run.workers) ?? run.workers }

    /// Sequences a host second of the median step of the first phase that has been measured.
    fileprivate var measuredRate: Double? {
        guard let phase = MeasuredPhase.all(of: self).first,
            let seconds = Quantiles(phase.steps.map(\.duration.seconds)).median, seconds > 0
        else { return nil }
        return Double(run.job.phases[phase.index].globalBatch) / seconds
    }

    /// The same by the replay on the calibrated machine; nil where it says nothing of such a run.
    fileprivate func replayedRate(on host: HostMachine) -> Double? {
        guard host.isMachine(of: run), run.job.sparsity == nil, run.job.compression == nil,
            let row = HostModelCheck.rows(self, on: host).first, row.stepModelledSeconds > 0
        else { return nil }
        return Double(run.job.phases[row.phase - 1].globalBatch) / row.stepModelledSeconds
    }

    /// Sequences a modelled second by the replay of the emulated machine that the run itself made; it is on record from the
    /// run's end on.
    fileprivate var emulatedReplayRate: Double? {
        guard let seconds = run.emulation?.modelledStep?.seconds, seconds > 0 else { return nil }
        return Double(run.job.phases[0].globalBatch) / seconds
    }

    /// The curve that the run belongs to, in words: its machine, and of job, exchange and faults what is not the same in all
    /// of `others`.
    fileprivate func scalingGroup(among others: [RunRecord]) -> String {
        func differs(_ text: (Run) -> String) -> Bool { Set(others.map { text($0.run) }).count > 1 }
        func tell(_ text: (Run) -> String) -> [String] {
            let told = text(run)
            return differs(text) && !told.isEmpty ? [told] : []
        }
        let machine =
            run.emulation == nil
            ? run.machine?.processor ?? "this machine"
            : run.hardware ?? "an emulated machine"
        let parts =
            [machine] + (run.emulation?.settings.standsFor.map { ["size \($0)"] } ?? [])
            + tell { $0.exchange?.algorithm.rawValue ?? "" }
            + tell { $0.emulation == nil ? $0.exchange?.transport.rawValue ?? "" : "" }
            + tell { $0.emulation?.settings.placement ?? "" }
            + tell { run in run.emulation.map { $0.settings.faults.map(\.text).joined(separator: ", ") } ?? "" }
            + tell { $0.job.name } + tell { "batch \($0.job.phases.first?.globalBatch ?? 0)" }
            + tell { "sequence \($0.job.phases.first?.sequence ?? 0)" }
        return parts.joined(separator: ", ")
    }
}

extension EmulationSettings {
    /// Where its devices are, as far as that was said.
    fileprivate var placement: String {
        var parts = devicesPerNode.map { ["\($0) a node"] } ?? []
        if oversubscription != 1 { parts.append("oversubscription \(oversubscription.formatted())") }
        return parts.joined(separator: ", ")
    }
}
