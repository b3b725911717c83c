import Jobs
import Runs

/// How a run went on the emulated machine. Times are on the emulated clock: dilated wall time over the dilation.
public struct EmulationFigures: Sendable, Encodable {
    /// One emulated link.
    public struct Link: Sendable, Encodable {
        /// Its name: `worker3.out`, `node0.nic1.in`.
        public var name: String
        /// What it carries at most, and what it carried in a step.
        public var bytesPerEmulatedSecond: Double
        public var bytesPerStep: Double
        /// What it really carried while it was busy; nil where nobody watched.
        public var achievedBytesPerEmulatedSecond: Double?
        /// The share of the steps' time that it was busy.
        public var utilisation: Double
        /// The most frames that waited for it at once.
        public var deepestQueue: Int
        /// Frames that it lost, each of which was sent again; nil where none could be.
        public var lostFrames: Int?
    }

    /// What one fault cost.
    public struct FaultCost: Sendable, Encodable {
        /// The fault as it is spelt.
        public var fault: String
        /// By how much it makes a step longer: by the replay, with and without it; for a failed node by the means of the
        /// steps before and after.
        public var stepModelledSeconds: Double?
        public var stepEmulatedSeconds: Double?
        /// Host seconds from the step before a node's failure to the end of the step in which it failed.
        public var recoveryHostSeconds: Double?
    }

    /// How many times slower the machine's clock ran; nil before that was known.
    public var dilation: Double?
    /// Devices that were processes, the first ones, and those beside them that were virtual; nil for none.
    public var workers: Int
    public var virtualWorkers: Int?
    /// What was wrong with the machine, and what each cost, once the run has ended.
    public var faults: [String]
    public var faultCosts: [FaultCost]
    /// A step by the replay; nil before the run's end.
    public var stepModelledSeconds: Double?
    /// The size of network that was stood for; nil for the job's own.
    public var standsFor: String?
    /// Steps under dilation, and those in which the host fell behind, which are in no figure.
    public var steps: Int
    public var lateSteps: Int
    /// Whether there were so many of those that no figure means anything.
    public var isHostOverloaded: Bool
    /// A step's time, the mean, and its spread; nil where the host was overloaded.
    public var stepMeanEmulatedSeconds: Double?
    public var stepP05EmulatedSeconds: Double?
    public var stepP95EmulatedSeconds: Double?
    /// Sequences over the time that they took.
    public var sequencesPerEmulatedSecond: Double?
    /// The mean of each part of a step over the workers and steps that count: together about the step.
    public var computeEmulatedSeconds: Double?
    public var exposedCommunicationEmulatedSeconds: Double?
    public var waitingEmulatedSeconds: Double?
    public var optimizerEmulatedSeconds: Double?
    /// Frames that the fabric delivered, and by how much it did later than they were due, on the host's clock; nil where
    /// there was none.
    public var fabricFrames: Int?
    public var fabricMeanLatenessHostSeconds: Double?
    public var fabricMostLatenessHostSeconds: Double?
    /// Links that carried something, the busiest first.
    public var links: [Link]

    /// The figures of `record`; nil for a native run.
    init?(_ record: RunRecord) {
        guard let emulation = record.run.emulation else { return nil }
        let counted = record.steps.filter { $0.emulated.map { !$0.isLate } ?? false }
        dilation = emulation.dilation
        workers = record.run.workers
        virtualWorkers = emulation.settings.virtualWorkers
        faults = emulation.settings.faults.map(\.text)
        faultCosts = Self.costs(emulation, record)
        stepModelledSeconds = emulation.modelledStep?.seconds
        standsFor = emulation.settings.standsFor
        steps = record.emulatedSteps.count
        lateSteps = record.emulatedSteps.count(where: \.isLate)
        isHostOverloaded = record.isHostOverloaded
        let timed = record.emulatedSteps.map(\.duration.seconds)
        let meanStep = timed.reduce(0, +) / Double(max(1, timed.count))
        links = (emulation.links ?? []).filter { $0.bytes > 0 }.sorted { $0.utilisation > $1.utilisation }.map {
            Link(
                name: $0.name, bytesPerEmulatedSecond: $0.bytesPerSecond,
                bytesPerStep: $0.watched > .zero ? $0.bytes / ($0.watched.seconds / meanStep) : 0,
                achievedBytesPerEmulatedSecond: $0.achievedBytesPerSecond, utilisation: $0.utilisation,
                deepestQueue: $0.deepestQueue, lostFrames: $0.lost.flatMap { $0 > 0 ? $0 : nil })
        }
        fabricFrames = emulation.fabric?.frames
        fabricMeanLatenessHostSeconds = emulation.fabric?.meanLateness.seconds
        fabricMostLatenessHostSeconds = emulation.fabric?.mostLateness.seconds
        if isHostOverloaded { return }
        let spread = Quantiles(counted.compactMap { $0.emulated?.duration.seconds })
        stepMeanEmulatedSeconds = record.emulatedStepMean?.seconds
        stepP05EmulatedSeconds = spread.quantile(0.05)
        stepP95EmulatedSeconds = spread.quantile(0.95)
        let sequences = mean(counted.map { Double($0.sequences) })
        sequencesPerEmulatedSecond = stepMeanEmulatedSeconds.flatMap { step in sequences.map { $0 / step } }
        let dilations = Dictionary(
            uniqueKeysWithValues: counted.compactMap { step in step.emulated.map { (step.step, $0.dilation) } })
        func meanPart(_ part: (WorkerStepRecord) -> HostSeconds) -> Double? {
            mean(record.workerSteps.compactMap { step in dilations[step.step].map { part(step).seconds / $0 } })
        }
        computeEmulatedSeconds = meanPart(\.compute)
        exposedCommunicationEmulatedSeconds = meanPart(\.exposedCommunication)
        waitingEmulatedSeconds = meanPart(\.waiting)
        optimizerEmulatedSeconds = meanPart(\.optimizer)
    }
}

extension EmulationFigures {
    /// All devices of the machine.
    var devices: Int { workers + (virtualWorkers ?? 0) }

    /// Which devices are processes and which are not, in words; nil where all are.
    var virtualWords: String? {
        virtualWorkers.map { virtual in
            let real = workers == 1 ? "worker 0 is a process" : "workers 0 to \(workers - 1) are processes"
            let others =
                virtual == 1 ? "\(workers) is virtual" : "\(workers) to \(workers + virtual - 1) are virtual"
            return "\(devices) devices: \(real), \(others) (sizes and times alone)"
        }
    }

    private static func costs(_ emulation: Emulation, _ record: RunRecord) -> [FaultCost] {
        emulation.settings.faults.compactMap { fault in
            if case .failedNode(_, let step) = fault { return failure(fault, at: step, record) }
            guard let step = emulation.modelledStep,
                let without = emulation.faultCosts?.first(where: { $0.fault == fault.text })?.stepWithout
            else { return nil }
            return FaultCost(fault: fault.text, stepModelledSeconds: step.seconds - without.seconds)
        }
    }

    /// What the record shows before and after a node has failed; nil where the run did not come so far.
    private static func failure(_ fault: EmulatedFault, at step: StepNumber, _ record: RunRecord) -> FaultCost? {
        guard let failed = record.steps.first(where: { $0.step == step }) else { return nil }
        let before = record.steps.filter { $0.step < step }.emulatedMean
        let after = record.steps.filter { $0.step > step }.emulatedMean
        let previous = record.steps.last { $0.step < step }
        return FaultCost(
            fault: fault.text, stepEmulatedSeconds: before.flatMap { before in after.map { ($0 - before).seconds } },
            recoveryHostSeconds: (failed.elapsed - (previous?.elapsed ?? .zero)).seconds)
    }
}

extension EmulationFigures.FaultCost {
    /// The cost in words.
    var words: String {
        var parts: [String] = []
        if let seconds = stepModelledSeconds {
            parts.append("\(Self.signed(seconds)) a step (modelled: the replay with and without it)")
        }
        if let seconds = stepEmulatedSeconds {
            parts.append("\(Self.signed(seconds)) a step from then on (emulated clock, means before and after)")
        }
        if let seconds = recoveryHostSeconds {
            parts.append("\(FigureFormat.duration.text(seconds)) for the step in which it failed (host clock)")
        }
        return "\(fault): " + (parts.isEmpty ? "not known" : parts.joined(separator: "; "))
    }

    private static func signed(_ seconds: Double) -> String {
        (seconds < 0 ? "-" : "+") + FigureFormat.duration.text(abs(seconds))
    }
}

extension EmulationFigures {
    /// The machine in words.
    var words: String {
        var words = dilation.map { "its clock runs \($0.formatted()) times slower" } ?? "its clock is not known yet"
        if let virtualWords { words += "; " + virtualWords }
        if let standsFor { words += "; standing for a network of size \(standsFor)" }
        if !faults.isEmpty { words += "; with \(faults.joined(separator: ", "))" }
        return words
    }

    /// The steps in words; nil before there are any.
    var stepWords: String? {
        guard steps > 0 else { return nil }
        if isHostOverloaded { return "INVALID: host overloaded (it fell behind in \(lateSteps) of \(steps) steps)" }
        let late = lateSteps == 0 ? "" : "; \(lateSteps) more left out because the host fell behind"
        return "\(FigureFormat.duration.text(stepMeanEmulatedSeconds)) (emulated clock), the mean of "
            + "\(steps - lateSteps)\(late)"
    }
}
