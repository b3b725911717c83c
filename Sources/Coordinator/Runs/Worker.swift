import Jobs
import Wire

/// A worker as the coordinator knows it.
struct Worker: Sendable {
    /// Whether it takes part.
    enum Standing: Hashable, Sendable {
        /// It has a number and has not said hello.
        case expected
        /// It has said hello and waits for the next membership.
        case candidate
        /// It belongs to the present membership.
        case member
        /// It was declared lost. What it says from now on has no effect, and it is told so.
        case lost(reason: String)
    }

    var standing = Standing.expected
    var hello: WorkerHello?
    /// The process that was launched under this number; nil for one that joined by itself.
    var processID: Int32?
    var hasExited = false
    /// When it gave its last sign of life, and when it last got on.
    var heard: MonotonicInstant
    var progressed: MonotonicInstant
    var step: StepNumber?
    var phase = WorkerPhase.starting
    /// The workers whose gradients it awaits.
    var awaiting: [WorkerRank] = []
    /// Steps that it has made, as it said when it last halted.
    var stepsMade = 0
    /// The weights that it ended with.
    var digest: String?

    init(now: MonotonicInstant) {
        heard = now
        progressed = now
    }

    /// Whether it does something itself, and does not wait for the others.
    var isAtWork: Bool {
        switch phase {
        case .starting, .loading, .forwardBackward, .applying, .evaluating, .checkpointing: true
        case .exchanging, .waiting, .finished, .halted: false
        }
    }

    /// Takes note of where it is.
    mutating func enter(_ step: StepNumber, _ phase: WorkerPhase, now: MonotonicInstant) {
        if step != self.step || phase != self.phase { progressed = now }
        self.step = step
        self.phase = phase
    }
}

/// The workers of a run by their numbers, which are never given twice.
struct WorkerTable: Sendable {
    private(set) var workers: [WorkerRank: Worker] = [:]

    subscript(rank: WorkerRank) -> Worker? {
        get { workers[rank] }
        set { workers[rank] = newValue }
    }

    /// A new number.
    mutating func add(now: MonotonicInstant) -> WorkerRank {
        let rank = WorkerRank((workers.keys.max()?.index ?? -1) + 1)
        workers[rank] = Worker(now: now)
        return rank
    }

    /// The numbers of all whose standing is `standing`, in order.
    func ranks(_ standing: Worker.Standing) -> [WorkerRank] {
        workers.filter { $0.value.standing == standing }.keys.sorted()
    }

    /// The members of the present membership, in the order of their lanes.
    var members: [WorkerRank] { ranks(.member) }

    /// All whose processes may still run.
    var alive: [WorkerRank] { workers.filter { !$0.value.hasExited }.keys.sorted() }

    /// The worker that process `processID` is now, where it isn't lost: one that joins anew has another number than the one
    /// it was launched under.
    func rank(ofProcess processID: Int32) -> WorkerRank? {
        workers.first { entry in
            if case .lost = entry.value.standing { return false }
            return entry.value.hello?.processID == processID
        }?.key
    }

    /// Changes every worker.
    mutating func forEach(_ change: (inout Worker) -> Void) {
        workers = workers.mapValues { worker in
            var worker = worker
            change(&worker)
            return worker
        }
    }
}
