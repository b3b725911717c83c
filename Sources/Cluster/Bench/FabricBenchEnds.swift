import CZeroMQ
import Foundation
import Jobs
import Messaging
import Synchronization
import Wire

/// Where the messages of a bench enter and leave, which is the same place where nothing lies in between.
struct FabricBenchPath: Sendable {
    let run: RunID
    let inlet: String
    let outlet: String
}

/// A sender and a receiver of gradient frames: the receiver listens, the sender sends on a thread of its own.
final class FabricBenchEnds: Sendable {
    private final class Sender {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    private let path: FabricBenchPath
    private let context: Context
    // One thread at a time uses it: the constructor's, then the one that measures.
    private nonisolated(unsafe) let receiver: Socket

    /// Counts the measurements: a frame's bucket says of which it is, so that one that comes late belongs to none after it.
    private let series = Mutex(0)

    /// Frames that are on their way at most: enough to keep everybody busy.
    private static let window = 32
    /// How long nothing may arrive.
    private static let patience = HostSeconds(10)
    /// The number of a frame that is not measured: all that were sent before it have arrived when it has.
    private static let mark = Int(Int32.max)

    /// The two ends of `path`.
    ///
    /// - Throws: `MessagingError` where the receiver can't listen.
    init(_ path: FabricBenchPath, in context: Context) throws(MessagingError) {
        self.path = path
        self.context = context
        let socket = try Socket(.pull, in: context, options: .gradients)
        _ = try socket.bind(to: try Endpoint(path.outlet))
        receiver = socket
    }

    /// Returns once a message has passed.
    func waitUntilConnected() throws { _ = try latencies(of: Bytes(64), rate: 100, for: HostSeconds(0.2)) }

    /// Payload bytes that arrive in a second of host time while frames of `size` are sent as fast as they leave.
    func throughput(of size: Bytes, for duration: HostSeconds) throws -> Double {
        let series = nextSeries()
        let end = Mutex(false)
        let room = MonotonicSemaphore(value: Self.window)
        var bytes = 0
        var first: MonotonicInstant?
        var last = MonotonicInstant.now()
        try sending { sender, memory in
            var number = 0
            while !end.withLock({ $0 }) {
                guard room.wait(timeout: .now() + 0.1) == .success else { continue }
                try self.send(number, of: series, UnsafeRawBufferPointer(rebasing: memory[0..<size.count]), by: sender)
                {
                    room.signal()
                }
                number += 1
            }
            try self.send(Self.mark, of: series, UnsafeRawBufferPointer(rebasing: memory[0..<64]), by: sender) {}
        } receiving: {
            defer { end.withLock { $0 = true } }
            while true {
                let (header, payload) = try receive()
                guard header.bucket == series else { continue }
                if header.step.index == Self.mark { return }
                if end.withLock({ $0 }) { continue }
                last = .now()
                if let first {
                    bytes += payload
                    if last.elapsed(since: first) > duration { end.withLock { $0 = true } }
                } else {
                    first = last
                }
            }
        }
        let seconds = first.map { last.elapsed(since: $0).seconds } ?? 0
        return seconds > 0 ? Double(bytes) / seconds : 0
    }

    /// Host microseconds from sending to arrival of frames of `size`, `rate` of them a second, once the first has arrived.
    func latencies(of size: Bytes, rate: Double, for duration: HostSeconds) throws -> Quantiles {
        let series = nextSeries()
        let count = max(10, Int(rate * duration.seconds))
        let sent = Mutex([MonotonicInstant](repeating: MonotonicInstant(nanoseconds: 0), count: count))
        let isConnected = MonotonicSemaphore(value: 0)
        var latencies: [Double] = []
        try sending { sender, memory in
            try self.send(Self.mark, of: series, UnsafeRawBufferPointer(rebasing: memory[0..<size.count]), by: sender) {
            }
            // Where nothing arrives, the receiver says so.
            guard isConnected.wait(timeout: .now() + Self.patience.seconds) == .success else { return }
            let start = MonotonicInstant.now()
            for number in 0..<count {
                let due = start.advanced(by: HostSeconds(Double(number) / rate))
                _ = Hold.until(due) { true }
                sent.withLock { $0[number] = .now() }
                try self.send(number, of: series, UnsafeRawBufferPointer(rebasing: memory[0..<size.count]), by: sender)
                {}
            }
        } receiving: {
            while latencies.count < count {
                let (header, _) = try receive()
                let now = MonotonicInstant.now()
                guard header.bucket == series else { continue }
                guard header.step.index != Self.mark else {
                    isConnected.signal()
                    continue
                }
                latencies.append(now.elapsed(since: sent.withLock { $0[header.step.index] }).seconds * 1e6)
            }
        }
        return Quantiles(latencies)
    }

    /// Runs `send` on a thread of its own, with a connection and memory to send from, beside `receiving`.
    private func sending(
        _ send: @escaping @Sendable (borrowing Socket, UnsafeRawBufferPointer) throws -> Void,
        receiving: () throws -> Void
    ) throws {
        let failure = Mutex<(any Error)?>(nil)
        let ended = DispatchSemaphore(value: 0)
        let (path, context) = (path, context)
        let thread = Thread {
            do {
                var options = Socket.Options.gradients
                // What was measured is to arrive, so that nothing of it meets the next measurement.
                options.lingerMilliseconds = 5_000
                let sender = Sender(try Socket(.push, in: context, options: options))
                try sender.socket.connect(to: try Endpoint(path.inlet))
                try send(sender.socket, Self.memory.bytes)
            } catch {
                failure.withLock { $0 = error }
            }
            ended.signal()
        }
        thread.name = "sender"
        thread.start()
        defer {
            ended.wait()
            ended.signal()
        }
        try receiving()
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    private func nextSeries() -> Int {
        series.withLock {
            $0 += 1
            return $0
        }
    }

    private func send(
        _ number: Int, of series: Int, _ bytes: UnsafeRawBufferPointer, by sender: borrowing Socket,
        release: @escaping @Sendable () -> Void
    ) throws {
        let frame = try Frame(borrowing: bytes, release: release)
        let header = ExchangeHeader(
            run: path.run, epoch: 0, step: StepNumber(number), bucket: series, sender: WorkerRank(0),
            elements: 0..<bytes.count / 4, lanes: 0..<1, instant: .now())
        guard sender.send(header: header.encoded(), payload: frame) else {
            throw MessagingError.call("zmq_msg_send", reason: "nothing can be sent to \(path.inlet)")
        }
    }

    /// The next message: its header and the bytes of its payload.
    private func receive() throws -> (ExchangeHeader, Int) {
        var items = [receiver.pollItem]
        let end = MonotonicInstant.now().advanced(by: Self.patience)
        while MonotonicInstant.now() < end {
            if let (first, payload) = try receiver.receivePair(), let payload {
                let header = try ExchangeHeader(decoding: UnsafeRawBufferPointer(first.bytes))
                return (header, payload.bytes.count)
            }
            zmq_poll(&items, 1, 100)
        }
        throw FabricBenchError.silence(seconds: Self.patience.seconds)
    }

    /// Memory that frames are sent from: touched, and for ever.
    private static let memory = Memory()

    private final class Memory: Sendable {
        nonisolated(unsafe) let bytes: UnsafeRawBufferPointer

        init() {
            let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 4 << 20, alignment: 64)
            bytes.initializeMemory(as: UInt8.self, repeating: 1)
            self.bytes = UnsafeRawBufferPointer(bytes)
        }
    }
}
