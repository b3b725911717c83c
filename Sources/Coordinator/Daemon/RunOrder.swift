import Jobs

/// The order of the runs that wait, as a value: who is next is a function of who was added and of which runs have ended.
///
/// Next is, of the runs whose predecessors have all finished, the one of the highest priority; of several, the one that was
/// added first. A run that waits for others holds up nobody else.
package struct RunOrder: Sendable {
    /// A run that waits.
    package struct Entry: Hashable, Sendable {
        /// The run, its priority, and the runs that it still waits for.
        package var id: RunID
        package var priority: Int
        package var after: Set<RunID>

        /// A run that waits for `after`, which must not have ended yet.
        package init(id: RunID, priority: Int = 0, after: Set<RunID> = []) {
            self.id = id
            self.priority = priority
            self.after = after
        }
    }

    /// Those that wait, in the order in which they were added.
    package private(set) var waiting: [Entry] = []

    /// Nobody waits.
    package init() {}

    /// Adds a run behind all others of its priority.
    package mutating func append(_ entry: Entry) { waiting.append(entry) }

    /// Takes `id` out; whether it was there.
    package mutating func remove(_ id: RunID) -> Bool {
        guard let index = waiting.firstIndex(where: { $0.id == id }) else { return false }
        waiting.remove(at: index)
        return true
    }

    /// Takes out the next run that can begin; nil where there is none.
    package mutating func next() -> RunID? {
        let ready = waiting.indices.filter { waiting[$0].after.isEmpty }
        guard
            let index = ready.max(by: {
                waiting[$0].priority < waiting[$1].priority || (waiting[$0].priority == waiting[$1].priority && $0 > $1)
            })
        else { return nil }
        return waiting.remove(at: index).id
    }

    /// Takes in that `id` has ended. Where it has not finished, the runs that were to follow it never begin, nor those that
    /// were to follow them.
    ///
    /// - Returns: those that never begin, each with the run whose end is the reason; they wait no more.
    package mutating func ended(_ id: RunID, hasFinished: Bool) -> [(run: RunID, because: RunID)] {
        if hasFinished {
            for index in waiting.indices { waiting[index].after.remove(id) }
            return []
        }
        let hopeless = waiting.filter { $0.after.contains(id) }.map(\.id)
        waiting.removeAll { $0.after.contains(id) }
        return hopeless.flatMap { [(run: $0, because: id)] + ended($0, hasFinished: false) }
    }
}
