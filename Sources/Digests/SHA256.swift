import CLibCrypto

/// A SHA-256 sum in the making, by OpenSSL's libcrypto.
public final class SHA256 {
    private let context: OpaquePointer

    /// The sum of no bytes yet.
    public init() {
        guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, EVP_sha256(), nil) == 1 else {
            preconditionFailure("libcrypto has no SHA-256, or there is no memory left")
        }
        self.context = context
    }

    deinit { EVP_MD_CTX_free(context) }

    /// Takes in the next bytes.
    public func update(_ bytes: UnsafeRawBufferPointer) {
        EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
    }

    /// Takes in the UTF-8 form of `text`.
    public func update(_ text: String) {
        var text = text
        text.withUTF8 { update(UnsafeRawBufferPointer($0)) }
    }

    /// The sum in lower-case hexadecimal. Nothing may be taken in afterwards.
    public func finish() -> String {
        var bytes = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        EVP_DigestFinal_ex(context, &bytes, &count)
        let digits = Array("0123456789abcdef".utf8)
        return String(
            decoding: bytes.prefix(Int(count)).flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// The sum of `bytes` in lower-case hexadecimal.
    public static func hexadecimal(of bytes: UnsafeRawBufferPointer) -> String {
        let sum = SHA256()
        sum.update(bytes)
        return sum.finish()
    }
}
