import Foundation
import Jobs
import Synchronization

/// What the computing thread and the exchange's thread tell each other. Every hand-over of gradient memory between the two
/// passes through its mutex.
final class ExchangeState: Sendable {
    /// What the exchange's thread is to do.
    enum Order: Sendable {
        /// Belong to nobody.
        case idle
        /// Sum with these peers.
        case join(PeerExchange.Setup, PeerExchange.Memory)
        /// End.
        case close
    }

    /// All elements before one were made final at an instant.
    struct Contribution: Sendable {
        let end: Int
        let instant: MonotonicInstant
    }

    /// How far a step is.
    struct Progress: Sendable {
        /// The first bucket that is not summed.
        var openBucket = 0
        /// Sums that are awaited from each rank.
        var awaited: [Int] = []
        /// When the last sum that peers made of their own lanes arrived.
        var lastContribution: MonotonicInstant?
        /// Gradient bytes sent to peers, and what they would have been as f32.
        var sent = 0
        var uncompressed = 0
        /// The most by which a sum came after the moment in its header.
        var lateness = HostSeconds.zero
        /// When the last part of that sum was there on the machine that is emulated; nil where none is.
        var completed: MonotonicInstant?
        /// Whether the sum over all lanes is in the gradient.
        var isSummed = false
    }

    fileprivate struct Values {
        var order = Order.idle
        /// Counts the orders, and the last one that the exchange's thread has carried out.
        var orderNumber = 0
        var obeyed = 0
        /// The step that the computing thread is in, since when, and what it has made final, in ascending order.
        var step: StepNumber?
        var begun = MonotonicInstant(nanoseconds: 0)
        var contributions: [Contribution] = []
        var progress = Progress()
        /// Sums in gradient memory that libzmq or a peer may still read, by the place of the peer that they go to.
        var lent: [Int: Int] = [:]
        var refusals = Refusals()
        /// Whether the membership is over, so that nobody need wait for its sums.
        var isInterrupted = false
        var failure: String?
    }

    private let values = Mutex(Values())
    private let changed = MonotonicSemaphore(value: 0)

    // MARK: - The computing thread's side

    func give(_ order: Order) {
        values.withLock {
            $0.order = order
            $0.orderNumber += 1
            $0.step = nil
            $0.progress = Progress()
            $0.isInterrupted = false
        }
    }

    /// Ends waiting for sums until the next order. Any thread may call it.
    func interrupt() {
        values.withLock { $0.isInterrupted = true }
        changed.signal()
    }

    /// Whether the membership is over.
    var isInterrupted: Bool { values.withLock { $0.isInterrupted } }

    /// The workers whose sums are awaited in the step under way. Any thread may ask.
    var awaited: [WorkerRank] { values.withLock { $0.awaited } }

    func begin(_ step: StepNumber, at instant: MonotonicInstant) {
        values.withLock {
            $0.step = step
            $0.begun = instant
            $0.contributions = []
            $0.progress = Progress()
        }
    }

    func contribute(_ contribution: Contribution) { values.withLock { $0.contributions.append(contribution) } }

    /// Waits until the exchange's thread has obeyed the last order and nobody reads gradient memory any more.
    ///
    /// - Throws: `ExchangeError.ended` where that takes longer than `deadline`, or the thread has failed.
    func waitUntilIdle(deadline: HostSeconds) throws(ExchangeError) {
        // Memory comes back also after the thread has ended: it closes its sockets at its end.
        try wait(step: nil, deadline: deadline) { values in
            (values.obeyed == values.orderNumber || values.failure != nil) && values.lent.isEmpty
        }
        if let failure = values.withLock({ $0.failure }) { throw .ended(reason: failure) }
    }

    /// Waits until `step` is summed and nobody reads gradient memory any more.
    func waitUntilSummed(
        step: StepNumber, deadline: HostSeconds
    ) throws(ExchangeError) -> (progress: Progress, refusals: Refusals) {
        try wait(step: step, deadline: deadline) { $0.progress.isSummed && $0.lent.isEmpty }
        return values.withLock { ($0.progress, $0.refusals) }
    }

    private func wait(
        step: StepNumber?, deadline: HostSeconds, until isOver: (borrowing Values) -> Bool
    ) throws(ExchangeError) {
        let end = DispatchTime.now() + deadline.seconds
        while true {
            let (isDone, failure, isInterrupted) = values.withLock { (isOver($0), $0.failure, $0.isInterrupted) }
            if isDone { return }
            if let failure, step != nil { throw .ended(reason: failure) }
            if isInterrupted, step != nil { throw .interrupted }
            guard changed.wait(timeout: end) == .success else { throw values.withLock { $0.late(step, deadline) } }
        }
    }

    // MARK: - The exchange's thread's side

    /// The order in force and its number.
    var order: (order: Order, number: Int) { values.withLock { ($0.order, $0.orderNumber) } }

    func obey(_ number: Int) {
        values.withLock { $0.obeyed = number }
        changed.signal()
    }

    /// The step under way, when it began and what is final; nil before the first step.
    var contributed: (step: StepNumber, begun: MonotonicInstant, contributions: [Contribution])? {
        values.withLock { values in values.step.map { ($0, values.begun, values.contributions) } }
    }

    /// Notes how far `step` is; without effect where the computing thread is in another one by now.
    func note(_ step: StepNumber, _ progress: Progress) {
        let isNews = values.withLock { values in
            guard values.step == step else { return false }
            defer { values.progress = progress }
            return progress.isSummed && !values.progress.isSummed
        }
        if isNews { changed.signal() }
    }

    func noteRefusal(_ reason: String) { values.withLock { $0.refusals.add(reason) } }

    /// The places of the peers that have not taken all that was sent to them.
    var debtors: [Int] { values.withLock { Array($0.lent.keys) } }

    /// Notes a sum in gradient memory that is on its way to the peer at place `rank`.
    func lend(to rank: Int) { values.withLock { $0.lent[rank, default: 0] += 1 } }

    /// Called by libzmq's own thread once it has sent or dropped such a sum, or by the exchange's once the peer has read it.
    func takeBack(from rank: Int) {
        let isLast = values.withLock { values in
            let left = values.lent[rank, default: 1] - 1
            values.lent[rank] = left == 0 ? nil : left
            return values.lent.isEmpty
        }
        if isLast { changed.signal() }
    }

    func end(reason: String) {
        values.withLock { $0.failure = $0.failure ?? reason }
        changed.signal()
    }
}

extension ExchangeState.Values {
    /// Why the wait that has just ended took too long.
    fileprivate func late(_ step: StepNumber?, _ deadline: HostSeconds) -> ExchangeError {
        guard let step else {
            return .ended(
                reason: "frames to \(lent.count) workers were not given back within \(deadline.seconds) s")
        }
        if progress.isSummed {
            return .unsent(step: step, seconds: deadline.seconds, ranks: names(lent.keys.sorted()).map(\.index))
        }
        return .deadline(
            step: step, seconds: deadline.seconds, bucket: progress.openBucket, ranks: awaited.map(\.index),
            refusals: refusals)
    }

    /// The workers whose sums are awaited.
    fileprivate var awaited: [WorkerRank] { names(progress.awaited.indices.filter { progress.awaited[$0] > 0 }) }

    /// The workers at `places` among the peers.
    private func names(_ places: [Int]) -> [WorkerRank] {
        guard case .join(let setup, _) = order else { return [] }
        return places.filter(setup.peers.indices.contains).map { setup.peers[$0].rank }
    }
}

/// Frames that were not taken: their number, and why the last one was not.
public struct Refusals: Hashable, Sendable, CustomStringConvertible {
    /// How many.
    public private(set) var count = 0
    /// Why the last one was refused; empty where there is none.
    public private(set) var lastReason = ""

    mutating func add(_ reason: String) {
        count += 1
        lastReason = reason
    }

    public var description: String {
        count == 1 ? "a frame was refused: \(lastReason)" : "\(count) frames were refused, the last one: \(lastReason)"
    }
}
