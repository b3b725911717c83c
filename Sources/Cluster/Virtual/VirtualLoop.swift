import CZeroMQ
import Jobs
import Messaging
import PerformanceModel
import Wire

/// The fabric's thread where some devices are virtual: hears from workers what their devices have ready, and tells each when
/// its device's exchange would be over. No numbers pass: a message on a line is a header alone.
package final class VirtualLoop {
    private final class Line {
        let inlet: Socket
        let outlet: Socket
        let plan: VirtualPlan.Line

        init(_ plan: VirtualPlan.Line, inlet: consuming Socket, outlet: consuming Socket) {
            self.inlet = inlet
            self.outlet = outlet
            self.plan = plan
        }
    }

    private let run: RunID
    private let epoch: Int
    private let fabric: FabricPlan
    private let elements: Int
    private let lines: [Line]
    private let places: [Int: Int]
    private let alarm: Alarm
    private var exchange: VirtualExchange
    private var refused = 0
    private var told = 0
    private var lateness = 0.0
    private var mostLateness = 0.0

    /// A fabric as `plan` says, whose devices are those of `virtual`.
    ///
    /// - Throws: `MessagingError` where an endpoint can't be had.
    package init(_ plan: FabricPlan, _ virtual: VirtualPlan, in context: Context) throws(MessagingError) {
        run = plan.run
        epoch = plan.epoch
        fabric = plan
        elements = virtual.exchange.elements
        alarm = try Alarm()
        exchange = VirtualExchange(virtual, network: plan.network, dilation: plan.dilation)
        var lines: [Line] = []
        for line in virtual.lines {
            let inlet = try Socket(.pull, in: context)
            _ = try inlet.bind(to: try Endpoint(line.inlet))
            let outlet = try Socket(.push, in: context)
            try outlet.connect(to: try Endpoint(line.outlet))
            lines.append(Line(line, inlet: inlet, outlet: outlet))
        }
        self.lines = lines
        places = Dictionary(uniqueKeysWithValues: virtual.lines.enumerated().map { ($1.device, $0) })
    }

    /// Runs until `isOver` says so once `stop` has woken it.
    ///
    /// - Throws: `MessagingError` where libzmq fails, or a worker takes nothing.
    package func run(stop: WakeUp, isOver: () -> Bool) throws(MessagingError) {
        var items = [stop.pollItem, alarm.pollItem] + lines.map { $0.inlet.pollItem }
        while !isOver() {
            for line in lines { try hear(line) }
            for news in exchange.advance(to: .now()) { try tell(news) }
            alarm.set(atNanoseconds: exchange.next?.nanoseconds)
            guard zmq_poll(&items, Int32(items.count), -1) >= 0 || zmq_errno() == EINTR else {
                throw .call("zmq_poll", reason: String(cString: zmq_strerror(zmq_errno())))
            }
            stop.clear()
        }
    }

    /// Takes what a worker says: an empty range of elements begins a step, any other is what its device has ready.
    private func hear(_ line: Line) throws(MessagingError) {
        while let frames = try line.inlet.receive() {
            guard frames.count == 1, let header = Self.header(frames[0]), header.run == run, header.epoch == epoch,
                header.sender == line.plan.rank
            else {
                refused += 1
                continue
            }
            let instant = min(header.instant, .now())
            if header.elements.isEmpty {
                exchange.begin(header.step, device: line.plan.device, at: instant)
            } else {
                // A trainer's gradient has some elements between its tensors that belong to none.
                exchange.compute(
                    header.step, device: line.plan.device, upTo: min(header.elements.upperBound, elements), at: instant)
            }
        }
    }

    private static func header(_ frame: [UInt8]) -> ExchangeHeader? {
        frame.withUnsafeBytes { try? ExchangeHeader(decoding: $0) }
    }

    private func tell(_ news: VirtualExchange.News) throws(MessagingError) {
        guard let place = places[news.device] else { return }
        let line = lines[place]
        let late = max(0, MonotonicInstant.now().elapsed(since: news.instant).seconds)
        told += 1
        lateness += late
        mostLateness = max(mostLateness, late)
        let header = ExchangeHeader(
            run: run, epoch: epoch, step: news.step, bucket: 0, sender: line.plan.rank,
            elements: news.kind == .summed ? 0..<elements : 0..<0, lanes: 0..<0, instant: news.instant)
        guard line.outlet.send([header.encoded()]) else {
            throw .call("zmq_send", reason: "worker \(line.plan.rank) takes nothing any more")
        }
    }

    /// What has passed so far. Frames are those among all devices; lateness is that of what workers were told.
    package var report: FabricReport {
        FabricReport(
            links: FabricReport.links(fabric, exchange.loads), frames: exchange.arrivals, refused: refused,
            lateness: FabricReport.Lateness(
                mean: HostSeconds(lateness / Double(max(1, told))), most: HostSeconds(mostLateness)),
            mostHeld: Bytes(0))
    }
}
