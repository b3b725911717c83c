import Foundation
import Jobs

/// A connection that passes through the relay: two sockets, and what is on its way between them.
///
/// Confined to the relay's thread.
final class RelayedConnection {
    /// Whether a half of the connection has become readable or writable.
    typealias Ready = (client: Int16, server: Int16)

    /// One direction.
    private struct Flow {
        var waiting: [[UInt8]] = []
        var waitingBytes = 0
        /// Bytes of the first that have left.
        var sentOfFirst = 0
        /// The most that leaves at once.
        var slice = Int.max
        /// What came is held back until then.
        var release: MonotonicInstant?
        /// Nothing comes through any more.
        var isSevered = false
        /// Nothing follows what waits.
        var isEnding = false

        /// As much as a kernel's buffer holds: what reads no more lets the sender wait.
        private static let capacity = 1 << 18

        var wantsInput: Bool { !isSevered && !isEnding && waitingBytes < Self.capacity }

        func wantsOutput(at now: MonotonicInstant) -> Bool {
            !isSevered && !waiting.isEmpty && release.map { now >= $0 } ?? true
        }
    }

    /// What it is for.
    let link: NetworkLink
    private(set) var client: Int32
    private(set) var server: Int32
    private var up = Flow()
    private var down = Flow()

    /// A connection between a socket that somebody has connected and one that is connected in turn. It owns both.
    init(_ link: NetworkLink, client: Int32, server: Int32) {
        self.link = link
        self.client = client
        self.server = server
    }

    deinit { closeBoth() }

    /// Whether nothing is left of it.
    var isOver: Bool { client < 0 && server < 0 }

    /// Whether it is as its ends believe.
    var isSound: Bool { !up.isSevered && !down.isSevered && !isOver }

    /// What the sockets are to be watched for; nil where nobody waits for anything of one. One of a severed connection is
    /// always watched, for its end.
    func events(at now: MonotonicInstant) -> (client: Int16?, server: Int16?) {
        let isSevered = up.isSevered || down.isSevered
        func events(_ input: Flow, _ output: Flow) -> Int16? {
            let events = (input.wantsInput ? Int16(POLLIN) : 0) | (output.wantsOutput(at: now) ? Int16(POLLOUT) : 0)
            return events == 0 && !isSevered ? nil : events
        }
        return (events(up, down), events(down, up))
    }

    /// Has a fault at `now`.
    func apply(_ fault: NetworkFault, now: MonotonicInstant) {
        switch fault {
        case .delay(let seconds):
            up.release = now.advanced(by: HostSeconds(seconds))
            down.release = up.release
        case .slice:
            up.slice = 1
            down.slice = 1
        case .cut: closeBoth()
        case .halfOpen:
            up.isSevered = true
            down.isSevered = true
        case .oneWay(let fromClient):
            if fromClient { up.isSevered = true } else { down.isSevered = true }
        }
    }

    /// Moves what can be moved, and takes note of ends that have closed.
    func move(_ ready: Ready, now: MonotonicInstant) {
        Self.pump(&up, from: client, isReadable: ready.client, to: server, now: now)
        Self.pump(&down, from: server, isReadable: ready.server, to: client, now: now)
        let gone = Int16(POLLHUP) | Int16(POLLERR)
        if up.isSevered || down.isSevered {
            // The other end must not see it.
            if ready.client & gone != 0, !up.wantsInput { Self.close(&client) }
            if ready.server & gone != 0, !down.wantsInput { Self.close(&server) }
            if up.isEnding && up.waiting.isEmpty && !up.isSevered { Self.close(&client) }
            if down.isEnding && down.waiting.isEmpty && !down.isSevered { Self.close(&server) }
        } else if (up.isEnding && up.waiting.isEmpty) || (down.isEnding && down.waiting.isEmpty) {
            closeBoth()
        }
    }

    private static func pump(
        _ flow: inout Flow, from source: Int32, isReadable: Int16, to sink: Int32, now: MonotonicInstant
    ) {
        if flow.wantsInput, source >= 0, isReadable & (Int16(POLLIN) | Int16(POLLHUP) | Int16(POLLERR)) != 0 {
            var isOver = false
            let bytes = [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                let received = read(source, buffer.baseAddress, buffer.count)
                isOver = received == 0 || (received < 0 && errno != EAGAIN && errno != EINTR)
                count = max(0, received)
            }
            if isOver { flow.isEnding = true }
            if !bytes.isEmpty {
                flow.waiting.append(bytes)
                flow.waitingBytes += bytes.count
            }
        }
        while sink >= 0, flow.wantsOutput(at: now), let next = flow.waiting.first {
            let start = flow.sentOfFirst
            let sent = next.withUnsafeBytes { bytes in
                send(
                    sink, bytes.baseAddress?.advanced(by: start), min(flow.slice, bytes.count - start),
                    Int32(MSG_NOSIGNAL))
            }
            if sent < 0 {
                if errno != EAGAIN && errno != EINTR {
                    flow.isEnding = true
                    flow.waiting = []
                }
                return
            }
            flow.waitingBytes -= sent
            flow.sentOfFirst += sent
            if flow.sentOfFirst == next.count {
                flow.waiting.removeFirst()
                flow.sentOfFirst = 0
            }
        }
    }

    private func closeBoth() {
        Self.close(&client)
        Self.close(&server)
    }

    private static func close(_ descriptor: inout Int32) {
        if descriptor >= 0 { Foundation.close(descriptor) }
        descriptor = -1
    }
}
