import Jobs
import Synchronization
import Wire

/// Starts nobody: keeps the places of a run's workers until workers of other hosts, which a site's scheduler has started, ask
/// for them.
///
/// What becomes of such a worker is seen by its signs of life alone, so that `run` returns only when the run ends.
public final class VacancyLauncher: WorkerLauncher {
    private struct Vacancy {
        var number: UInt64
        var order: WorkOrder
    }

    private struct State {
        var last: UInt64 = 0
        var vacancies: [Vacancy] = []
        /// The run under way, as its latest command tells it, and how many of its commands have not ended.
        var latest: WorkOrder?
        var commands = 0
    }

    private let state = Mutex(State())

    /// A launcher without vacancies.
    public init() {}

    public func run(_ worker: WorkerCommand, started: @escaping @Sendable (Int32) -> Void) async throws -> WorkerExit {
        guard let run = worker.run, let rank = worker.rank, let port = worker.port else {
            throw LauncherError.spawn(
                executable: worker.executable,
                reason: "workers of other hosts are not taken; see serve --workers-listen")
        }
        let order = WorkOrder(
            run: run, token: worker.environment[WorkerEnvironment.token] ?? "", rank: rank,
            transport: worker.transport, port: port)
        let number = state.withLock { state in
            state.last += 1
            state.vacancies.append(Vacancy(number: state.last, order: order))
            state.latest = order
            state.commands += 1
            return state.last
        }
        defer {
            state.withLock { state in
                state.vacancies.removeAll { $0.number == number }
                state.commands -= 1
                if state.commands == 0 { state.latest = nil }
            }
        }
        let (ends, _) = AsyncStream<Never>.makeStream()
        for await _ in ends {}
        throw CancellationError()
    }

    /// The newest place that nobody has taken yet; where all are taken, the run under way, at which a worker can ask for a
    /// number; nil where there is none.
    public func takePlace() -> WorkOrder? {
        state.withLock { state in
            if let vacancy = state.vacancies.popLast() { return vacancy.order }
            guard var order = state.latest else { return nil }
            order.rank = nil
            return order
        }
    }
}
