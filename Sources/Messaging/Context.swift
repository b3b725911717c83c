import CZeroMQ

/// Owns a libzmq context. The last owner's end terminates it; every socket keeps its context alive.
public final class Context: Sendable {
    // A libzmq context is thread-safe by contract (zmq_ctx_new(3)); the pointer never changes.
    nonisolated(unsafe) let handle: UnsafeMutableRawPointer

    /// - Parameter threads: libzmq's own I/O threads.
    /// - Throws: `MessagingError.library` for a libzmq that is too old, `.call` where no context can be made.
    public init(threads: Int = 1) throws(MessagingError) {
        let version = Self.version
        guard (version.major, version.minor, version.patch) >= (4, 3, 2) else {
            throw .library(found: Self.versionText, oldest: "4.3.2")
        }
        guard let handle = zmq_ctx_new() else { throw .call("zmq_ctx_new", reason: MessagingError.reason()) }
        zmq_ctx_set(handle, ZMQ_IO_THREADS, Int32(threads))
        zmq_ctx_set(handle, ZMQ_IPV6, 1)
        self.handle = handle
    }

    deinit { zmq_ctx_term(handle) }

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
