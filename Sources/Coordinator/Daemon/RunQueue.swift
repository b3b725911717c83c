import Jobs

/// The runs that wait, and those that are under way: as many as there are slots that ask for the next one.
actor RunQueue {
    private var order = RunOrder()
    private var underWay: [RunID: RunExecution] = [:]
    private var wakers: [CheckedContinuation<Void, Never>] = []
    private var isClosed = false

    /// Adds a run.
    func append(_ entry: RunOrder.Entry) {
        order.append(entry)
        wake()
    }

    /// Takes in that `id` has ended, and returns the runs that now never begin, each with the run that is the reason.
    func settle(_ id: RunID, hasFinished: Bool) -> [(run: RunID, because: RunID)] {
        defer { wake() }
        return order.ended(id, hasFinished: hasFinished)
    }

    /// The next run, as soon as there is one; nil once the queue is closed.
    func next() async -> RunID? {
        while !isClosed {
            if let id = order.next() { return id }
            await withCheckedContinuation { wakers.append($0) }
        }
        return nil
    }

    /// Says that `id` is under way.
    func begin(_ id: RunID, _ execution: RunExecution) {
        underWay[id] = execution
        if isClosed { execution.shutDown() }
    }

    /// Says that `id` has ended.
    func end(_ id: RunID) { underWay[id] = nil }

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
        if order.remove(id) { return .dequeued }
        guard let execution = underWay[id] else { return .unknown }
        execution.cancel()
        return .signalled
    }

    /// Ends the runs under way; `next` returns nil from now on. Runs that wait stay in the store as queued.
    func close() {
        isClosed = true
        for execution in underWay.values { execution.shutDown() }
        wake()
    }

    private func wake() {
        for waker in wakers { waker.resume() }
        wakers = []
    }
}
