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
        /// The share of the steps' time that it was busy.
        public var utilisation: Double
        /// The most frames that waited for it at once.
        public var deepestQueue: Int
    }

    /// How many times slower the machine's clock ran; nil before that was known.
    public var dilation: Double?
    /// What was wrong with the machine.
    public var faults: [String]
    /// The size of network that was stood for; nil for the job's own.
    public var standsFor: String?
    /// Steps under dilation, and those in which the host fell behind, which are in no figure.
    public var steps: Int
    public var lateSteps: Int
    /// Whether there were so many of those that no figure means anything.
    public var isHostOverloaded: Bool
    /// The spread of a step's time; nil where the host was overloaded.
    public var stepMedianEmulatedSeconds: Double?
    public var stepP05EmulatedSeconds: Double?
    public var stepP95EmulatedSeconds: Double?
    /// Sequences of a step over its median time.
    public var sequencesPerEmulatedSecond: Double?
    /// The median of each part of a step over the workers and steps that count.
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
        faults = emulation.settings.faults.map(\.text)
        standsFor = emulation.settings.standsFor
        steps = record.emulatedSteps.count
        lateSteps = record.emulatedSteps.count(where: \.isLate)
        isHostOverloaded = record.isHostOverloaded
        let carried = Double(record.emulatedSteps.count)
        links = (emulation.links ?? []).filter { $0.bytes > 0 }.sorted { $0.utilisation > $1.utilisation }.map {
            Link(
                name: $0.name, bytesPerEmulatedSecond: $0.bytesPerSecond,
                bytesPerStep: carried > 0 ? $0.bytes / carried : 0, utilisation: $0.utilisation,
                deepestQueue: $0.deepestQueue)
        }
        fabricFrames = emulation.fabric?.frames
        fabricMeanLatenessHostSeconds = emulation.fabric?.meanLateness.seconds
        fabricMostLatenessHostSeconds = emulation.fabric?.mostLateness.seconds
        if isHostOverloaded { return }
        let spread = Quantiles(counted.compactMap { $0.emulated?.duration.seconds })
        stepMedianEmulatedSeconds = spread.median
        stepP05EmulatedSeconds = spread.quantile(0.05)
        stepP95EmulatedSeconds = spread.quantile(0.95)
        let sequences = Quantiles(counted.map { Double($0.sequences) }).median
        sequencesPerEmulatedSecond = spread.median.flatMap { median in sequences.map { $0 / median } }
        let dilations = Dictionary(
            uniqueKeysWithValues: counted.compactMap { step in step.emulated.map { (step.step, $0.dilation) } })
        func median(_ part: (WorkerStepRecord) -> HostSeconds) -> Double? {
            Quantiles(
                record.workerSteps.compactMap { step in dilations[step.step].map { part(step).seconds / $0 } }
            ).median
        }
        computeEmulatedSeconds = median(\.compute)
        exposedCommunicationEmulatedSeconds = median(\.exposedCommunication)
        waitingEmulatedSeconds = median(\.waiting)
        optimizerEmulatedSeconds = median(\.optimizer)
    }
}

extension EmulationFigures {
    /// The machine in words.
    var words: String {
        var words = dilation.map { "its clock runs \($0.formatted()) times slower" } ?? "its clock is not known yet"
        if let standsFor { words += "; standing for a network of size \(standsFor)" }
        if !faults.isEmpty { words += "; with \(faults.joined(separator: ", "))" }
        return words
    }

    /// The steps in words; nil before there are any.
    var stepWords: String? {
        guard steps > 0 else { return nil }
        if isHostOverloaded { return "INVALID: host overloaded (it fell behind in \(lateSteps) of \(steps) steps)" }
        let late = lateSteps == 0 ? "" : "; \(lateSteps) more left out because the host fell behind"
        return "\(FigureFormat.duration.text(stepMedianEmulatedSeconds)) (emulated clock), the median of "
            + "\(steps - lateSteps)\(late)"
    }
}
