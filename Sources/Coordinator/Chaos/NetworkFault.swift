/// What may happen to a connection between two processes.
package enum NetworkFault: Hashable, Sendable {
    /// Nothing comes through for a while; then all of it does.
    case delay(seconds: Double)
    /// What comes through from now on comes byte by byte.
    case slice
    /// Both ends see it closed; what was on its way is lost.
    case cut
    /// Nothing comes through any more, and neither end sees it closed, not even where the other end dies.
    case halfOpen
    /// The same in one direction alone: from who has connected, or to it.
    case oneWay(fromClient: Bool)
}

/// The connections of a run, by what they are for.
package enum NetworkLink: Hashable, Sendable, CaseIterable {
    /// Between workers and their coordinator.
    case control
    /// Among workers: gradients, weights, optimizer state.
    case peers
}
