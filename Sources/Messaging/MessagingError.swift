import CZeroMQ

/// Why messages can't be moved.
public enum MessagingError: Error, Hashable, Sendable, CustomStringConvertible {
    /// An address that is none.
    case endpoint(String, reason: String)
    /// A socket can't be bound.
    case bind(String, reason: String)
    /// A socket can't be connected.
    case connect(String, reason: String)
    /// A call to libzmq failed.
    case call(String, reason: String)
    /// The library is older than the oldest that is safe.
    case library(found: String, oldest: String)
    /// An address that others can reach, without CURVE.
    case unencrypted(String)
    /// A key that is none, or that can't be used.
    case key(reason: String)

    public var description: String {
        switch self {
        case .endpoint(let text, let reason): "'\(text)' is no endpoint: \(reason)"
        case .bind(let text, let reason): "can't listen at \(text): \(reason)"
        case .connect(let text, let reason): "can't connect to \(text): \(reason)"
        case .call(let name, let reason): "\(name) failed: \(reason)"
        case .library(let found, let oldest):
            "libzmq \(found) is installed; \(oldest) or newer is needed (CVE-2019-13132): upgrade libzmq3-dev"
        case .unencrypted(let text):
            "\(text) can be reached from other hosts, and messages there are encrypted and authenticated by keys: make some "
                + "with 'wafermark keys new', or use ipc:// or a loopback address"
        case .key(let reason): reason
        }
    }

    /// libzmq's words for the error of the call that just failed on this thread.
    static func reason() -> String {
        switch zmq_errno() {
        case EADDRINUSE: "the address is already in use by another program; choose another port or stop that program"
        case let code: String(cString: zmq_strerror(code))
        }
    }
}
