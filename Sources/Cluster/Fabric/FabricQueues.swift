import Jobs
import PerformanceModel

/// The links of an emulated network as queues in dilated time. A pure value: it is told when frames are handed in and how
/// late it is, and says when each would have been delivered.
///
/// A link serves frames one after the other, in the order in which their first bytes reach it. A frame flows: its first
/// bytes go on to the next link while its last ones still enter the one before, so that a path of idle links takes the
/// slowest link's time and the latencies. Frames of a pair keep their order, because they take the same links.
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
    }

    private struct Link: Sendable {
        let bytesPerNanosecond: Double
        let latency: Double
        /// When it is done with all that has reached it.
        var free = 0.0
        /// When it will be done with each frame that has reached it and that it has not yet served.
        var ends: [Double] = []
        var load = Load()
    }

    private struct Flight: Sendable {
        let frame: Int
        let route: [Int]
        let bytes: Double
        var hop = 0
        /// When its last byte has passed the links so far.
        var tail = 0.0
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
    /// Times are counted from the first frame's, so that they keep their precision.
    private var origin: UInt64?

    /// Idle links, slowed by `dilation`; with 0, links that take no time.
    package init(_ links: [EmulatedNetwork.Link], dilation: Double) {
        self.links = links.map { link in
            dilation == 0
                ? Link(bytesPerNanosecond: .infinity, latency: 0)
                : Link(
                    bytesPerNanosecond: link.bytesPerSecond / dilation * 1e-9,
                    latency: link.latencySeconds * dilation * 1e9)
        }
    }

    /// Hands in frame number `frame` of `bytes` bytes of the emulated machine, at `instant`, which may be past.
    package mutating func send(_ frame: Int, bytes: Double, over route: [Int], at instant: MonotonicInstant) {
        let time = time(of: instant)
        schedule(Flight(frame: frame, route: route, bytes: bytes, tail: time), at: time)
    }

    /// When something happens next; nil while nothing is on its way.
    package var next: MonotonicInstant? { events.first.map { instant(at: $0.time) } }

    /// Lets everything happen that is due by `now`, and returns the frames that have been delivered, in order.
    package mutating func advance(to now: MonotonicInstant) -> [Delivery] {
        let end = time(of: now)
        var deliveries: [Delivery] = []
        while let event = events.first, event.time <= end {
            events.removeFirst()
            if event.isDelivery {
                deliveries.append(Delivery(frame: event.flight.frame, due: instant(at: event.time)))
            } else {
                reach(event.flight, at: event.time)
            }
        }
        return deliveries
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
        let link = links[index]
        let start = max(time, link.free)
        let service = flight.bytes / link.bytesPerNanosecond
        links[index].free = start + service
        links[index].ends.removeAll { $0 <= time }
        links[index].ends.append(start + service)
        links[index].load.bytes += flight.bytes
        links[index].load.busy += service
        links[index].load.deepestQueue = max(link.load.deepestQueue, links[index].ends.count)
        // The last byte leaves when this link is done, or as soon as a slower link before has given it.
        flight.tail = max(flight.tail, start + service) + link.latency
        flight.hop += 1
        schedule(flight, at: flight.hop == flight.route.count ? flight.tail : start + link.latency)
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
