import Foundation
import Jobs

/// The bench's daemon, which is killed and started again.
struct ChaosDaemon {
    private let processes: ChaosProcesses
    private(set) var processID: Int32 = 0

    init(_ processes: ChaosProcesses) { self.processes = processes }

    /// What `body` gives beside a daemon, which it may start again, and tasks of its own. The daemon is ended after it, and
    /// killed where it throws.
    static func running<Value: Sendable>(
        _ processes: ChaosProcesses,
        _ body: (inout ChaosDaemon, inout ThrowingTaskGroup<Void, any Error>) async throws -> Value
    ) async throws -> Value {
        try FileManager.default.createDirectory(atPath: processes.state.path, withIntermediateDirectories: true)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            defer { group.cancelAll() }
            var daemon = ChaosDaemon(processes)
            try await daemon.start(in: &group)
            let value = try await body(&daemon, &group)
            await daemon.end()
            return value
        }
    }

    /// Starts it, and returns once it answers.
    private mutating func start(in group: inout ThrowingTaskGroup<Void, any Error>) async throws {
        let (started, post) = AsyncStream<Int32>.makeStream()
        group.addTask { [processes] in
            try await processes.serve {
                post.yield($0)
                post.finish()
            }
        }
        for await number in started { processID = number }
        let client = DaemonClient(state: processes.state, deadline: HostSeconds(2))
        for _ in 0..<200 {
            if (try? await client.ping()) == processID { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        throw DaemonError.noAnswer(state: processes.state.path, seconds: 10)
    }

    /// Ends it, in order or not, and starts another one; `between` comes when there is none.
    mutating func restart(
        kills: Bool, in group: inout ThrowingTaskGroup<Void, any Error>, between: () throws -> Void = {}
    ) async throws {
        kill(processID, SIGCONT)
        kill(processID, kills ? SIGKILL : SIGTERM)
        try await waitForEnd()
        try between()
        try await start(in: &group)
    }

    /// Stops it for a while.
    func suspend(seconds: Double, in group: inout ThrowingTaskGroup<Void, any Error>) -> Bool {
        let processID = processID
        guard kill(processID, SIGSTOP) == 0 else { return false }
        group.addTask {
            try? await Task.sleep(for: .seconds(seconds))
            kill(processID, SIGCONT)
        }
        return true
    }

    /// Ends it in order.
    func end() async {
        kill(processID, SIGCONT)
        kill(processID, SIGTERM)
        try? await waitForEnd()
    }

    private func waitForEnd() async throws {
        for _ in 0..<1_200 where DaemonLock.isHeld(in: processes.state) {
            try await Task.sleep(for: .milliseconds(50))
        }
        if DaemonLock.isHeld(in: processes.state) {
            throw DaemonError.noAnswer(state: processes.state.path, seconds: 60)
        }
    }
}
