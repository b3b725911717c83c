import CZeroMQ
import Foundation
import Synchronization

/// What becomes of a peer that has shown its key.
public enum KeyVerdict: Hashable, Sendable {
    /// It is connected, and its messages bear its key.
    case admitted
    /// It is told that it won't be, and does not try again.
    case refused
    /// It is disconnected and tries again: it may be known a moment later.
    case notYet
}

/// Decides on a peer by its key. Called on the authenticator's thread.
public typealias KeyCheck = @Sendable (CurvePublicKey) -> KeyVerdict

/// Answers libzmq's questions who may connect to a context's sockets: the handler of the ZeroMQ Authentication Protocol
/// (RFC 27) at `inproc://zeromq.zap.01`, on a thread of its own.
///
/// libzmq admits everybody where a context has no such handler, so sockets refuse to listen with CURVE in one without.
final class Authenticator: Sendable {
    /// The domain of every socket that listens with CURVE.
    static let domain = "wafermark"

    private let wakeUp: WakeUp
    private let ended = DispatchSemaphore(value: 0)

    /// Starts the thread.
    ///
    /// - Parameter context: a libzmq context that outlives this object.
    /// - Throws: `MessagingError.call` where the handler's address can't be had.
    init(in context: UnsafeMutableRawPointer, check: @escaping KeyCheck) throws(MessagingError) {
        let wakeUp = try WakeUp()
        self.wakeUp = wakeUp
        let started = DispatchSemaphore(value: 0)
        // A libzmq context is thread-safe by contract (zmq_ctx_new(3)).
        nonisolated(unsafe) let context = context
        let shared = Failure()
        let thread = Thread { [ended] in
            defer { ended.signal() }
            do throws(MessagingError) {
                let socket = try Socket(.reply, inUnowned: context)
                guard zmq_bind(socket.handle, "inproc://zeromq.zap.01") == 0 else {
                    throw .call("zmq_bind(zeromq.zap.01)", reason: MessagingError.reason())
                }
                started.signal()
                Self.run(socket, wakeUp, check)
            } catch {
                shared.error.withLock { $0 = error }
                started.signal()
            }
        }
        thread.name = "authenticator"
        thread.stackSize = 1 << 18
        thread.start()
        started.wait()
        if let error = shared.error.withLock({ $0 }) { throw error }
    }

    /// Ends the thread. Returns when that is done.
    func close() {
        wakeUp.signal()
        ended.wait()
        ended.signal()
    }

    private final class Failure: Sendable {
        let error = Mutex<MessagingError?>(nil)
    }

    private static func run(_ socket: borrowing Socket, _ wakeUp: WakeUp, _ check: KeyCheck) {
        var items = [socket.pollItem, wakeUp.pollItem]
        while true {
            guard zmq_poll(&items, Int32(items.count), -1) >= 0 || zmq_errno() == EINTR else { return }
            if items[1].revents != 0 { return }
            do {
                while let request = try socket.receive() { _ = socket.send(reply(to: request, check)) }
            } catch {
                return
            }
        }
    }

    /// The answer to a request of RFC 27: version, request, domain, address, identity, mechanism, credentials.
    static func reply(to request: [[UInt8]], _ check: KeyCheck) -> [[UInt8]] {
        func answer(_ status: String, _ text: String, user: String = "") -> [[UInt8]] {
            let number = request.count > 1 ? request[1] : []
            return [Array("1.0".utf8), number, Array(status.utf8), Array(text.utf8), Array(user.utf8), []]
        }
        guard request.count >= 6, request[0].elementsEqual("1.0".utf8) else { return answer("500", "no such version") }
        switch String(decoding: request[5], as: UTF8.self) {
        case "CURVE":
            guard request.count == 7, request[2].elementsEqual(domain.utf8),
                let key = try? CurvePublicKey(bytes: request[6])
            else { return answer("400", "no key") }
            return switch check(key) {
            case .admitted: answer("200", "OK", user: key.text)
            case .refused: answer("400", "this key is not known")
            case .notYet: answer("300", "not yet")
            }
        case "NULL" where request[2].isEmpty:
            // A socket of this host's own processes: `Socket.bind` lets no other be without CURVE.
            return answer("200", "OK")
        default: return answer("400", "CURVE is required")
        }
    }
}
