import Jobs
import PerformanceModel

/// The links of an emulated network as queues in dilated time. A pure value: it is told when frames are handed in and how
/// late it is, and says when each would have been delivered.
///
/// A link serves frames one after the other, in the order in which their first bytes reach it. A frame flows: its first
/// bytes go on to the next link while its last ones still enter the one before, so that a path of idle links takes the
/// slowest link's time and the latencies. Frames of a pair keep their order, because they take the same links.
///
/// A link may lose frames: one that is lost has taken the link's time, and its sender sends it again from the start of its
/// way, a retransmission time-out after the link had passed it. Frames of its flow that overtake it meanwhile are delivered
/// after it, as a transport delivers.
///
/// Times are nanoseconds of the host's monotonic clock; rates and latencies are the machine's, slowed by the dilation.
package struct FabricQueues: Sendable {
    /// A frame that has been delivered.
    package struct Delivery: Hashable, Sendable {
        /// The number under which it was handed in.
        package let frame: Int
        /// When the last byte arrived.
        package let due: MonotonicInstant
    }

    /// What a link has carried.
    package struct Load: Hashable, Sendable {
        /// Bytes of the emulated machine.
        package var bytes = 0.0
        /// Dilated nanoseconds in which it was busy.
        package var busy = 0.0
        /// The most frames that waited for it at once, the one that it served included.
        package var deepestQueue = 0
        /// Frames that it lost.
        package var lost = 0
        /// Dilated nanoseconds in which it would have been busy by an observer's clock: until what it carried was really
        /// handed on, later than it was due where the host is.
        package var observed = 0.0
    }

    private struct Link: Sendable {
        let bytesPerNanosecond: Double
        let latency: Double
        /// What it loses; nil for a link that loses nothing.
        let loss: EmulatedNetwork.Loss?
        /// When it is done with all that has reached it.
        var free = 0.0
        /// When it will be done with each frame that has reached it, in ascending order; those before `served` are past.
        var ends: [Double] = []
        var served = 0
        /// Frames that have reached it.
        var count = 0
        /// When the last frame that an observer has seen was due to leave it, and by how much that one was late.
        var observedUntil = 0.0
        var shift = 0.0
        var load = Load()

        /// Notes a frame that it will be done with at `end`, and returns how many it has at `time`, that one included.
        mutating func queue(until end: Double, at time: Double) -> Int {
            while served < ends.count, ends[served] <= time { served += 1 }
            if served > 64, 2 * served > ends.count {
                ends.removeFirst(served)
                served = 0
            }
            ends.append(end)
            return ends.count - served
        }
    }

    /// When a link served a frame.
    private struct Passage: Sendable {
        let link: Int
        let start: Double
        let end: Double
    }

    private struct Flight: Sendable {
        let frame: Int
        let route: [Int]
        let bytes: Double
        let flow: Int?
        var hop = 0
        /// When its last byte has passed the links so far.
        var tail = 0.0
        /// How often it was lost.
        var losses = 0
        /// The links that it has passed since it was sent last.
        var passages: [Passage] = []
    }

    /// Frames of one flow that are on their way.
    private struct Flow: Sendable {
        /// In the order in which they were handed in.
        var order: [Int] = []
        var arrived: Set<Int> = []
    }

    /// Something that is to happen: a frame's first byte reaches a link, or its last one the receiver.
    private struct Event: Sendable {
        let time: Double
        let order: Int
        let flight: Flight
        var isDelivery: Bool { flight.hop == flight.route.count }
    }

    private var links: [Link]
    private var events = EventHeap<Event> { ($0.time, $0.order) < ($1.time, $1.order) }
    private var count = 0
    private let dilation: Double
    private let lossSeed: UInt64
    /// The flows whose order losses could change; empty where no link loses anything.
    private var flows: [Int: Flow] = [:]
    private let losesFrames: Bool
    /// Times are counted from the first frame's, so that they keep their precision.
    private var origin: UInt64?

    /// Idle links, slowed by `dilation`; with 0, links that take no time and lose nothing.
    ///
    /// - Parameter lossSeed: decides, with the link and the number of frames that have reached it, which are lost.
    package init(_ links: [EmulatedNetwork.Link], dilation: Double, lossSeed: UInt64 = 0) {
        self.links = links.map { link in
            dilation == 0
                ? Link(bytesPerNanosecond: .infinity, latency: 0, loss: nil)
                : Link(
                    bytesPerNanosecond: link.bytesPerSecond / dilation * 1e-9,
                    latency: link.latencySeconds * dilation * 1e9, loss: link.loss)
        }
        self.dilation = dilation
        self.lossSeed = lossSeed
        losesFrames = dilation > 0 && links.contains { $0.loss != nil }
    }

    /// Hands in frame number `frame` of `bytes` bytes of the emulated machine, at `instant`, which may be past.
    ///
    /// - Parameter flow: frames of equal flows are delivered in the order in which they are handed in.
    package mutating func send(
        _ frame: Int, bytes: Double, over route: [Int], flow: Int? = nil, at instant: MonotonicInstant
    ) {
        let time = time(of: instant)
        if losesFrames, let flow { flows[flow, default: Flow()].order.append(frame) }
        schedule(Flight(frame: frame, route: route, bytes: bytes, flow: flow, tail: time), at: time)
    }

    /// When something happens next; nil while nothing is on its way.
    package var next: MonotonicInstant? { events.first.map { instant(at: $0.time) } }

    /// Lets everything happen that is due by `now`, and returns the frames that have been delivered, in order.
    ///
    /// - Parameter observed: when the caller hands on what is delivered; `now` where nil.
    package mutating func advance(to now: MonotonicInstant, observed: MonotonicInstant? = nil) -> [Delivery] {
        let end = time(of: now)
        let seen = observed.map { time(of: $0) } ?? end
        var deliveries: [Delivery] = []
        while let event = events.first, event.time <= end {
            events.removeFirst()
            if event.isDelivery {
                observe(event.flight, late: max(0, seen - event.time))
                let due = instant(at: event.time)
                for frame in arrive(event.flight) { deliveries.append(Delivery(frame: frame, due: due)) }
            } else {
                reach(event.flight, at: event.time)
            }
        }
        return deliveries
    }

    /// The frames that the arrival of `flight` lets through to the receiver: none where an earlier one of its flow is missing.
    private mutating func arrive(_ flight: Flight) -> [Int] {
        guard losesFrames, let name = flight.flow, var flow = flows[name] else { return [flight.frame] }
        flow.arrived.insert(flight.frame)
        let through = flow.order.prefix { flow.arrived.contains($0) }
        for frame in through { flow.arrived.remove(frame) }
        flow.order.removeFirst(through.count)
        flows[name] = flow
        return Array(through)
    }

    /// Notes how long an observer saw the links of `flight` busy with it, which was handed on `late` nanoseconds after it was
    /// due. Frames that follow each other equally late cost that lateness once.
    private mutating func observe(_ flight: Flight, late: Double) {
        for passage in flight.passages {
            let gap = max(0, passage.start - links[passage.link].observedUntil)
            let shift = max(0, links[passage.link].shift - gap)
            let extra = max(0, late - shift)
            links[passage.link].shift = shift + extra
            links[passage.link].load.observed += passage.end - passage.start + extra
            links[passage.link].observedUntil = max(links[passage.link].observedUntil, passage.end)
        }
    }

    /// What each link has carried since `forgetLoads`, as far as time has advanced.
    package var loads: [Load] { links.map(\.load) }

    /// Begins to count anew.
    package mutating func forgetLoads() {
        for link in links.indices { links[link].load = Load() }
    }

    /// The frame's first byte reaches the next link of its route.
    private mutating func reach(_ flight: Flight, at time: Double) {
        var flight = flight
        let index = flight.route[flight.hop]
        // Parts by themselves: a copy of the whole link would make its next change copy its queue.
        let (latency, loss) = (links[index].latency, links[index].loss)
        let start = max(time, links[index].free)
        let service = flight.bytes / links[index].bytesPerNanosecond
        let end = start + service
        links[index].free = end
        links[index].count += 1
        let depth = links[index].queue(until: end, at: time)
        links[index].load.bytes += flight.bytes
        links[index].load.busy += service
        links[index].load.deepestQueue = max(links[index].load.deepestQueue, depth)
        flight.passages.append(Passage(link: index, start: start, end: end))
        if let loss, loss.takes(links[index].count, ofLink: index, seed: lossSeed) {
            links[index].load.lost += 1
            return sendAgain(flight, after: loss.timeout(afterLosses: flight.losses), passedAt: end)
        }
        // The last byte leaves when this link is done, or as soon as a slower link before has given it.
        flight.tail = max(flight.tail, end) + latency
        flight.hop += 1
        schedule(flight, at: flight.hop == flight.route.count ? flight.tail : start + latency)
    }

    /// The sender of `flight` hears nothing of it for `timeout` emulated seconds from `end` on, and sends it once more.
    private mutating func sendAgain(_ flight: Flight, after timeout: Double, passedAt end: Double) {
        var flight = flight
        observe(flight, late: 0)
        flight.losses += 1
        flight.hop = 0
        flight.passages = []
        flight.tail = end + timeout * dilation * 1e9
        schedule(flight, at: flight.tail)
    }

    private mutating func schedule(_ flight: Flight, at time: Double) {
        events.insert(Event(time: time, order: count, flight: flight))
        count += 1
    }

    private mutating func time(of instant: MonotonicInstant) -> Double {
        let origin = self.origin ?? instant.nanoseconds
        self.origin = origin
        return Double(Int64(bitPattern: instant.nanoseconds &- origin))
    }

    private func instant(at time: Double) -> MonotonicInstant {
        MonotonicInstant(nanoseconds: (origin ?? 0) &+ UInt64(bitPattern: Int64(time.rounded(.up))))
    }
}
