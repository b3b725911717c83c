import CZeroMQ

/// Owns one frame of a message. A frame that was received holds libzmq's memory; one that is to be sent may stand for the
/// sender's own, which is then not copied.
public final class Frame {
    let message: UnsafeMutablePointer<zmq_msg_t>

    /// An empty frame, to receive into.
    init() {
        message = .allocate(capacity: 1)
        zmq_msg_init(message)
    }

    /// A frame that stands for `bytes`, which must stay as they are until `release` is called, on a thread of libzmq's.
    ///
    /// - Throws: `MessagingError.call` where there is no memory for it; `release` is then not called.
    public init(
        borrowing bytes: UnsafeRawBufferPointer, release: @escaping @Sendable () -> Void
    ) throws(MessagingError) {
        message = .allocate(capacity: 1)
        let token = Unmanaged.passRetained(Release(release))
        let isMade = zmq_msg_init_data(
            message, UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count,
            { _, hint in
                guard let hint else { return }
                Unmanaged<Release>.fromOpaque(hint).takeRetainedValue().body()
            }, token.toOpaque())
        guard isMade == 0 else {
            token.release()
            zmq_msg_init(message)
            throw .call("zmq_msg_init_data", reason: MessagingError.reason())
        }
    }

    deinit {
        zmq_msg_close(message)
        message.deallocate()
    }

    /// Whether more frames of the same message follow.
    var isFollowed: Bool { zmq_msg_more(message) != 0 }

    /// The frame's bytes, for as long as the frame lives. They belong to the frame: its owner may write to them.
    public var bytes: UnsafeMutableRawBufferPointer {
        UnsafeMutableRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message))
    }

    private final class Release: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
}
