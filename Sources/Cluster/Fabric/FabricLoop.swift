import CZeroMQ
import Jobs
import Messaging
import Wire

/// The fabric's thread: takes frames from senders, hands them to the queues, and passes each on when it is due. Frames are
/// not copied. Nothing is dropped: where a pair has its share of the memory in the fabric, its sender waits.
package final class FabricLoop {
    private final class Inlet {
        let socket: Socket
        let pair: FabricPlan.Pair
        let outlet: Int
        /// Bytes that the fabric holds of this pair.
        var held = 0

        init(_ socket: consuming Socket, _ pair: FabricPlan.Pair, outlet: Int) {
            self.socket = socket
            self.pair = pair
            self.outlet = outlet
        }
    }

    private final class Outlet {
        let socket: Socket
        /// What is due and that the receiver has not taken yet.
        var backlog: [Held] = []

        init(_ socket: consuming Socket) { self.socket = socket }
    }

    /// A frame on its way.
    private struct Held {
        var header: ExchangeHeader
        let payload: Frame
        let inlet: Int
    }

    private let plan: FabricPlan
    private let inlets: [Inlet]
    private let outlets: [Outlet]
    private let alarm: Alarm
    private var queues: FabricQueues
    private var held: [Int: Held] = [:]
    private var heldBytes = 0
    private var count = 0
    private var statistics = Statistics()

    private struct Statistics {
        var frames = 0
        var refused = 0
        var lateness = 0.0
        var mostLateness = 0.0
        var mostHeld = 0
    }

    /// A fabric as `plan` says, whose sockets are in `context`.
    ///
    /// - Throws: `MessagingError` where an endpoint can't be had.
    package init(_ plan: FabricPlan, in context: Context) throws(MessagingError) {
        self.plan = plan
        alarm = try Alarm()
        queues = FabricQueues(
            plan.network.links, dilation: plan.dilation, lossSeed: plan.network.seed)
        var outlets: [Outlet] = []
        for outlet in plan.outlets {
            var options = Socket.Options.gradients
            options.sendHighWaterMark = 64
            let socket = try Socket(.push, in: context, options: options)
            try socket.connect(to: try Endpoint(outlet.endpoint))
            outlets.append(Outlet(socket))
        }
        self.outlets = outlets
        var inlets: [Inlet] = []
        for pair in plan.pairs {
            let socket = try Socket(.pull, in: context, options: .gradients)
            _ = try socket.bind(to: try Endpoint(pair.inlet))
            guard let outlet = plan.outlets.firstIndex(where: { $0.rank == pair.receiver }) else { continue }
            inlets.append(Inlet(socket, pair, outlet: outlet))
        }
        self.inlets = inlets
    }

    /// Runs until `isOver` says so once `stop` has woken it.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    package func run(stop: WakeUp, isOver: () -> Bool) throws(MessagingError) {
        while !isOver() {
            waitForMoment()
            deliver()
            let open = inlets.indices.filter { inlets[$0].held < plan.window }
            let blocked = outlets.filter { !$0.backlog.isEmpty }
            alarm.set(atNanoseconds: queues.next?.advanced(by: HostSeconds.zero - Self.moment).nanoseconds)
            var items = [stop.pollItem, alarm.pollItem]
            items += open.map { inlets[$0].socket.pollItem }
            items += blocked.map { $0.socket.outputPollItem }
            guard zmq_poll(&items, Int32(items.count), -1) >= 0 || zmq_errno() == EINTR else {
                throw .call("zmq_poll", reason: String(cString: zmq_strerror(zmq_errno())))
            }
            // To ask all of the inlets, one for each pair, would take longer than most of what they bring.
            for (position, index) in open.enumerated() where items[2 + position].revents != 0 {
                try receive(from: index)
            }
            stop.clear()
        }
    }

    /// A sleeping thread is woken so late, at most times: what is due within it is waited for awake.
    private static let moment = HostSeconds(80e-6)

    /// Waits for what is due within a moment.
    private func waitForMoment() {
        guard let next = queues.next, next.elapsed(since: .now()) <= Self.moment else { return }
        while MonotonicInstant.now() < next {}
    }

    /// Takes what waits at an inlet, as long as there is room.
    private func receive(from index: Int) throws(MessagingError) {
        let inlet = inlets[index]
        while inlet.held < plan.window, let (first, payload) = try inlet.socket.receivePair() {
            guard let payload, let header = try? ExchangeHeader(decoding: UnsafeRawBufferPointer(first.bytes)),
                header.run == plan.run, header.epoch == plan.epoch, header.sender == inlet.pair.sender
            else {
                statistics.refused += 1
                continue
            }
            let bytes = payload.bytes.count
            queues.send(
                count, bytes: Double(bytes) * plan.byteScale, over: inlet.pair.route, flow: index,
                at: min(header.instant, .now()))
            held[count] = Held(header: header, payload: payload, inlet: index)
            count += 1
            inlet.held += bytes
            heldBytes += bytes
            statistics.mostHeld = max(statistics.mostHeld, heldBytes)
        }
    }

    /// Passes on what is due.
    private func deliver() {
        let now = MonotonicInstant.now()
        for delivery in queues.advance(to: now) {
            guard var frame = held.removeValue(forKey: delivery.frame) else { continue }
            frame.header.instant = plan.dilation == 0 ? now : delivery.due
            outlets[inlets[frame.inlet].outlet].backlog.append(frame)
            let lateness = max(0, now.elapsed(since: delivery.due).seconds)
            statistics.frames += 1
            statistics.lateness += lateness
            statistics.mostLateness = max(statistics.mostLateness, lateness)
        }
        for outlet in outlets where !outlet.backlog.isEmpty {
            var sent = 0
            while sent < outlet.backlog.count {
                let frame = outlet.backlog[sent]
                let bytes = frame.payload.bytes.count
                guard outlet.socket.send(header: frame.header.encoded(), payload: frame.payload) else { break }
                inlets[frame.inlet].held -= bytes
                heldBytes -= bytes
                sent += 1
            }
            outlet.backlog.removeFirst(sent)
        }
    }

    /// What has passed so far.
    package var report: FabricReport {
        FabricReport(
            links: FabricReport.links(plan, queues.loads),
            frames: statistics.frames, refused: statistics.refused,
            lateness: FabricReport.Lateness(
                mean: HostSeconds(statistics.lateness / Double(max(1, statistics.frames))),
                most: HostSeconds(statistics.mostLateness)),
            mostHeld: Bytes(statistics.mostHeld))
    }
}
