import Jobs
import PerformanceModel
import Runs

/// What would help a cluster run: its step replayed with each remedy, the largest gain first.
///
/// Every time in it is computed, so it is on the modelled clock, whatever it is computed from.
public struct RemedyTable: Sendable, Encodable {
    /// What the steps are computed from.
    public enum Basis: String, Hashable, Sendable, Encodable, CaseIterable {
        /// The performance model's replay of the job on the machine that the run stands for.
        case hardwareReplay = "hardware_replay"
        /// The replay on this machine's calibrated profile, with the workers' measured spread.
        case hostReplay = "host_replay"
        /// The parts of the steps that the workers reported, put together anew.
        case measuredParts = "measured_parts"
    }

    /// A remedy.
    public struct Row: Sendable, Encodable {
        public var remedy: Remedy
        /// The step with it; nil where that can't be told.
        public var stepModelledSeconds: Double?
        /// The share of the step's time that it saves; below zero where it costs.
        public var savedShare: Double?
        /// Why there is no time.
        public var obstacle: String?
    }

    /// The run.
    public var runId: String
    /// Its workers.
    public var workers: Int
    public var basis: Basis
    /// The machine that it was replayed on, where it was.
    public var hardware: String?
    /// The mean step as it is.
    public var stepModelledSeconds: Double
    /// The largest gain first, those without a time last.
    public var rows: [Row]

    /// The remedies of `record`: replayed on the machine that it stands for, else on this `host`, else from its parts. Nil
    /// where it is no cluster of several workers, or nothing is known of its steps.
    ///
    /// - Parameters:
    ///   - profile: the machine that the run stands for.
    ///   - host: this machine, if it is calibrated.
    public init?(_ record: RunRecord, profile: HardwareProfile?, host: HostMachine?) {
        guard record.run.backend == .cluster, record.run.workers > 1 else { return nil }
        if let profile, let replay = Self.replay(record, on: profile) {
            self.init(record, .hardwareReplay, profile.name, replay)
        } else if let host, host.isMachine(of: record.run), let replay = Self.replay(record, on: host) {
            self.init(record, .hostReplay, HostMachine.name, replay)
        } else if let replay = Self.parts(record) {
            self.init(record, .measuredParts, nil, replay)
        } else {
            return nil
        }
    }

    private init(_ record: RunRecord, _ basis: Basis, _ hardware: String?, _ replay: RemedyReplay) {
        runId = record.run.id.text
        workers = record.run.workers
        self.basis = basis
        self.hardware = hardware
        stepModelledSeconds = replay.seconds
        let rows = replay.outcomes.map { outcome in
            Row(
                remedy: outcome.remedy, stepModelledSeconds: finite(outcome.seconds),
                savedShare: finite(outcome.seconds.map { 1 - $0 / replay.seconds }), obstacle: outcome.obstacle)
        }
        // Equal gains stay in the remedies' own order.
        self.rows = rows.enumerated().sorted {
            ($1.element.savedShare ?? -.infinity, $0.offset) < ($0.element.savedShare ?? -.infinity, $1.offset)
        }.map(\.element)
    }

    /// A gain below this share of the step is not worth naming.
    public static let smallestShare = 0.01

    /// The remedy that saves most, if what it saves is worth naming.
    var best: Row? { rows.first.flatMap { ($0.savedShare ?? 0) >= Self.smallestShare ? $0 : nil } }

    // MARK: What the steps are computed from

    private static func replay(_ record: RunRecord, on profile: HardwareProfile) -> RemedyReplay? {
        guard profile.kind == .cluster else { return nil }
        return try? RemedyReplay(
            job: record.run.job, profile: profile,
            layout: StepModel.Layout(
                workers: record.run.workers, vocabularySize: record.run.corpus?.vocabularySize))
    }

    private static func replay(_ record: RunRecord, on host: HostMachine) -> RemedyReplay? {
        // The replay knows dense products alone.
        guard record.run.job.sparsity == nil else { return nil }
        // Each worker's own work in a step, reading and computing.
        let shares = WorkerMedians(of: record.workerSteps) { $0.input.seconds + $0.compute.seconds }.overMean
        let kinds = MeasuredPhase.all(of: record).compactMap { phase -> (replay: RemedyReplay, weight: Double)? in
            let replay = try? RemedyReplay(
                job: record.run.job, phase: phase.index, layout: phase.layout(of: record.run, on: host),
                workShares: shares, vocabularySize: phase.vocabularySize(of: record.run), on: host)
            return replay.map { ($0, Double(phase.steps.count)) }
        }
        return RemedyReplay(mean: kinds)
    }

    /// The mean step of the mean worker with parts of it left out.
    ///
    /// What the exchange's time goes by in parts, bytes or messages or sums, takes a calibrated machine to tell. So half the
    /// bytes are taken to halve it, which is the most that they can, and are given no time at all where nothing travels.
    private static func parts(_ record: RunRecord) -> RemedyReplay? {
        guard let parts = StepParts(meanOf: record.workerSteps), parts.totalHostSeconds > 0 else { return nil }
        let (total, exposed) = (parts.totalHostSeconds, parts.exposedCommunicationHostSeconds)
        return RemedyReplay(
            seconds: total,
            outcomes: Remedy.allCases.map { remedy in
                switch remedy {
                case .infiniteNetwork: RemedyReplay.Outcome(remedy: remedy, seconds: total - exposed)
                case .noStraggler:
                    RemedyReplay.Outcome(remedy: remedy, seconds: total - parts.waitingHostSeconds)
                case .perfectOverlap where record.run.isCrowded: .coresCompute(remedy)
                case .perfectOverlap:
                    RemedyReplay.Outcome(remedy: remedy, seconds: total - min(exposed, parts.computeHostSeconds))
                case .halfTheBytes where record.run.exchange?.transport == .sharedMemory: .nothingTravels(remedy)
                case .halfTheBytes: RemedyReplay.Outcome(remedy: remedy, seconds: total - exposed / 2)
                case .doubleMicroBatch:
                    RemedyReplay.Outcome(
                        remedy: remedy,
                        obstacle: "the parts of a step don’t tell how the products’ speed depends on size"
                    )
                }
            })
    }
}

extension Run {
    /// Whether its workers have no core that does not compute.
    fileprivate var isCrowded: Bool { machine.map { workers >= $0.cores } ?? false }
}

extension Remedy {
    /// The remedy as readers know it.
    public var title: String {
        switch self {
        case .infiniteNetwork: "An infinite network"
        case .noStraggler: "No straggler"
        case .perfectOverlap: "Perfect overlap"
        case .halfTheBytes: "Half the bytes"
        case .doubleMicroBatch: "Twice the micro-batch"
        }
    }

    /// What is changed.
    public var meaning: String {
        switch self {
        case .infiniteNetwork: "gradients are exchanged in no time; computing is left"
        case .noStraggler: "every worker is as fast as the mean one"
        case .perfectOverlap: "gradients travel beside computing, as far as that lasts"
        case .halfTheBytes: "every gradient element takes half as many bytes"
        case .doubleMicroBatch: "twice as many sequences at once, half as often; the same global batch"
        }
    }
}

extension RemedyTable.Basis {
    /// What the steps are computed from, in a sentence.
    func sentence(hardware: String?) -> String {
        switch self {
        case .hardwareReplay:
            "The performance model replays the job’s steps on \(hardware ?? "the cluster") with each remedy."
        case .hostReplay:
            "The performance model replays the run’s steps on this machine’s calibrated profile with each remedy; workers "
                + "differ as they did."
        case .measuredParts:
            "Put together from the parts of the steps that workers reported, because the run stands for no machine of "
                + "its own and this one is not calibrated. What a remedy changes in other parts is not in it, and half the "
                + "bytes count as half the exchange, which is the most that they can save."
        }
    }
}

extension RemedyTable {
    /// What would help most, in a sentence; `key` is the table's place in the document.
    func sentence(_ key: String, name: String) -> Phrase {
        let step: Phrase = "\(stepModelledSeconds, .duration, key + "/step_modelled_seconds")"
        guard let best else {
            return "\(name): none of the remedies would shorten its step of \(phrase: step) (modelled clock) much."
        }
        return """
            \(name): of a step of \(phrase: step) (modelled clock), \(best.remedy.phraseTitle) would save \
            \(best.savedShare, .share, key + "/rows/0/saved_share").
            """
    }
}

extension Remedy {
    /// The remedy as it stands within a sentence.
    fileprivate var phraseTitle: String {
        switch self {
        case .infiniteNetwork: "an infinite network"
        case .noStraggler: "equally fast workers"
        case .perfectOverlap: "perfect overlap"
        case .halfTheBytes: "half the bytes"
        case .doubleMicroBatch: "twice the micro-batch"
        }
    }
}
