import Foundation
import Jobs
import Messaging
import Synchronization
import Wire

/// A worker's line to the coordinator: says what the worker does, and hands it what it is told.
///
/// What the coordinator says of a membership that is not the worker's own is not heard: the epoch on every message tells.
final class CoordinatorLink: Sendable {
    fileprivate struct Inbox {
        /// The membership that the worker belongs to.
        var epoch = 0
        var assignment: Assignment?
        /// The membership to come, where a halt has asked for one.
        var next = 0
        /// The newest step that may be applied, and the one after which the membership ends.
        var committed: StepNumber?
        var last: StepNumber?
        var verdicts: [Verdict] = []
        var recordedSteps = 0
        var isSaveAsked = false
        var admission: Admission?
        var end: WorkerEnd?
        var heard = MonotonicInstant.now()
    }

    /// What a worker that has asked to join is told.
    struct Admission: Sendable {
        var rank: WorkerRank
        var transport: Transport
    }

    private let run: RunID
    private let rank: WorkerRank
    private let loop: MessageLoop
    private let line: Shared<SequencedLine>
    private let inbox: Shared<Inbox>
    private let arrived: MonotonicSemaphore
    private let interrupt: @Sendable () -> Void

    /// Connects to the coordinator at `endpoint`.
    ///
    /// - Parameters:
    ///   - rank: the worker's number; nil for one that has to ask for one.
    ///   - token: the run's secret.
    ///   - client: the keys of both ends; nil where the coordinator is on this host.
    ///   - interrupt: called on the link's own thread where whatever the worker waits for will not come.
    /// - Throws: `MessagingError`.
    init(
        run: RunID, rank: WorkerRank?, token: String, endpoint: Endpoint, with client: CurveClient? = nil,
        in context: Context, interrupt: @escaping @Sendable () -> Void
    ) throws {
        let inbox = Shared(Inbox())
        let line = Shared(SequencedLine())
        let arrived = MonotonicSemaphore(value: 0)
        var options = Socket.Options.workerLine
        options.largestFrame = Int64(CoordinatorToWorker.byteLimit)
        options.routingID =
            rank.map { String(decoding: WorkerLine.name(of: $0, token: token), as: UTF8.self) }
            ?? "join-\(UUID().uuidString)"
        var setup = MessageLoop.Setup(.dealer, options: options, connect: [endpoint])
        setup.client = client
        setup.failed = { failure in
            guard failure.isKeyRefused else { return }
            inbox.values.withLock { $0.end = $0.end ?? .refused("the coordinator refuses this worker's key") }
            interrupt()
            arrived.signal()
        }
        loop = try MessageLoop("coordinator", setup, in: context) { frames in
            guard frames.count == 2, let header = SequencedLine.Header(decoding: frames[0]) else { return }
            let isNews = line.values.withLock { $0.take(header) }
            let frame = frames[1]
            let isInterruption = inbox.values.withLock { inbox in
                inbox.heard = .now()
                guard isNews else { return false }
                do throws(WireError) {
                    let (sender, epoch, message) = try CoordinatorToWorker.decode(frame)
                    return sender == run && inbox.take(message, epoch: epoch)
                } catch {
                    inbox.end = inbox.end ?? .refused(error.description)
                    return true
                }
            }
            if isInterruption { interrupt() }
            arrived.signal()
        }
        self.run = run
        self.rank = rank ?? WorkerRank(0)
        self.line = line
        self.inbox = inbox
        self.arrived = arrived
        self.interrupt = interrupt
    }

    /// Says `message` to the coordinator, as a member of `epoch`, or of the present membership.
    func send(_ message: WorkerToCoordinator, epoch: Int? = nil) {
        let epoch = epoch ?? inbox.values.withLock { $0.epoch }
        let bytes = WorkerEnvelope(run: run, rank: rank, epoch: epoch, message: message).encoded()
        // Posted under the lock, so that numbers leave in their order.
        line.values.withLock { line in
            switch message {
            case .heartbeat:
                for frames in line.repeats(now: .now()) { loop.send(frames) }
                loop.send(line.sendOnce(bytes))
            case .joinRequest: loop.send(line.sendOnce(bytes))
            case .hello, .laneResults, .stepReport, .halted, .notice, .disturbed, .evaluationReport, .checkpointReport,
                .failure,
                .finished:
                loop.send(line.send(bytes, now: .now()))
            }
        }
    }

    /// Asks for a number.
    ///
    /// - Throws: `WorkerEnd`.
    func admission(token: String, within deadline: HostSeconds) throws -> Admission {
        send(.joinRequest(token: token))
        return try wait("a number", within: deadline) { $0.admission }
    }

    /// Waits for the assignment to membership `epoch` or a later one; the worker belongs to it from now on. Meanwhile calls
    /// `save` where the coordinator asks for a checkpoint.
    ///
    /// - Throws: `WorkerEnd`; what `save` throws.
    func assignment(from epoch: Int, within deadline: HostSeconds, save: () throws -> Void) throws -> Assignment {
        while true {
            // A halt during the wait is one that this worker has answered, or that comes with another assignment.
            let news = try wait("an assignment", within: deadline, isHaltable: false) { inbox -> News? in
                if inbox.isSaveAsked {
                    inbox.isSaveAsked = false
                    return .save
                }
                guard let assignment = inbox.assignment, assignment.epoch >= epoch else { return nil }
                inbox.begin(assignment)
                return .assignment(assignment)
            }
            switch news {
            case .assignment(let assignment): return assignment
            case .save: try save()
            }
        }
    }

    private enum News {
        case assignment(Assignment)
        case save
    }

    /// Waits until the present membership is over, and returns the number of the next.
    ///
    /// - Throws: `WorkerEnd`.
    func nextMembership(within deadline: HostSeconds) throws -> Int {
        try wait("the end of the membership", within: deadline, isHaltable: false) { $0.over?.next }
    }

    /// Waits until `step` may be applied.
    ///
    /// - Throws: `WorkerEnd`, `MembershipOver`.
    func commit(of step: StepNumber, within deadline: HostSeconds) throws {
        try wait("the word that step \(step) may be applied", within: deadline) { inbox in
            inbox.committed.flatMap { $0 >= step ? () : nil }
        }
    }

    /// Waits for the verdict on the evaluation after `stepsMade` steps.
    ///
    /// - Throws: `WorkerEnd`, `MembershipOver`.
    func verdict(after stepsMade: Int, within deadline: HostSeconds) throws -> Verdict {
        try wait("the verdict after step \(stepsMade)", within: deadline) { inbox in
            inbox.verdicts.first { $0.stepsMade == stepsMade }
        }
    }

    /// Waits until all before a checkpoint after `stepsMade` steps is on record.
    ///
    /// - Throws: `WorkerEnd`, `MembershipOver`.
    func recorded(_ stepsMade: Int, within deadline: HostSeconds) throws {
        try wait("the word that step \(stepsMade) is on record", within: deadline) { inbox in
            inbox.recordedSteps >= stepsMade ? () : nil
        }
    }

    /// Throws where the coordinator has asked this worker to end or to halt, or to halt after the steps that it has made.
    func check(stepsMade: Int) throws {
        let (end, over) = inbox.values.withLock { inbox in
            if let last = inbox.last, stepsMade > last.index { inbox.next = max(inbox.next, inbox.epoch + 1) }
            return (inbox.end, inbox.over)
        }
        if let end { throw end }
        if let over { throw over }
    }

    /// Waits until the coordinator says that all is done.
    ///
    /// - Throws: `MembershipOver` where something is left to do after all.
    func waitForEnd(within deadline: HostSeconds) throws {
        do {
            try wait("the end", within: deadline) { _ in Void?.none }
        } catch is WorkerEnd {
            return
        }
    }

    /// Ends the worker's waiting where the coordinator has been silent for more than `deadline`.
    func endIfSilent(longerThan deadline: HostSeconds) {
        let isSilent = inbox.values.withLock { inbox in
            guard inbox.end == nil, MonotonicInstant.now().elapsed(since: inbox.heard) > deadline else { return false }
            inbox.end = .silence(what: "a sign of life", seconds: deadline.seconds)
            return true
        }
        guard isSilent else { return }
        interrupt()
        arrived.signal()
    }

    /// Counts the coordinator's silence from now on.
    func forgiveSilence() { inbox.values.withLock { $0.heard = .now() } }

    /// Sends what waits and closes the line.
    func close() { loop.close() }

    private func wait<Value>(
        _ what: String, within deadline: HostSeconds, isHaltable: Bool = true, _ find: (inout Inbox) -> Value?
    ) throws -> Value {
        let end = DispatchTime.now() + deadline.seconds
        while true {
            let (value, stop, over) = inbox.values.withLock { inbox in (find(&inbox), inbox.end, inbox.over) }
            if let value { return value }
            if let stop { throw stop }
            if isHaltable, let over { throw over }
            guard arrived.wait(timeout: end) == .success else {
                throw WorkerEnd.silence(what: what, seconds: deadline.seconds)
            }
        }
    }
}

extension CoordinatorLink.Inbox {
    /// Why the membership is over; nil where it isn't.
    fileprivate var over: MembershipOver? { next > epoch ? MembershipOver(next: next) : nil }

    /// The worker belongs to the membership of `assignment` from now on.
    fileprivate mutating func begin(_ assignment: Assignment) {
        epoch = assignment.epoch
        self.assignment = nil
        committed = nil
        last = nil
        verdicts = []
        recordedSteps = assignment.firstStep.index
        isSaveAsked = false
    }

    /// Takes in what the coordinator said; true where that ends whatever the worker waits for.
    fileprivate mutating func take(_ message: CoordinatorToWorker, epoch: Int) -> Bool {
        switch message {
        case .assignment(let assignment): self.assignment = assignment
        case .halt:
            next = max(next, epoch)
            return true
        case .commit(let step, let halts) where epoch == self.epoch:
            committed = step
            if halts { last = step }
        case .verdict(let verdict) where epoch == self.epoch: verdicts.append(verdict)
        case .recorded(let stepsMade) where epoch == self.epoch: recordedSteps = max(recordedSteps, stepsMade)
        case .commit, .verdict, .recorded: break
        case .save: isSaveAsked = true
        case .admitted(let rank, let transport):
            admission = CoordinatorLink.Admission(rank: rank, transport: transport)
        case .alive: break
        case .stop(let reason): return finish(.stopped(reason))
        case .refused(let reason): return finish(.refused(reason))
        case .fenced(let reason): return finish(.fenced(reason))
        }
        return false
    }

    private mutating func finish(_ end: WorkerEnd) -> Bool {
        self.end = self.end ?? end
        return true
    }
}

/// Values that several threads use, one at a time.
final class Shared<Values: Sendable>: Sendable {
    /// The values.
    let values: Mutex<Values>
    init(_ values: sending Values) { self.values = Mutex(values) }
}
