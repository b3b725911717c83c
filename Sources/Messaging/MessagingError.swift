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

    public var description: String {
        switch self {
        case .endpoint(let text, let reason): "'\(text)' is no endpoint: \(reason)"
        case .bind(let text, let reason): "can't listen at \(text): \(reason)"
        case .connect(let text, let reason): "can't connect to \(text): \(reason)"
        case .call(let name, let reason): "\(name) failed: \(reason)"
        case .library(let found, let oldest):
            "libzmq \(found) is installed; \(oldest) or newer is needed (CVE-2019-13132): upgrade libzmq3-dev"
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
