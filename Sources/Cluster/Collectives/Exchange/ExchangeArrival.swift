import Jobs
import Messaging
import Wire

/// A sum that has come from a peer.
struct ExchangeArrival {
    /// What it is a sum of.
    let header: ExchangeHeader
    /// Its numbers, or where they are.
    let content: Content
    /// When it came.
    let instant: MonotonicInstant

    /// A sum that has come just now.
    init(header: ExchangeHeader, content: Content) {
        self.header = header
        self.content = content
        instant = .now()
    }

    /// How long after the moment in its header it came: on its way through the host, or behind the network that is emulated.
    var lateness: HostSeconds {
        header.instant.nanoseconds == 0 ? .zero : instant.elapsed(since: header.instant)
    }

    enum Content {
        /// In a frame of the message.
        case numbers(Frame)
        /// In the peer's memory, until the loan of this number is returned.
        case loan(UInt64, MemoryPlace)
    }
}

extension ExchangeHeader {
    /// Names the frame in refusals.
    var name: String { "a frame of worker \(sender), step \(step), bucket \(bucket)" }
}
