import CLibCrypto

/// An MD5 sum in the making, by OpenSSL's libcrypto: to compare with sums that others publish. It finds damage, and is no
/// proof of origin.
public final class MD5 {
    private let digest: MessageDigest

    /// The sum of no bytes yet; nil where libcrypto was built or set up without MD5.
    public init?() {
        guard let digest = MessageDigest(EVP_md5()) else { return nil }
        self.digest = digest
    }

    /// Takes in the next bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) { digest.update(bytes) }

    /// The sum in lower-case hexadecimal. Nothing may be taken in afterwards.
    public func finish() -> String { digest.finish() }
}
