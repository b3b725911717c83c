import Digests

extension SHA256 {
    /// The digest and size of the file at `path` as it lies on disk.
    ///
    /// - Throws: `CorpusError` where it can't be read, `.cancelled` where `isCancelled` says so.
    static func ofFile(_ path: String, isCancelled: () -> Bool = { false }) throws -> (digest: String, bytes: Int) {
        let source = try ByteSource(path: path, unpacks: false)
        let sum = SHA256()
        while let chunk = try source.next() {
            sum.update(chunk)
            if isCancelled() { throw CorpusError.cancelled }
        }
        return (sum.finish(), source.consumed)
    }
}
