import Synchronization

/// A flag that one thread sets and others look at.
final class CancellationFlag: Sendable {
    private let flag = Atomic(false)

    /// Whether it is set.
    var isSet: Bool { flag.load(ordering: .relaxed) }

    /// Sets it.
    func set() { flag.store(true, ordering: .relaxed) }
}
