import Jobs

/// One end of a line on which every message arrives once and in order, whatever becomes of the connection below.
///
/// libzmq connects again by itself, but what was on its way is gone then, and a protocol that waits for an answer to what
/// never arrived would wait for ever. So messages are numbered and kept until the other end has said that it has them; the
/// receiver hears only the next number (go-back-N), and the sender sends again what it keeps for long while the other end is
/// to be heard. Signs of life carry no number: an old one is of no use.
///
/// A pure value: whoever owns it moves the frames that it makes.
package struct SequencedLine: Sendable {
    /// The frame before each message.
    package struct Header: Hashable, Sendable {
        /// The message's number, from 1 on; 0 for one that may be lost.
        package var sequence: UInt64
        /// The newest number up to which the sender of this header has heard everything.
        package var acknowledged: UInt64

        /// A header of the given parts.
        package init(sequence: UInt64, acknowledged: UInt64) {
            self.sequence = sequence
            self.acknowledged = acknowledged
        }

        private static let byteCount = 16

        /// The header that `bytes` encode: two little-endian numbers; nil where they encode none.
        package init?(decoding bytes: [UInt8]) {
            guard bytes.count == Self.byteCount else { return nil }
            func number(_ start: Int) -> UInt64 {
                bytes[start..<start + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
            }
            self.init(sequence: number(0), acknowledged: number(8))
        }

        /// The header's bytes.
        package var encoded: [UInt8] {
            [sequence, acknowledged].flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) } }
        }
    }

    private struct Kept {
        var sequence: UInt64
        var message: [UInt8]
        var sent: MonotonicInstant
    }

    /// A message that is kept for longer was lost: an answer takes milliseconds, and signs of life come every second.
    private static let patience = HostSeconds(0.5)

    private var newest: UInt64 = 0
    private var heard: UInt64 = 0
    private var kept: [Kept] = []
    private var hasHeardSinceRepeat = false

    /// A line on which nothing was said.
    package init() {}

    /// Messages that the other end has not acknowledged.
    package var unacknowledged: Int { kept.count }

    /// The frames of `message`, which must arrive.
    package mutating func send(_ message: [UInt8], now: MonotonicInstant) -> [[UInt8]] {
        newest += 1
        kept.append(Kept(sequence: newest, message: message, sent: now))
        return [Header(sequence: newest, acknowledged: heard).encoded, message]
    }

    /// The frames of `message`, which may be lost.
    package func sendOnce(_ message: [UInt8]) -> [[UInt8]] {
        [Header(sequence: 0, acknowledged: heard).encoded, message]
    }

    /// Takes in a header; whether its message is to be heard: it is not where it came before, or before its turn.
    package mutating func take(_ header: Header) -> Bool {
        // Nobody has heard what was never said.
        if header.acknowledged <= newest { kept.removeAll { $0.sequence <= header.acknowledged } }
        hasHeardSinceRepeat = true
        if header.sequence == 0 { return true }
        guard header.sequence == heard + 1 else { return false }
        heard += 1
        return true
    }

    /// The frames of all that must be sent again. Nothing, while the other end is not to be heard either: what is sent into
    /// a dead connection only piles up.
    package mutating func repeats(now: MonotonicInstant) -> [[[UInt8]]] {
        guard hasHeardSinceRepeat, let oldest = kept.first, now.elapsed(since: oldest.sent) > Self.patience else {
            return []
        }
        hasHeardSinceRepeat = false
        for index in kept.indices { kept[index].sent = now }
        return kept.map { [Header(sequence: $0.sequence, acknowledged: heard).encoded, $0.message] }
    }
}
