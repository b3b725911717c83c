import CLibCrypto

/// A SHA-256 sum in the making, by OpenSSL's libcrypto.
public final class SHA256 {
    private let digest: MessageDigest

    /// The sum of no bytes yet.
    public init() {
        guard let digest = MessageDigest(EVP_sha256()) else {
            preconditionFailure("libcrypto has no SHA-256, or there is no memory left")
        }
        self.digest = digest
    }

    /// Takes in the next bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    /// Takes in the UTF-8 form of `text`.
    public func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The sum in lower-case hexadecimal. Nothing may be taken in afterwards.
    public func finish() -> String { digest.finish() }

    /// The sum of `bytes` in lower-case hexadecimal.
    public static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
        let sum = SHA256()
        sum.update(bytes)
        return sum.finish()
    }
}
