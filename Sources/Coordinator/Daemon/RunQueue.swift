import Jobs

/// The runs that wait, in the order in which they were asked for, and the one that is under way.
///
/// One run at a time: host times would mean nothing if two runs shared the cores.
actor RunQueue {
    private var waiting: [RunID] = []
    private var underWay: (id: RunID, execution: RunExecution)?
    private var waker: CheckedContinuation<Void, Never>?
    private var isClosed = false

    /// Puts `id` at the end.
    func append(_ id: RunID) {
        waiting.append(id)
        wake()
    }

    /// The next run, as soon as there is one; nil once the queue is closed.
    func next() async -> RunID? {
        while !isClosed && waiting.isEmpty {
            await withCheckedContinuation { waker = $0 }
        }
        return isClosed ? nil : waiting.removeFirst()
    }

    /// Says that `id` is under way.
    func begin(_ id: RunID, _ execution: RunExecution) {
        underWay = (id, execution)
        if isClosed { execution.shutDown() }
    }

    /// Says that the run under way has ended.
    func end() { underWay = nil }

    /// What became of a request to cancel.
    enum Cancellation: Sendable {
        /// It had not begun and won't.
        case dequeued
        /// It is being ended.
        case signalled
        /// It neither waits nor runs here.
        case unknown
    }

    /// Takes `id` out of the queue, or ends it where it is under way.
    func cancel(_ id: RunID) -> Cancellation {
        if let index = waiting.firstIndex(of: id) {
            waiting.remove(at: index)
            return .dequeued
        }
        guard let underWay, underWay.id == id else { return .unknown }
        underWay.execution.cancel()
        return .signalled
    }

    /// Ends the run under way; `next` returns nil from now on. Runs that wait stay in the store as queued.
    func close() {
        isClosed = true
        underWay?.execution.shutDown()
        wake()
    }

    private func wake() {
        waker?.resume()
        waker = nil
    }
}
