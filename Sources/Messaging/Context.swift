import CZeroMQ

/// Owns a libzmq context. The last owner's end terminates it; every socket keeps its context alive.
public final class Context: Sendable {
    // A libzmq context is thread-safe by contract (zmq_ctx_new(3)); the pointer never changes.
    nonisolated(unsafe) let handle: UnsafeMutableRawPointer
    private let authenticator: Authenticator?

    /// - Parameters:
    ///   - threads: libzmq's own I/O threads.
    ///   - check: decides who may connect to sockets that listen with CURVE; nil for a context without such.
    /// - Throws: `MessagingError.library` for a libzmq that is too old, `.call` where no context can be made.
    public init(threads: Int = 1, admitting check: KeyCheck? = nil) throws(MessagingError) {
        let version = Self.version
        try Self.require(major: version.major, minor: version.minor, patch: version.patch)
        guard let handle = zmq_ctx_new() else { throw .call("zmq_ctx_new", reason: MessagingError.reason()) }
        zmq_ctx_set(handle, ZMQ_IO_THREADS, Int32(threads))
        zmq_ctx_set(handle, ZMQ_IPV6, 1)
        do throws(MessagingError) {
            if let check {
                authenticator = try Authenticator(in: handle, check: check)
            } else {
                authenticator = nil
            }
        } catch {
            zmq_ctx_term(handle)
            throw error
        }
        self.handle = handle
    }

    deinit {
        authenticator?.close()
        zmq_ctx_term(handle)
    }

    /// Whether somebody decides who may connect.
    var authenticates: Bool { authenticator != nil }

    /// Refuses a libzmq that can be overrun before anybody has shown a key: before 4.3.2 (CVE-2019-13132).
    ///
    /// - Throws: `MessagingError.library`.
    public static func require(major: Int32, minor: Int32, patch: Int32) throws(MessagingError) {
        guard (major, minor, patch) >= (4, 3, 2) else {
            throw .library(found: "\(major).\(minor).\(patch)", oldest: "4.3.2")
        }
    }

    static var version: (major: Int32, minor: Int32, patch: Int32) {
        var version: (major: Int32, minor: Int32, patch: Int32) = (0, 0, 0)
        zmq_version(&version.major, &version.minor, &version.patch)
        return version
    }

    /// The version of libzmq that this process runs with.
    public static var versionText: String {
        let version = version
        return "\(version.major).\(version.minor).\(version.patch)"
    }
}
