import Messaging
import Wire

/// A sum that has come from a peer.
struct ExchangeArrival {
    /// What it is a sum of.
    let header: ExchangeHeader
    /// Its numbers, or where they are.
    let content: Content

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
