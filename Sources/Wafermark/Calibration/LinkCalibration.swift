import CZeroMQ
import Foundation
import Jobs
import Messaging

/// Measures the link between two processes over ZeroMQ, as workers use it: this process and an echo of its own program.
struct LinkCalibration {
    /// What was measured.
    struct Result {
        /// One way, half of a round trip.
        var latencyMicroseconds: Double
        /// One way in a stream of bucket-sized frames.
        var gigabytesPerSecond: Double
    }

    /// Bytes of a frame of the stream: a gradient bucket.
    static let frame = 1 << 20
    private static let (roundTrips, frames) = (400, 600)
    private static let deadlineSeconds = 20.0

    /// Starts the echo, measures, and ends it.
    ///
    /// - Parameter executable: this program's file.
    func run(executable: String) throws -> Result {
        let context = try Context()
        let inbox = try Socket(.pull, in: context, options: Self.options)
        let own = try inbox.bind(to: try Endpoint("tcp://127.0.0.1:0"))
        let echo = Process()
        echo.executableURL = URL(fileURLWithPath: executable)
        echo.arguments = ["calibrate-echo", "--join", own.text]
        try echo.run()
        defer {
            echo.terminate()
            echo.waitUntilExit()
        }
        let hello = try Self.receive(from: inbox, seconds: Self.deadlineSeconds)
        let outbox = try Socket(.push, in: context, options: Self.options)
        try outbox.connect(to: try Endpoint(String(decoding: hello, as: UTF8.self)))
        let latency = try latency(outbox, inbox)
        return Result(latencyMicroseconds: latency * 1e6, gigabytesPerSecond: try stream(outbox, inbox) * 1e-9)
    }

    static var options: Socket.Options {
        var options = Socket.Options()
        options.sendHighWaterMark = 0
        options.receiveHighWaterMark = 0
        options.largestFrame = -1
        options.lingerMilliseconds = 0
        return options
    }

    /// The median of half round trips of a small message, in seconds.
    private func latency(_ outbox: borrowing Socket, _ inbox: borrowing Socket) throws -> Double {
        var halves: [Double] = []
        for _ in 0..<Self.roundTrips {
            let start = MonotonicInstant.now()
            _ = outbox.send([[1]])
            _ = try Self.receive(from: inbox, seconds: Self.deadlineSeconds)
            halves.append(MonotonicInstant.now().elapsed(since: start).seconds / 2)
        }
        return Quantiles(halves).median ?? 0
    }

    /// Bytes a second of frames that are only acknowledged at the end.
    private func stream(_ outbox: borrowing Socket, _ inbox: borrowing Socket) throws -> Double {
        let bytes = [UInt8](repeating: 7, count: Self.frame)
        var best = 0.0
        for _ in 0..<3 {
            let start = MonotonicInstant.now()
            for _ in 0..<Self.frames { _ = outbox.send([bytes]) }
            _ = outbox.send([[1]])
            _ = try Self.receive(from: inbox, seconds: Self.deadlineSeconds)
            let seconds = MonotonicInstant.now().elapsed(since: start).seconds
            best = max(best, Double(Self.frames * Self.frame) / seconds)
        }
        return best
    }

    /// What comes next, within `seconds`.
    static func receive(from socket: borrowing Socket, seconds: Double) throws -> [UInt8] {
        let start = MonotonicInstant.now()
        var items = [socket.pollItem]
        while true {
            if let frames = try socket.receive() { return frames.first ?? [] }
            guard MonotonicInstant.now().elapsed(since: start).seconds < seconds else {
                throw CommandFailure.failed("the link between two processes was silent for \(Int(seconds)) s")
            }
            _ = zmq_poll(&items, 1, 200)
        }
    }

    /// The other end: answers each small message with one, and swallows large ones. Ends with its parent.
    static func echo(joining endpoint: String) throws {
        let context = try Context()
        let inbox = try Socket(.pull, in: context, options: options)
        let own = try inbox.bind(to: try Endpoint("tcp://127.0.0.1:0"))
        let outbox = try Socket(.push, in: context, options: options)
        try outbox.connect(to: try Endpoint(endpoint))
        _ = outbox.send([Array(own.text.utf8)])
        while let frame = try? receive(from: inbox, seconds: deadlineSeconds) {
            if frame.count == 1 { _ = outbox.send([[1]]) }
        }
    }
}
