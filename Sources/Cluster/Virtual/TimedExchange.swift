import CZeroMQ
import Foundation
import Jobs
import Messaging
import PerformanceModel
import Wire

/// The exchange of a worker whose device belongs to a larger emulated cluster, some of whose devices are virtual. The numbers are
/// summed among the workers as ever; beside that the fabric is told what the device has ready, and `finish` returns
/// no sooner than the fabric says that the exchange of all devices is over for this one.
final class TimedExchange: GradientExchange {
    private let inner: (any GradientExchange)?
    private let inbox: Socket
    private let outbox: Socket
    private let run: RunID
    private let epoch: Int
    private let rank: WorkerRank
    private let monitor: ExchangeMonitor
    private var step = StepNumber(0)

    /// How long a wait goes on without looking whether it is still wanted.
    private static let lookMilliseconds = 100

    /// The exchange `inner` (nil for a worker without peers) on the clock that is kept at the other end of `line`.
    ///
    /// - Throws: `MessagingError` where an endpoint can't be had.
    init(
        _ inner: (any GradientExchange)?, _ line: VirtualPlan.Line, run: RunID, epoch: Int, monitor: ExchangeMonitor,
        in context: Context
    ) throws(MessagingError) {
        self.inner = inner
        self.run = run
        self.epoch = epoch
        self.monitor = monitor
        rank = line.rank
        let inbox = try Socket(.pull, in: context)
        _ = try inbox.bind(to: try Endpoint(line.outlet))
        self.inbox = inbox
        let outbox = try Socket(.push, in: context)
        try outbox.connect(to: try Endpoint(line.inlet))
        self.outbox = outbox
    }

    func begin(_ step: StepNumber, at instant: MonotonicInstant) throws {
        self.step = step
        try inner?.begin(step, at: instant)
        try say(0..<0, at: instant)
    }

    func contribute(_ range: Range<Int>, at instant: MonotonicInstant) throws {
        try inner?.contribute(range, at: instant)
        guard !range.isEmpty else { return }
        try say(range, at: instant)
    }

    func finish(within deadline: HostSeconds) throws -> ExchangeResult {
        let start = MonotonicInstant.now()
        let summed = try inner?.finish(within: deadline)
        var result =
            summed ?? ExchangeResult(waiting: .zero, sent: Bytes(0), uncompressed: Bytes(0), refusals: Refusals())
        while true {
            guard let header = try hear(until: start.advanced(by: deadline)) else {
                throw ExchangeError.ended(
                    reason: "the fabric did not say within \(deadline.seconds) s that the emulated exchange of step "
                        + "\(step) is over")
            }
            guard header.run == run, header.epoch == epoch, header.step == step else { continue }
            if header.elements.isEmpty {
                result.waiting = max(.zero, header.instant.elapsed(since: start))
            } else {
                result.lateness = max(
                    result.lateness, max(.zero, MonotonicInstant.now().elapsed(since: header.instant)))
                result.completed = header.instant
                return result
            }
        }
    }

    private func say(_ elements: Range<Int>, at instant: MonotonicInstant) throws {
        let header = ExchangeHeader(
            run: run, epoch: epoch, step: step, bucket: 0, sender: rank, elements: elements, lanes: 0..<0,
            instant: instant)
        guard outbox.send([header.encoded()]) else {
            throw ExchangeError.ended(reason: "the fabric takes nothing any more")
        }
    }

    /// The next message of the fabric; nil where none has come before `end`.
    ///
    /// - Throws: `ExchangeError.interrupted`.
    private func hear(until end: MonotonicInstant) throws -> ExchangeHeader? {
        var items = [inbox.pollItem]
        while MonotonicInstant.now() < end {
            if monitor.isInterrupted { throw ExchangeError.interrupted }
            if let frames = try inbox.receive(), let first = frames.first {
                return try first.withUnsafeBytes { try ExchangeHeader(decoding: $0) }
            }
            zmq_poll(&items, 1, Self.lookMilliseconds)
        }
        return nil
    }
}
