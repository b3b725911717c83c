import CZeroMQ

/// The public half of a CURVE key: who a peer is. 32 bytes, written as 40 characters of Z85 (ZeroMQ RFC 32).
public struct CurvePublicKey: Hashable, Sendable, CustomStringConvertible {
    /// The length of a key.
    public static let byteCount = 32
    /// The key.
    public let bytes: [UInt8]

    /// The key of the given bytes.
    ///
    /// - Throws: `MessagingError.key` where they are not 32.
    public init(bytes: [UInt8]) throws(MessagingError) {
        guard bytes.count == Self.byteCount else {
            throw .key(reason: "a key of \(bytes.count) bytes; \(Self.byteCount) are allowed")
        }
        self.bytes = bytes
    }

    /// The key that `text` writes in Z85.
    ///
    /// - Throws: `MessagingError.key`, which does not repeat the text.
    public init(_ text: String) throws(MessagingError) { bytes = try Z85.key(text) }

    /// The key in Z85.
    public var text: String { Z85.text(bytes) }

    public var description: String { text }
}

/// The secret half of a CURVE key. Whatever prints or dumps it prints no part of it.
public struct CurveSecretKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    let bytes: [UInt8]

    /// The key that `text` writes in Z85.
    ///
    /// - Throws: `MessagingError.key`, which does not repeat the text.
    public init(_ text: String) throws(MessagingError) { bytes = try Z85.key(text) }

    /// The key in Z85, for a file that only its owner may read, and for nothing else.
    public var exposedText: String { Z85.text(bytes) }

    public var description: String { "(secret key)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: []) }
}

/// Both halves of a CURVE key.
public struct CurveKeyPair: Sendable {
    /// The half that others may know.
    public let publicKey: CurvePublicKey
    /// The half that nobody else may.
    public let secretKey: CurveSecretKey

    /// A pair that was stored.
    ///
    /// - Throws: `MessagingError.key` where the halves don't belong together.
    public init(publicKey: CurvePublicKey, secretKey: CurveSecretKey) throws(MessagingError) {
        var derived = [CChar](repeating: 0, count: 41)
        guard zmq_curve_public(&derived, secretKey.exposedText) == 0 else { throw Self.missing }
        guard try CurvePublicKey(Z85.text(derived)) == publicKey else {
            throw .key(reason: "the public and the secret half don't belong together")
        }
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    private init(generated publicKey: CurvePublicKey, _ secretKey: CurveSecretKey) {
        self.publicKey = publicKey
        self.secretKey = secretKey
    }

    /// A new pair, from the system's randomness.
    ///
    /// - Throws: `MessagingError.key` where libzmq was built without CURVE.
    public static func generate() throws(MessagingError) -> CurveKeyPair {
        var publicText = [CChar](repeating: 0, count: 41)
        var secretText = [CChar](repeating: 0, count: 41)
        guard zmq_has("curve") == 1, zmq_curve_keypair(&publicText, &secretText) == 0 else { throw Self.missing }
        return CurveKeyPair(
            generated: try CurvePublicKey(Z85.text(publicText)), try CurveSecretKey(Z85.text(secretText)))
    }

    private static var missing: MessagingError {
        .key(reason: "this libzmq was built without CURVE; install Debian's libzmq5, which has it")
    }
}

/// What a socket needs to connect to one that takes CURVE: its own key, and the key that the other end must have.
public struct CurveClient: Sendable {
    /// Who connects.
    public var keys: CurveKeyPair
    /// Who must be at the other end.
    public var server: CurvePublicKey

    /// A client of the given keys.
    public init(keys: CurveKeyPair, server: CurvePublicKey) {
        self.keys = keys
        self.server = server
    }
}

/// Z85 of keys: 32 bytes as 40 printable characters.
private enum Z85 {
    static func key(_ text: String) throws(MessagingError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: CurvePublicKey.byteCount)
        guard text.utf8.count == 40, text.utf8.allSatisfy({ (0x21...0x7D).contains($0) }),
            zmq_z85_decode(&bytes, text) != nil
        else { throw .key(reason: "\(text.utf8.count) bytes that are no key in Z85; 40 characters of it are allowed") }
        return bytes
    }

    static func text(_ bytes: [UInt8]) -> String {
        var characters = [CChar](repeating: 0, count: 41)
        zmq_z85_encode(&characters, bytes, bytes.count)
        return text(characters)
    }

    static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
