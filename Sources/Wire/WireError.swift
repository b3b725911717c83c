/// Why bytes are not a message of this protocol.
public enum WireError: Error, Sendable, Hashable, CustomStringConvertible {
    /// More bytes than any message of this kind has.
    case tooLarge(message: String, bytes: Int, limit: Int)
    /// Not the encoding of this message.
    case malformed(message: String)
    /// From a program that speaks another version.
    case version(found: UInt32, supported: UInt32)
    /// A field holds what it must not.
    case field(message: String, field: String, found: String, allowed: String)

    public var description: String {
        switch self {
        case .tooLarge(let message, let bytes, let limit):
            "\(message): \(bytes) bytes; at most \(limit) are taken"
        case .malformed(let message): "\(message): the bytes are not such a message"
        case .version(let found, let supported):
            "the peer speaks protocol version \(found), this program \(supported); run the same version on both sides"
        case .field(let message, let field, let found, let allowed):
            "\(message): \(field) is \(found); allowed: \(allowed)"
        }
    }
}

/// The protocol's version. Peers of another version are refused.
public let protocolVersion: UInt32 = 4
