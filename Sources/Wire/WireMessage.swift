/// The version that every message names. A peer of another version is refused, and told both numbers.
public enum WireProtocol {
    /// This build's version. It changes whenever a message's meaning does.
    public static let version: UInt32 = 1
}

/// A message of the protocol as a Swift value: what Protos/ defines, checked.
///
/// Decoding trusts nothing: the size is bounded before anything is unpacked, then every field is checked against its
/// range. A value that decoded is one that the rest of the program need not check again.
public protocol WireMessage: Hashable, Sendable {
    /// The most bytes that decoding accepts.
    static var maximumBytes: Int { get }

    /// The message's bytes.
    func encode() -> [UInt8]

    /// The message that `bytes` hold. The bytes are not kept.
    init(decoding bytes: UnsafeRawBufferPointer) throws(WireError)
}

extension WireMessage {
    /// The message that `bytes` hold.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        let outcome = bytes.withUnsafeBytes { buffer in
            Result { () throws(WireError) in try Self(decoding: buffer) }
        }
        self = try outcome.get()
    }
}
