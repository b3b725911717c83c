import Crypto

/// The lower-case hexadecimal form of a SHA-256 digest.
struct ContentDigest {
    private var hasher = SHA256()

    mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }

    mutating func update(_ text: String) { hasher.update(data: Array(text.utf8)) }

    func finish() -> String { Self.hexadecimal(hasher.finalize()) }

    static func of(_ bytes: UnsafeRawBufferPointer) -> String {
        var digest = ContentDigest()
        digest.update(bytes)
        return digest.finish()
    }

    /// The digest and size of the file at `path` as it lies on disk.
    static func ofFile(_ path: String, isCancelled: () -> Bool = { false }) throws -> (digest: String, bytes: Int) {
        let source = try ByteSource(path: path, unpacks: false)
        var digest = ContentDigest()
        while let chunk = try source.next() {
            digest.update(chunk)
            if isCancelled() { throw CorpusError.cancelled }
        }
        return (digest.finish(), source.consumed)
    }

    private static func hexadecimal(_ digest: SHA256Digest) -> String {
        let digits = Array("0123456789abcdef")
        return String(digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
