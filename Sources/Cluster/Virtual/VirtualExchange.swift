import Jobs
import PerformanceModel

/// The exchange of all devices of an emulated cluster as sizes and times, step after step. A pure value: it is told what the
/// workers' devices have ready, takes the others' times from their schedules, and says when each worker has the sum.
///
/// A device without a process begins its next step as long after the end of the one before as the first worker to begin
/// that step does: workers stop now and then, to evaluate or to write a checkpoint, and all devices stand on one clock.
package struct VirtualExchange: Sendable {
    /// What a worker is to be told.
    package struct News: Hashable, Sendable {
        package enum Kind: Hashable, Sendable {
            /// The last partial sum of others that its device takes has arrived.
            case contributed
            /// Its device has the sum of everything.
            case summed
        }

        package let kind: Kind
        package let step: StepNumber
        package let device: Int
        package let instant: MonotonicInstant
    }

    /// Something that waits for a number of others.
    private struct Wait: Sendable {
        private var missing: Int32
        /// When the last one of those so far was there: they may be heard of in another order.
        private(set) var instant = MonotonicInstant(nanoseconds: 0)

        init(for count: Int32) { missing = count }

        /// One more is there since `instant`; returns whether it was the last.
        mutating func end(at instant: MonotonicInstant) -> Bool {
            missing -= 1
            self.instant = max(self.instant, instant)
            return missing == 0
        }
    }

    private struct Progress: Sendable {
        /// What each message, each device's sum, and its last partial sum wait for.
        var messages: [Wait]
        var sums: [Wait]
        var partialSums: [Wait]
    }

    private struct Device: Sendable {
        /// The end of its newest step's update by its schedule, and that step.
        var ended: (step: StepNumber, at: MonotonicInstant)?
        /// Buckets that are ready in the step that it is in.
        var buckets = 0
    }

    /// What a virtual device does by itself: it begins a step, or has computed its gradient up to an element.
    private struct Act: Sendable {
        let instant: MonotonicInstant
        let order: Int
        let step: StepNumber
        let device: Int
        /// Nil where it begins the step.
        let elements: Int?
    }

    private let plan: VirtualPlan
    private let network: EmulatedNetwork
    private let dilation: Double
    private let web: MessageWeb
    private let isWorker: [Bool]
    private var queues: FabricQueues
    private var agenda = EventHeap<Act> { ($0.instant, $0.order) < ($1.instant, $1.order) }
    private var order = 0
    private var steps: [StepNumber: Progress] = [:]
    private var devices: [Device]
    /// How long the first worker paused before each step that it has begun; nil before the first one of all.
    private var pauses: [StepNumber: HostSeconds] = [:]
    private var firstStep: StepNumber?
    private var news: [News] = []
    /// Messages that have arrived.
    package private(set) var arrivals = 0

    /// The exchange of `plan` over `links`, slowed by `dilation`, which is not 0.
    package init(_ plan: VirtualPlan, network: EmulatedNetwork, dilation: Double) {
        self.plan = plan
        self.network = network
        self.dilation = dilation
        web = MessageWeb(plan.exchange)
        let workers = Set(plan.lines.map(\.device))
        isWorker = plan.devices.indices.map { workers.contains($0) }
        queues = FabricQueues(network.links, dilation: dilation, lossSeed: network.seed)
        devices = plan.devices.map { _ in Device() }
    }

    /// What each link has carried.
    package var loads: [FabricQueues.Load] { queues.loads }

    // MARK: - What workers say

    /// The device of a worker begins `step`.
    package mutating func begin(_ step: StepNumber, device: Int, at instant: MonotonicInstant) {
        devices[device].buckets = 0
        satisfy(.begun(worker: device), step, at: instant)
        guard pauses[step] == nil else { return }
        firstStep = firstStep ?? step
        let end = devices[device].ended?.at ?? instant
        pauses = [step: max(.zero, instant.elapsed(since: end))]
        for other in devices.indices where !isWorker[other] {
            if step == firstStep {
                start(other, step, at: instant)
            } else {
                startNext(other)
            }
        }
    }

    /// The device of a worker has its gradient of `step` ready up to element `end`.
    package mutating func compute(_ step: StepNumber, device: Int, upTo end: Int, at instant: MonotonicInstant) {
        let filled = web.filled(upTo: end)
        while devices[device].buckets < filled {
            let bucket = devices[device].buckets
            devices[device].buckets += 1
            satisfy(.own(worker: device, bucket: bucket), step, at: instant)
        }
    }

    // MARK: - Time

    /// When something happens next; nil while nothing does by itself.
    package var next: MonotonicInstant? {
        guard let act = agenda.first?.instant else { return queues.next }
        return queues.next.map { min($0, act) } ?? act
    }

    /// Lets everything happen that is due by `now`, and returns what workers are to be told.
    package mutating func advance(to now: MonotonicInstant) -> [News] {
        while let next, next <= now {
            if let act = agenda.first, act.instant <= next {
                agenda.removeFirst()
                if let elements = act.elements {
                    compute(act.step, device: act.device, upTo: elements, at: act.instant)
                } else {
                    satisfy(.begun(worker: act.device), act.step, at: act.instant)
                }
                continue
            }
            for delivery in queues.advance(to: next, observed: now) {
                let (step, message) = delivery.frame.quotientAndRemainder(dividingBy: web.messages.count)
                arrivals += 1
                satisfy(.arrival(message), StepNumber(step), at: delivery.due)
            }
        }
        defer { news = [] }
        return news
    }

    // MARK: - Devices without a process

    /// Has a virtual device begin the step after its newest one, if a worker has begun that.
    private mutating func startNext(_ device: Int) {
        guard let ended = devices[device].ended, let pause = pauses[ended.step.next] else { return }
        start(device, ended.step.next, at: ended.at.advanced(by: pause))
    }

    private mutating func start(_ device: Int, _ step: StepNumber, at instant: MonotonicInstant) {
        devices[device].ended = nil
        devices[device].buckets = 0
        guard let schedule = schedule(of: device, step) else { return }
        let count = plan.exchange.elements
        expect(nil, of: device, step, at: instant)
        for (index, group) in schedule.groups.enumerated() {
            let isLast = index == schedule.groups.count - 1
            expect(
                isLast ? count : min(count, Int((group.gradientShare * Double(count)).rounded())), of: device, step,
                at: instant.advanced(by: HostSeconds(group.seconds * dilation)))
        }
    }

    /// Has `device` begin `step` at `instant`, or have computed `elements` of its gradient then.
    private mutating func expect(_ elements: Int?, of device: Int, _ step: StepNumber, at instant: MonotonicInstant) {
        agenda.insert(Act(instant: instant, order: order, step: step, device: device, elements: elements))
        order += 1
    }

    private func schedule(of device: Int, _ step: StepNumber) -> DeviceSchedule? {
        plan.devices[device].schedule(of: step, in: plan.job, worker: WorkerRank(device))
    }

    // MARK: - Messages

    /// Something has happened that messages and devices wait for.
    private mutating func satisfy(_ need: GradientMessages.Need, _ step: StepNumber, at instant: MonotonicInstant) {
        var progress = steps.removeValue(forKey: step) ?? fresh()
        var open = [(need: web.number(need), instant: instant)]
        // First come, first served: messages that become possible at once leave in the order of their numbers.
        while let (need, instant) = open.popLast() {
            for message in web.followers[need] where progress.messages[Int(message)].end(at: instant) {
                let possible = progress.messages[Int(message)].instant
                send(Int(message), step, at: possible)
                open.append((web.number(.sending(Int(message))), possible))
            }
            for device in web.contributed[need] where progress.partialSums[Int(device)].end(at: instant) {
                tell(.contributed, step, Int(device), progress.partialSums[Int(device)].instant)
            }
            for device in web.summed[need] where progress.sums[Int(device)].end(at: instant) {
                finish(Int(device), step, at: progress.sums[Int(device)].instant)
            }
        }
        steps[step] = progress
    }

    private func fresh() -> Progress {
        Progress(
            messages: web.messageNeeds.map(Wait.init), sums: web.sumNeeds.map(Wait.init),
            partialSums: web.partialSumNeeds.map(Wait.init))
    }

    private mutating func send(_ number: Int, _ step: StepNumber, at instant: MonotonicInstant) {
        let message = web.messages[number]
        queues.send(
            step.index * web.messages.count + number, bytes: Double(message.elements) * plan.exchange.elementBytes,
            over: network.route(from: message.sender, to: message.receiver),
            flow: message.sender * devices.count + message.receiver, at: instant)
    }

    private mutating func finish(_ device: Int, _ step: StepNumber, at instant: MonotonicInstant) {
        let update = schedule(of: device, step)?.updateSeconds ?? 0
        devices[device].ended = (step, instant.advanced(by: HostSeconds(update * dilation)))
        tell(.summed, step, device, instant)
        // Nobody sends anything of the step before any more: its sum was needed for this one.
        steps = steps.filter { $0.key.index >= step.index - 1 }
        if !isWorker[device] { startNext(device) }
    }

    private mutating func tell(_ kind: News.Kind, _ step: StepNumber, _ device: Int, _ instant: MonotonicInstant) {
        guard isWorker[device] else { return }
        news.append(News(kind: kind, step: step, device: device, instant: instant))
    }
}
