/// Why bytes from a peer were not accepted.
public enum WireError: Error, Hashable, Sendable, CustomStringConvertible {
    /// More bytes than a message of that kind may have; nothing was unpacked.
    case tooLarge(message: String, bytes: Int, limit: Int)
    /// The bytes are no protobuf encoding of that message.
    case malformed(message: String, bytes: Int)
    /// The peer speaks another version of the protocol.
    case otherVersion(message: String, found: UInt32)
    /// The message has no content, or one that this version doesn't know.
    case empty(message: String)
    /// A field's value is outside what it may be.
    case invalid(message: String, field: String, found: String, allowed: String)
    /// A well-formed exchange frame that belongs to something else: another run, epoch or step, or a sender that isn't
    /// the connection's.
    case foreign(what: String, found: String, expected: String)

    public var description: String {
        switch self {
        case .tooLarge(let message, let bytes, let limit):
            "\(message): \(bytes) bytes are more than the \(limit) that it may have"
        case .malformed(let message, let bytes):
            "\(message): its \(bytes) bytes are not a protobuf encoding of it"
        case .otherVersion(let message, let found):
            "\(message): the peer speaks protocol version \(found), this program version \(WireProtocol.version); "
                + "use the same build of wafermark on both sides"
        case .empty(let message):
            "\(message): it has no content that protocol version \(WireProtocol.version) knows"
        case .invalid(let message, let field, let found, let allowed):
            "\(message): \(field) is \(found); allowed is \(allowed)"
        case .foreign(let what, let found, let expected):
            "exchange frame refused: it is of \(what) \(found), this exchange is of \(what) \(expected)"
        }
    }
}
