import Synchronization

/// What other threads want of a loop.
final class Mailbox: Sendable {
    /// What waits for the loop.
    struct Content: Sendable {
        /// Messages to send, in order.
        var messages: [[[UInt8]]] = []
        /// Whether the loop is to end, once the messages are sent.
        var isClosing = false
    }

    /// Wakes the loop.
    let wakeUp: WakeUp
    private let content = Mutex(Content())

    /// An empty mailbox.
    init() throws(MessagingError) { wakeUp = try WakeUp() }

    /// Adds a message; without effect once the loop is closing.
    func post(_ message: [[UInt8]]) {
        let isTaken = content.withLock { content in
            guard !content.isClosing else { return false }
            content.messages.append(message)
            return true
        }
        if isTaken { wakeUp.signal() }
    }

    /// Asks the loop to end.
    func close() {
        content.withLock { $0.isClosing = true }
        wakeUp.signal()
    }

    /// Takes all that waits.
    func take() -> Content {
        wakeUp.clear()
        return content.withLock { content in
            defer { content.messages.removeAll(keepingCapacity: true) }
            return content
        }
    }
}
