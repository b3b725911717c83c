import Jobs

/// How a run's hardware is emulated, and what its links carried.
public struct Emulation: Hashable, Sendable, Codable {
    /// What was asked for.
    public var settings: EmulationSettings
    /// The factor by which devices and links were slowed last; nil before it is known.
    public var dilation: Double?
    /// What the emulated links carried; nil before the run's end.
    public var links: [EmulatedLinkRecord]?
    /// How the fabric kept up; nil before the run's end, and where there was none.
    public var fabric: FabricRecord?
    /// A step on this machine by the replay, and what each fault costs by it; nil before the run's end.
    public var modelledStep: ModelledSeconds?
    public var faultCosts: [EmulatedFaultCost]?

    /// An emulation that is yet to begin.
    public init(settings: EmulationSettings) { self.settings = settings }

    /// The share of steps in which the host may fall behind before the whole run counts for nothing.
    public static let lateShare = 0.2
}

/// What one fault of an emulated machine costs by the replay.
public struct EmulatedFaultCost: Hashable, Sendable, Codable {
    /// The fault as it is spelt.
    public var fault: String
    /// A step on the machine without it, but with all others.
    public var stepWithout: ModelledSeconds

    /// A cost of the given parts.
    public init(fault: String, stepWithout: ModelledSeconds) {
        self.fault = fault
        self.stepWithout = stepWithout
    }
}

/// How the process that holds an emulated network's links kept up in a run's last membership.
public struct FabricRecord: Hashable, Sendable, Codable {
    /// Frames that it delivered.
    public var frames: Int
    /// The mean and the most host time by which it delivered one later than it was due.
    public var meanLateness: HostSeconds
    public var mostLateness: HostSeconds
    /// The most bytes that it held at once.
    public var mostHeld: Bytes

    /// A record of the given parts.
    public init(frames: Int, meanLateness: HostSeconds, mostLateness: HostSeconds, mostHeld: Bytes) {
        self.frames = frames
        self.meanLateness = meanLateness
        self.mostLateness = mostLateness
        self.mostHeld = mostHeld
    }
}

/// What one emulated link carried over the steps of a run's last membership.
public struct EmulatedLinkRecord: Hashable, Sendable, Codable {
    /// The link's name.
    public var name: String
    /// What it carries at most, in bytes of the emulated machine a second of its clock.
    public var bytesPerSecond: Double
    /// What it carried, in bytes of the emulated machine.
    public var bytes: Double
    /// How long it was busy with that, and how long all that was watched, both on the emulated clock.
    public var busy: EmulatedSeconds
    public var watched: EmulatedSeconds
    /// The most frames that waited for it at once.
    public var deepestQueue: Int
    /// How long it was busy until what it carried was really handed on, which is later where the host is late; and the
    /// frames that it lost. Nil in records of earlier versions.
    public var observedBusy: EmulatedSeconds?
    public var lost: Int?

    /// A record of the given parts.
    public init(
        name: String, bytesPerSecond: Double, bytes: Double, busy: EmulatedSeconds, watched: EmulatedSeconds,
        deepestQueue: Int, observedBusy: EmulatedSeconds? = nil, lost: Int? = nil
    ) {
        self.observedBusy = observedBusy
        self.lost = lost
        self.name = name
        self.bytesPerSecond = bytesPerSecond
        self.bytes = bytes
        self.busy = busy
        self.watched = watched
        self.deepestQueue = deepestQueue
    }

    /// Bytes a second of the emulated machine that it really carried while it was busy, to hold against `bytesPerSecond`; nil
    /// where it carried nothing, or nobody watched.
    public var achievedBytesPerSecond: Double? {
        observedBusy.flatMap { $0 > .zero ? bytes / $0.seconds : nil }
    }

    /// The share of the time that it was busy. A step that was not timed counts as long as the others, and may have been longer:
    /// no link is busy for more than all of the time.
    public var utilisation: Double { watched > .zero ? min(1, busy / watched) : 0 }
}

extension RunRecord {
    /// The steps on the emulated clock, those in which the host fell behind among them.
    public var emulatedSteps: [EmulatedStep] { steps.compactMap(\.emulated) }

    /// The emulated time of all steps after `stepsMade` ones. Those that were not timed, as a membership's first, whose
    /// frames passed all the same, count as long as the others on the mean.
    public func watched(since stepsMade: Int) -> EmulatedSeconds {
        let steps = steps.filter { $0.step.index >= stepsMade }
        let timed = steps.compactMap(\.emulated?.duration)
        guard !timed.isEmpty else { return .zero }
        return timed.reduce(.zero) { $0 + $1 } * (Double(steps.count) / Double(timed.count))
    }

    /// Whether the host fell behind in so many steps that no figure of the emulated clock means anything.
    public var isHostOverloaded: Bool {
        let late = emulatedSteps.count(where: \.isLate)
        return Double(late) > Emulation.lateShare * Double(emulatedSteps.count)
    }

    /// The mean step on the emulated clock, without those in which the host fell behind; nil where there is none, or where the
    /// host was overloaded. Not the median: devices may take turns in being first, and then every other step is longer.
    public var emulatedStepMean: EmulatedSeconds? {
        isHostOverloaded ? nil : steps.emulatedMean
    }
}

extension Sequence<StepRecord> {
    /// The mean of these on the emulated clock, without those in which the host fell behind; nil where there is none.
    public var emulatedMean: EmulatedSeconds? {
        mean(compactMap(\.emulated).filter { !$0.isLate }.map(\.duration.seconds)).map { EmulatedSeconds($0) }
    }
}
