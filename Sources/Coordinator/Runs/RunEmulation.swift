import Cluster
import Jobs
import PerformanceModel
import Report
import Runs
import Wire

/// What an emulated run knows of its machine: how much it must be slowed for the host to keep up, and whether the host does.
/// A pure state machine beside `RunMachine`.
///
/// Where the user leaves the dilation open, the first steps are made without holding anything back, which shows what the
/// host needs for a step; a new membership then goes on under the dilation that follows. Steps in which the host falls
/// behind all the same raise it.
struct RunEmulation: Sendable {
    /// The machine of one membership.
    struct Membership: Sendable {
        let cluster: EmulatedCluster
        /// 0 while the host is measured.
        let dilation: Double
        /// What the endpoints of the fabric begin with.
        let inletPrefix: String
        /// What all devices exchange, where some of them are virtual.
        let virtual: EmulatedStepReplay.Exchange?

        /// Where the fabric takes what `sender` sends to `receiver`; nil for a worker itself, and where no numbers pass the
        /// fabric.
        func inlet(from sender: WorkerRank, to receiver: WorkerRank) -> String? {
            sender == receiver || virtual != nil ? nil : "\(inletPrefix)-\(sender)-\(receiver)"
        }

        /// The device that worker `rank`, the one at `place`, stands for, after `stepsMade` steps.
        func device(of rank: WorkerRank, at place: Int, stepsMade: Int) -> EmulatedDevice {
            var device = EmulatedDevice(place, of: cluster, dilation: dilation, stepsMade: stepsMade)
            // While the host is measured nobody waits for anything that is emulated.
            if virtual != nil, dilation > 0 { device.line = line(of: rank, at: place) }
            return device
        }

        private func line(of rank: WorkerRank, at place: Int) -> VirtualPlan.Line {
            VirtualPlan.Line(
                rank: rank, device: place, inlet: "\(inletPrefix)-\(rank)-in", outlet: "\(inletPrefix)-\(rank)-out")
        }

        /// The fabric between `peers`; nil where there is nobody to exchange with.
        func fabric(run: Run, epoch: Int, peers: [Assignment.Peer]) -> FabricPlan? {
            if let virtual {
                guard dilation > 0 else { return nil }
                let devices = virtual.laneCounts.indices.map {
                    EmulatedDevice($0, of: cluster, dilation: dilation, stepsMade: 0)
                }
                return FabricPlan(
                    run: run.id, epoch: epoch, dilation: dilation, cluster: cluster,
                    virtual: VirtualPlan(
                        job: run.job, devices: devices, exchange: virtual,
                        lines: peers.enumerated().map { line(of: $1.rank, at: $0) }))
            }
            guard peers.count > 1 else { return nil }
            return FabricPlan(
                run: run.id, epoch: epoch, dilation: dilation, cluster: cluster,
                workers: peers.map { ($0.rank, $0.endpoint) }, inlet: { inlet(from: $0, to: $1) ?? "" })
        }
    }

    /// Something to tell whoever looks at the run.
    struct News: Hashable, Sendable {
        var message: String
        var isWarning: Bool
        /// Whether the next membership is to be formed soon, because the dilation has changed.
        var changesDilation: Bool
    }

    let settings: EmulationSettings
    let profile: HardwareProfile
    /// The factor by which the machine is slowed; nil while the host is measured.
    private(set) var dilation: Double?
    private var need = HostNeed()
    private var step: EmulatedStepReplay.Outcome?
    private var updateSeconds = 0.0
    private var lateInARow = 0
    private var lateSteps = 0
    private var raises = 0

    /// Steps without dilation, of which the first does not count: memory is touched and connections are made in it.
    static let measuredSteps = 3
    /// Late steps in a row that raise the dilation, and how often it is raised.
    static let lateLimit = 3
    static let raiseLimit = 4
    /// Late steps that are told of one by one.
    static let toldLate = 3

    /// An emulation as `settings` say, of the machine `profile`.
    ///
    /// - Parameter dilation: what was found before the run was interrupted.
    init(settings: EmulationSettings, profile: HardwareProfile, dilation: Double? = nil) {
        self.settings = settings
        self.profile = profile
        self.dilation = settings.dilation ?? dilation
    }

    /// The machine of a membership whose workers have `laneCounts` lanes.
    ///
    /// - Parameters:
    ///   - vocabularySize: entries of the job's vocabulary.
    ///   - inletPrefix: what the endpoints of its fabric begin with.
    /// - Throws: `PerformanceModelError` where the machine can't do it.
    mutating func form(
        _ run: Run, vocabularySize: Int, laneCounts: [Int], phase: Int, inletPrefix: String
    ) throws -> Membership {
        let laneCounts = settings.deviceLanes(ofWorkers: laneCounts, jobLanes: run.job.lanes)
        let cluster = try EmulatedCluster(
            job: run.job, vocabularySize: vocabularySize, laneCounts: laneCounts, profile: profile, settings: settings)
        let exchange = EmulatedStepReplay.Exchange(run, vocabularySize: vocabularySize, laneCounts, cluster)
        if settings.virtualWorkers != nil { try VirtualPlan.check(exchange) }
        step = EmulatedStepReplay(cluster, phase: phase, exchange: exchange).run()
        updateSeconds = cluster.schedules[phase].map(\.updateSeconds).min() ?? 0
        lateInARow = 0
        return Membership(
            cluster: cluster, dilation: dilation ?? 0, inletPrefix: inletPrefix,
            virtual: settings.virtualWorkers == nil ? nil : exchange)
    }

    /// A step as it will take on the host at most; nil while the host is measured.
    var dilatedStep: HostSeconds? {
        dilation.flatMap { dilation in step.map { HostSeconds($0.step.seconds * dilation) } }
    }

    /// The modelled step.
    var modelledStep: ModelledSeconds? { step?.step }

    /// Takes in a step that has been made.
    mutating func observe(_ closed: StepLedger.Closed) -> News? {
        guard let dilation else { return measure(closed) }
        guard let emulated = closed.step.emulated, emulated.dilation == dilation else { return nil }
        guard emulated.isLate else {
            lateInARow = 0
            return nil
        }
        lateInARow += 1
        lateSteps += 1
        let late =
            "the host fell behind in step \(closed.step.step): something was "
            + "\(Self.milliseconds(emulated.lateness.seconds)) late in a step of "
            + "\(Self.milliseconds(emulated.duration.seconds * dilation))"
        guard settings.dilation == nil, lateInARow >= Self.lateLimit, raises < Self.raiseLimit else {
            // The record marks every one of them.
            guard lateSteps <= Self.toldLate else { return nil }
            return News(message: late + "; it is left out of figures", isWarning: true, changesDilation: false)
        }
        raises += 1
        self.dilation = 2 * dilation
        return News(
            message: late + "; the dilation is doubled to \(Self.number(2 * dilation))", isWarning: true,
            changesDilation: true)
    }

    private mutating func measure(_ closed: StepLedger.Closed) -> News? {
        need.observe(closed.workers)
        guard need.steps >= Self.measuredSteps, let step else { return nil }
        let found = need.dilation(of: step, updateSeconds: updateSeconds)
        dilation = found
        return News(
            message: "the host takes \(Self.milliseconds(need.compute)) to compute a step, "
                + "\(Self.milliseconds(need.exchange)) to exchange its gradient and "
                + "\(Self.milliseconds(need.optimizer)) to apply it; the emulated machine is modelled to take "
                + "\(Self.milliseconds(step.step.seconds)) in all, so its clock runs \(Self.number(found)) times slower",
            isWarning: false, changesDilation: true)
    }

    private static func milliseconds(_ seconds: Double) -> String { number(1_000 * seconds) + " ms" }

    private static func number(_ value: Double) -> String {
        value < 10 ? "\((value * 100).rounded() / 100)" : "\((value * 10).rounded() / 10)"
    }
}

/// What the host needs for a step when nothing is held back.
struct HostNeed: Hashable, Sendable {
    /// Steps seen.
    private(set) var steps = 0
    /// The most host seconds of any step but the first: computing, the exchange after the last worker has computed, and the
    /// optimizer.
    private(set) var compute = 0.0
    private(set) var exchange = 0.0
    private(set) var optimizer = 0.0

    /// Room to spare: computing takes at most two thirds of what the emulated device takes, so that no part of the gradient
    /// is late; the exchange at most a fifth of the step, because some of it delays what is sent next.
    private static let computeMargin = 1.5
    private static let exchangeMargin = 5.0
    /// What an optimizer that is later than the device's may add to a step.
    private static let optimizerShare = 0.01
    /// Timers and threads that wake late cost a share of a step that is short.
    private static let leastStepSeconds = 1.0

    /// Takes in what workers say of a step.
    mutating func observe(_ workers: [WorkerStepRecord]) {
        steps += 1
        guard steps > 1, !workers.isEmpty else { return }
        compute = max(compute, workers.map(\.compute.seconds).max() ?? 0)
        optimizer = max(optimizer, workers.map(\.optimizer.seconds).max() ?? 0)
        // Whoever computed longest waited for nobody.
        exchange = max(exchange, workers.map { ($0.exposedCommunication + $0.waiting).seconds }.min() ?? 0)
    }

    /// By how much a machine must be slowed whose step is `step`, for this host to keep up with room to spare: two digits,
    /// rounded up.
    func dilation(of step: EmulatedStepReplay.Outcome, updateSeconds: Double) -> Double {
        let total = step.step.seconds
        let most = max(
            Self.leastStepSeconds / total, Self.computeMargin * compute / step.compute.seconds,
            Self.exchangeMargin * exchange / total,
            min(
                Self.computeMargin * optimizer / max(updateSeconds, 1e-12), optimizer / (Self.optimizerShare * total)))
        guard most.isFinite, most > 0 else { return 1 }
        var unit = 1.0
        while most / unit >= 100 { unit *= 10 }
        while most / unit < 10 { unit /= 10 }
        return min(EmulationSettings.dilationRange.upperBound, (most / unit).rounded(.up) * unit)
    }
}
