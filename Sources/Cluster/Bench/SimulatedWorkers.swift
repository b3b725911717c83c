import CZeroMQ
import Foundation
import Jobs
import Messaging
import Synchronization
import Wire

/// Workers that say hello and give signs of life, and do nothing else: many of them on one thread, each with a connection of
/// its own, in the very protocol of real ones.
package final class SimulatedWorkers: Sendable {
    /// What they have sent and heard.
    package struct Tally: Sendable {
        /// Signs of life sent, and answered.
        package var sent = 0
        package var answered = 0
        /// Milliseconds from each sign of life to its answer.
        package var milliseconds: [Double] = []
        /// Workers that were told to end, refused or declared lost.
        package var dismissed = 0
    }

    /// One worker's connection. Confined to the thread.
    private final class Line {
        let socket: Socket
        let rank: WorkerRank
        var line = SequencedLine()
        var due: MonotonicInstant
        var sent: MonotonicInstant?

        init(_ socket: consuming Socket, _ rank: WorkerRank, due: MonotonicInstant) {
            self.socket = socket
            self.rank = rank
            self.due = due
        }
    }

    private let tally = Mutex(Tally())
    private let isOver = Atomic(false)
    /// Between two signs of life of a worker.
    private let period = Mutex(SimulatedWorkers.usualPeriod)
    private let ended = DispatchSemaphore(value: 0)

    /// As often as a real worker's.
    private static let usualPeriod = HostSeconds(1)

    /// Starts the workers `ranks` of `run`.
    ///
    /// - Parameter hello: what each says first, but for its process, which is made up.
    package init(
        _ ranks: Range<Int>, of run: RunID, token: String, endpoint: Endpoint, hello: WorkerHello
    ) {
        let thread = Thread { [self] in
            defer { ended.signal() }
            try? live(ranks, run, token, endpoint, hello)
        }
        thread.name = "simulated workers"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// What they have sent and heard so far.
    package var current: Tally { tally.withLock { $0 } }

    /// Gives `count` signs of life of each worker, one every `period`, from then on as many as a real worker.
    package func hurry(_ count: Int, every period: HostSeconds) async throws {
        self.period.withLock { $0 = period }
        defer { self.period.withLock { $0 = Self.usualPeriod } }
        try await Task.sleep(for: .seconds(Double(count) * period.seconds))
    }

    /// Ends them. Returns when that is done.
    package func stop() {
        isOver.store(true, ordering: .relaxed)
        ended.wait()
        ended.signal()
    }

    private func live(
        _ ranks: Range<Int>, _ run: RunID, _ token: String, _ endpoint: Endpoint, _ hello: WorkerHello
    ) throws {
        let context = try Context()
        let start = MonotonicInstant.now()
        let lines = try ranks.map { rank in
            var options = Socket.Options.workerLine
            let rank = WorkerRank(rank)
            options.routingID = String(decoding: WorkerLine.name(of: rank, token: token), as: UTF8.self)
            let socket = try Socket(.dealer, in: context, options: options)
            try socket.connect(to: endpoint)
            let share = Double(rank.index - ranks.lowerBound) / Double(ranks.count)
            return Line(socket, rank, due: start.advanced(by: HostSeconds(share)))
        }
        for line in lines {
            var hello = hello
            hello.processID = Int32(1_000_000 + line.rank.index)
            let bytes = WorkerEnvelope(run: run, rank: line.rank, epoch: 0, message: .hello(hello)).encoded()
            _ = line.socket.send(line.line.send(bytes, now: .now()))
        }
        var items = lines.map { $0.socket.pollItem }
        while !isOver.load(ordering: .relaxed) {
            zmq_poll(&items, Int32(items.count), 5)
            let now = MonotonicInstant.now()
            for (line, item) in zip(lines, items) {
                if item.revents != 0 { try receive(line) }
                if now >= line.due { beat(line, run, now: now) }
            }
        }
    }

    private func beat(_ line: Line, _ run: RunID, now: MonotonicInstant) {
        line.due = line.due.advanced(by: period.withLock { $0 })
        line.sent = now
        for frames in line.line.repeats(now: now) { _ = line.socket.send(frames) }
        let beat = WorkerToCoordinator.heartbeat(Heartbeat(step: StepNumber(0), phase: .starting))
        let bytes = WorkerEnvelope(run: run, rank: line.rank, epoch: 0, message: beat).encoded()
        if line.socket.send(line.line.sendOnce(bytes)) { tally.withLock { $0.sent += 1 } }
    }

    private func receive(_ line: Line) throws {
        while let frames = try line.socket.receive() {
            guard frames.count == 2, let header = SequencedLine.Header(decoding: frames[0]), line.line.take(header),
                let (_, _, message) = try? CoordinatorToWorker.decode(frames[1])
            else { continue }
            switch message {
            case .alive:
                guard let sent = line.sent else { continue }
                line.sent = nil
                let milliseconds = MonotonicInstant.now().elapsed(since: sent).seconds * 1_000
                tally.withLock {
                    $0.answered += 1
                    $0.milliseconds.append(milliseconds)
                }
            case .stop, .refused, .fenced: tally.withLock { $0.dismissed += 1 }
            case .assignment, .commit, .verdict, .recorded, .halt, .save, .admitted: continue
            }
        }
    }
}
