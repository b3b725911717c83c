import Jobs

/// A fault of `bench chaos`, at a moment that a seed chose.
enum ChaosFault: Hashable, Sendable {
    /// A worker is killed, or asked to end by SIGTERM.
    case kill(choice: Int)
    case terminate(choice: Int)
    /// A worker is stopped and goes on after a while: shorter than the heartbeat's deadline it is merely delayed, longer it
    /// is declared lost, comes back and must be fenced.
    case suspend(choice: Int, seconds: Double)
    /// One more worker joins.
    case join
    /// The coordinator is killed, or ended in order; another one goes on with the run.
    case killCoordinator
    case endCoordinator
    /// The coordinator is stopped for a while.
    case suspendCoordinator(seconds: Double)
    /// A connection between two processes is disturbed.
    case network(NetworkFault, NetworkLink, choice: Int)

    /// The fault's name in the counts.
    var kind: String {
        switch self {
        case .kill: "worker_killed"
        case .terminate: "worker_terminated"
        case .suspend(_, let seconds): seconds < 1 ? "worker_delayed" : "worker_suspended"
        case .join: "worker_joined"
        case .killCoordinator: "coordinator_killed"
        case .endCoordinator: "coordinator_ended"
        case .suspendCoordinator: "coordinator_suspended"
        case .network(.delay, _, _): "network_delayed"
        case .network(.slice, _, _): "network_sliced"
        case .network(.cut, _, _): "network_cut"
        case .network(.halfOpen, _, _): "network_half_open"
        case .network(.oneWay, _, _): "network_one_way"
        }
    }

    /// The next fault that `random` chooses.
    static func next(_ random: inout CounterRandom) -> ChaosFault {
        let choice = random.nextIndex(below: 1 << 16)
        let share = Double(random.nextUnit())
        let link = NetworkLink.allCases[choice / 2 % NetworkLink.allCases.count]
        switch random.nextIndex(below: 28) {
        case 0..<6: return .kill(choice: choice)
        case 6..<7: return .terminate(choice: choice)
        case 7..<10: return .suspend(choice: choice, seconds: 0.05 + 0.8 * share)
        case 10..<12: return .suspend(choice: choice, seconds: 4 + 4 * share)
        case 12..<17: return .join
        case 17..<18: return .killCoordinator
        case 18..<19: return .endCoordinator
        case 19..<20: return .suspendCoordinator(seconds: 0.5 + 6 * share)
        case 20..<22: return .network(.delay(seconds: 0.1 + 2 * share), link, choice: choice)
        case 22..<25: return .network(.cut, link, choice: choice)
        case 25..<26: return .network(.slice, .control, choice: choice)
        case 26..<27: return .network(.halfOpen, link, choice: choice)
        default: return .network(.oneWay(fromClient: choice % 2 == 0), link, choice: choice)
        }
    }
}
