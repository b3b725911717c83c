import Foundation
import Jobs
import Messaging
import Synchronization
import Wire

/// A worker's line to the coordinator: says what the worker does, and hands it what it is told.
final class CoordinatorLink: Sendable {
    private struct Inbox {
        var assignment: Assignment?
        var verdicts: [Verdict] = []
        var end: WorkerEnd?
    }

    private let run: RunID
    private let rank: WorkerRank
    private let loop: MessageLoop
    private let inbox: Shared<Inbox>
    private let arrived: DispatchSemaphore

    /// Connects to the coordinator at `endpoint`.
    ///
    /// - Throws: `MessagingError`.
    init(run: RunID, rank: WorkerRank, endpoint: Endpoint, in context: Context) throws {
        let inbox = Shared(Inbox())
        let arrived = DispatchSemaphore(value: 0)
        var options = Socket.Options()
        options.largestFrame = Int64(CoordinatorToWorker.byteLimit)
        options.routingID = "worker-\(rank)"
        let setup = MessageLoop.Setup(.dealer, options: options, connect: [endpoint])
        loop = try MessageLoop("coordinator", setup, in: context) { frames in
            guard let frame = frames.last else { return }
            inbox.values.withLock { inbox in
                do throws(WireError) {
                    let (sender, message) = try CoordinatorToWorker.decode(frame)
                    guard sender == run else { return }
                    switch message {
                    case .assignment(let assignment): inbox.assignment = assignment
                    case .verdict(let verdict): inbox.verdicts.append(verdict)
                    case .stop(let reason): inbox.end = inbox.end ?? .stopped(reason)
                    case .refused(let reason): inbox.end = inbox.end ?? .refused(reason)
                    }
                } catch {
                    inbox.end = inbox.end ?? .refused(error.description)
                }
            }
            arrived.signal()
        }
        self.run = run
        self.rank = rank
        self.inbox = inbox
        self.arrived = arrived
    }

    /// Says `message` to the coordinator.
    func send(_ message: WorkerToCoordinator) {
        loop.send([WorkerEnvelope(run: run, rank: rank, message: message).encoded()])
    }

    /// Waits for the assignment.
    ///
    /// - Throws: `WorkerEnd`.
    func assignment(within deadline: HostSeconds) throws(WorkerEnd) -> Assignment {
        try wait("an assignment", within: deadline) { $0.assignment }
    }

    /// Waits for the verdict on the evaluation after `stepsMade` steps.
    ///
    /// - Throws: `WorkerEnd`.
    func verdict(after stepsMade: Int, within deadline: HostSeconds) throws(WorkerEnd) -> Verdict {
        try wait("the verdict after step \(stepsMade)", within: deadline) { inbox in
            inbox.verdicts.first { $0.stepsMade == stepsMade }
        }
    }

    /// Throws where the coordinator has asked this worker to end.
    func checkForEnd() throws(WorkerEnd) {
        if let end = inbox.values.withLock({ $0.end }) { throw end }
    }

    /// Waits until the coordinator says that all is done.
    func waitForEnd(within deadline: HostSeconds) {
        _ = try? wait("the end", within: deadline) { _ in Optional<Never>.none }
    }

    /// Sends what waits and closes the line.
    func close() { loop.close() }

    private func wait<Value>(
        _ what: String, within deadline: HostSeconds, _ find: (inout Inbox) -> Value?
    ) throws(WorkerEnd) -> Value {
        let end = DispatchTime.now() + deadline.seconds
        while true {
            let (value, stop) = inbox.values.withLock { inbox in (find(&inbox), inbox.end) }
            if let value { return value }
            if let stop { throw stop }
            guard arrived.wait(timeout: end) == .success else {
                throw .silence(what: what, seconds: deadline.seconds)
            }
        }
    }
}

/// Values that several threads use, one at a time.
final class Shared<Values: Sendable>: Sendable {
    /// The values.
    let values: Mutex<Values>
    init(_ values: sending Values) { self.values = Mutex(values) }
}

/// Why a worker ends before its run is complete.
enum WorkerEnd: Error, Hashable, Sendable, CustomStringConvertible {
    /// The coordinator asked it to.
    case stopped(String)
    /// The coordinator won't have it.
    case refused(String)
    /// The coordinator said nothing in time.
    case silence(what: String, seconds: Double)

    var description: String {
        switch self {
        case .stopped(let reason): "the coordinator asked to stop: \(reason)"
        case .refused(let reason): "the coordinator refused this worker: \(reason)"
        case .silence(let what, let seconds): "the coordinator did not send \(what) within \(Int(seconds)) s"
        }
    }
}
