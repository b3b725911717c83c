import Jobs

/// A discrete-event replay of an emulated step: what the emulation must give, computed in one process without a clock.
///
/// Each worker's device follows its schedule; each bucket of the gradient is exchanged as soon as it is complete; each
/// link is a server with a queue. It shares the machine's description with the emulation, and no code that carries it out.
public struct EmulatedStepReplay: Sendable {
    /// What is exchanged, and how.
    public struct Exchange: Hashable, Sendable, Codable {
        /// Who sums what.
        public var algorithm: CollectiveAlgorithm
        /// The lanes of each worker.
        public var laneCounts: [Int]
        /// Elements of the flat gradient, and of a bucket.
        public var elements: Int
        public var bucketElements: Int
        /// Bytes of the emulated machine for each element that travels.
        public var elementBytes: Double

        /// An exchange of the given parts.
        public init(
            algorithm: CollectiveAlgorithm, laneCounts: [Int], elements: Int, bucketElements: Int, elementBytes: Double
        ) {
            self.algorithm = algorithm
            self.laneCounts = laneCounts
            self.elements = elements
            self.bucketElements = bucketElements
            self.elementBytes = elementBytes
        }

        /// The buckets of a gradient.
        package var buckets: Int { (elements + bucketElements - 1) / bucketElements }

        /// What is sent, and what waits for what.
        package var messages: GradientMessages {
            let tree = LaneTree(laneCount: laneCounts.reduce(0, +))
            return GradientMessages(
                algorithm, tree: tree, shares: tree.shares(counts: laneCounts), elements: elements,
                bucketElements: bucketElements)
        }

        /// About how many messages a step has.
        package var messageCount: Int {
            GradientMessages.count(
                algorithm, workers: laneCounts.count, elements: elements, bucketElements: bucketElements)
        }
    }

    /// What came of it, once steps follow each other in an even pace.
    public struct Outcome: Hashable, Sendable {
        /// The mean over workers of a step's time.
        public var step: ModelledSeconds
        /// Seconds that each link was busy in a step.
        public var linkBusySeconds: [Double]
        /// Seconds in which the slowest device computed.
        public var compute: ModelledSeconds
    }

    private let network: EmulatedNetwork
    private let schedules: [DeviceSchedule]
    private let jitter: Double
    private let exchange: Exchange
    private let plan: GradientMessages

    /// A replay of phase `phase` of a run on `cluster`.
    public init(_ cluster: EmulatedCluster, phase: Int = 0, exchange: Exchange) {
        network = cluster.network
        schedules = cluster.schedules[phase]
        jitter = cluster.jitter
        self.exchange = exchange
        plan = exchange.messages
    }

    /// Steps that are replayed before any is looked at: the first ones begin together, the later ones as they end.
    private static let settling = 4

    /// Steps of which the mean is taken: where frames are lost, devices waver, or gradients go around a ring, no two need be
    /// alike.
    private static let observed = 15

    /// Messages of all steps beyond which fewer are replayed, because more would take half a minute: two and one at least.
    private static let mostMessages = 500_000

    /// Replays some steps and tells of the mean of the last ones.
    public func run() -> Outcome {
        var replay = Replay(network: network, schedules: schedules, jitter: jitter, exchange: exchange, plan: plan)
        let affordable = Self.mostMessages / max(1, plan.messages.count)
        let settling = min(Self.settling, max(2, affordable - 1))
        let last = settling + min(Self.observed, max(1, affordable - settling)) - 1
        for step in 0...last { replay.add(step: step) }
        replay.run()
        let durations = (settling...last).map { replay.meanDuration(of: $0) }
        return Outcome(
            step: ModelledSeconds(mean(durations) ?? .infinity),
            linkBusySeconds: replay.busy.map { $0 / Double(last + 1) },
            compute: ModelledSeconds(schedules.map(\.computeSeconds).max() ?? 0))
    }
}

/// The replay's state.
private struct Replay {
    private enum Event {
        /// A worker's device has completed a bucket.
        case completed(worker: Int, step: Int, bucket: Int)
        /// A message's first byte is at the next link of its way.
        case atLink(Int)
        /// A link has passed a message's last byte on.
        case served(link: Int)
        /// A message's last byte has arrived.
        case arrived(Int)
        /// A worker's update is done.
        case updated(worker: Int, step: Int)
    }

    private struct Flight {
        let step: Int
        let index: Int
        let bytes: Double
        let way: [Int]
        var hop = 0
        var lastByte = 0.0
        var losses = 0
        var missing: Int
    }

    private struct Server {
        let bytesPerSecond: Double
        let latency: Double
        let loss: EmulatedNetwork.Loss?
        var count = 0
        var waiting: [Int] = []
        var isBusy = false
        var busy = 0.0
    }

    private struct Progress {
        var start = 0.0
        var end: Double?
        var missing: Int
    }

    private let schedules: [DeviceSchedule]
    private let jitter: Double
    private let exchange: EmulatedStepReplay.Exchange
    private let plan: GradientMessages
    private var servers: [Server]
    private var flights: [Flight] = []
    /// Progress by step and worker.
    private var progress: [[Progress]] = []
    /// Which messages, and which worker's completion, wait for a need of a step.
    private var followers: [GradientMessages.Need: [Int]] = [:]
    private var finishers: [GradientMessages.Need: [Int]] = [:]
    private var agenda: [(time: Double, order: Int, event: Event)] = []
    private var order = 0
    private let ways: [[[Int]]]
    private let seed: UInt64
    /// What each worker has sent to each other one and the transport has not delivered yet, in order, where frames may be
    /// lost; and what of it has arrived.
    private var undelivered: [[Int]: [Int]] = [:]
    private var early: Set<Int> = []
    private let losesFrames: Bool
    private let buckets: Int

    init(
        network: EmulatedNetwork, schedules: [DeviceSchedule], jitter: Double,
        exchange: EmulatedStepReplay.Exchange, plan: GradientMessages
    ) {
        self.schedules = schedules
        self.jitter = jitter
        self.exchange = exchange
        self.plan = plan
        servers = network.links.map {
            Server(bytesPerSecond: $0.bytesPerSecond, latency: $0.latencySeconds, loss: $0.loss)
        }
        seed = network.seed
        losesFrames = network.links.contains { $0.loss != nil }
        let workers = network.places.indices
        ways = workers.map { from in workers.map { $0 == from ? [] : network.route(from: from, to: $0) } }
        buckets = exchange.buckets
        for (index, message) in plan.messages.enumerated() {
            for need in message.needs { followers[need, default: []].append(index) }
        }
        for (worker, needs) in plan.completions.enumerated() {
            for need in needs { finishers[need, default: []].append(worker) }
        }
    }

    var busy: [Double] { servers.map(\.busy) }

    func meanDuration(of step: Int) -> Double {
        let durations = progress[step].map { ($0.end ?? .infinity) - $0.start }
        return durations.reduce(0, +) / Double(durations.count)
    }

    mutating func add(step: Int) {
        flights += plan.messages.enumerated().map { index, message in
            Flight(
                step: step, index: index, bytes: Double(message.elements) * exchange.elementBytes,
                way: ways[message.sender][message.receiver], missing: message.needs.count)
        }
        progress.append(plan.completions.map { Progress(missing: $0.count) })
        if step == 0 { for worker in schedules.indices { begin(worker, step: 0, at: 0) } }
    }

    mutating func run() {
        while let next = popEarliest() {
            switch next.event {
            case .completed(let worker, let step, let bucket):
                satisfy(.own(worker: worker, bucket: bucket), step, at: next.time)
                if plan.completions[worker].isEmpty, bucket == buckets - 1 { finish(worker, step, at: next.time) }
            case .atLink(let flight): reach(flight, at: next.time)
            case .served(let link):
                servers[link].isBusy = false
                serveNext(link, at: next.time)
            case .arrived(let flight): arrive(flight, at: next.time)
            case .updated(let worker, let step):
                progress[step][worker].end = next.time
                if step + 1 < progress.count { begin(worker, step: step + 1, at: next.time) }
            }
        }
    }

    private func schedule(of worker: Int, _ step: Int) -> DeviceSchedule {
        schedules[worker].wavering(by: jitter, seed: seed, step: StepNumber(step), worker: WorkerRank(worker))
    }

    private mutating func begin(_ worker: Int, step: Int, at time: Double) {
        progress[step][worker].start = time
        satisfy(.begun(worker: worker), step, at: time)
        let device = schedule(of: worker, step)
        for bucket in 0..<buckets {
            let last = min((bucket + 1) * exchange.bucketElements, exchange.elements)
            let seconds = device.seconds(untilFinal: Double(last) / Double(exchange.elements))
            schedule(.completed(worker: worker, step: step, bucket: bucket), at: time + seconds)
        }
    }

    private mutating func satisfy(_ need: GradientMessages.Need, _ step: Int, at time: Double) {
        for message in followers[need] ?? [] {
            let flight = step * plan.messages.count + message
            flights[flight].missing -= 1
            if flights[flight].missing == 0 {
                flights[flight].lastByte = time
                if losesFrames { undelivered[pair(flight), default: []].append(flight) }
                schedule(.atLink(flight), at: time)
                satisfy(.sending(message), step, at: time)
            }
        }
        for worker in finishers[need] ?? [] {
            progress[step][worker].missing -= 1
            if progress[step][worker].missing == 0 { finish(worker, step, at: time) }
        }
    }

    private func pair(_ flight: Int) -> [Int] {
        let message = plan.messages[flights[flight].index]
        return [message.sender, message.receiver]
    }

    /// The transport delivers in order: what has overtaken a lost frame waits for it.
    private mutating func arrive(_ flight: Int, at time: Double) {
        guard losesFrames else { return satisfy(.arrival(flights[flight].index), flights[flight].step, at: time) }
        early.insert(flight)
        let pair = pair(flight)
        while let first = undelivered[pair]?.first, early.remove(first) != nil {
            undelivered[pair]?.removeFirst()
            satisfy(.arrival(flights[first].index), flights[first].step, at: time)
        }
    }

    private mutating func finish(_ worker: Int, _ step: Int, at time: Double) {
        schedule(.updated(worker: worker, step: step), at: time + schedule(of: worker, step).updateSeconds)
    }

    private mutating func reach(_ flight: Int, at time: Double) {
        let link = flights[flight].way[flights[flight].hop]
        servers[link].waiting.append(flight)
        if !servers[link].isBusy { serveNext(link, at: time) }
    }

    private mutating func serveNext(_ link: Int, at time: Double) {
        guard !servers[link].waiting.isEmpty else { return }
        let flight = servers[link].waiting.removeFirst()
        let seconds = flights[flight].bytes / servers[link].bytesPerSecond
        servers[link].isBusy = true
        servers[link].busy += seconds
        schedule(.served(link: link), at: time + seconds)
        servers[link].count += 1
        if let loss = servers[link].loss, loss.takes(servers[link].count, ofLink: link, seed: seed) {
            let again = time + seconds + loss.timeout(afterLosses: flights[flight].losses)
            flights[flight].losses += 1
            flights[flight].hop = 0
            flights[flight].lastByte = again
            return schedule(.atLink(flight), at: again)
        }
        flights[flight].lastByte = max(flights[flight].lastByte, time + seconds) + servers[link].latency
        flights[flight].hop += 1
        if flights[flight].hop < flights[flight].way.count {
            schedule(.atLink(flight), at: time + servers[link].latency)
        } else {
            schedule(.arrived(flight), at: flights[flight].lastByte)
        }
    }

    // MARK: - The agenda, a binary heap by time and order of entry

    private mutating func schedule(_ event: Event, at time: Double) {
        agenda.append((time, order, event))
        order += 1
        var child = agenda.count - 1
        while child > 0, isBefore(child, (child - 1) / 2) {
            agenda.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    private mutating func popEarliest() -> (time: Double, event: Event)? {
        guard let first = agenda.first, let last = agenda.popLast() else { return nil }
        if !agenda.isEmpty {
            agenda[0] = last
            var parent = 0
            while true {
                var least = parent
                for child in [2 * parent + 1, 2 * parent + 2] where child < agenda.count && isBefore(child, least) {
                    least = child
                }
                if least == parent { break }
                agenda.swapAt(parent, least)
                parent = least
            }
        }
        return (first.time, first.event)
    }

    private func isBefore(_ left: Int, _ right: Int) -> Bool {
        (agenda[left].time, agenda[left].order) < (agenda[right].time, agenda[right].order)
    }
}
