import Digests
import Foundation

/// An MD5 sum, which NLM publishes with its files: it finds damage in transit, and is no proof of origin.
struct MD5Sum: Hashable, CustomStringConvertible {
    /// 32 hexadecimal digits in lower case.
    let description: String

    /// The sum in a `.md5` file: "MD5(name)= digits" as NLM writes it, or "digits  name" as `md5sum` does.
    init?(text: String) {
        guard let match = text.firstMatch(of: /\b[0-9a-fA-F]{32}\b/) else { return nil }
        description = match.output.lowercased()
    }

    /// The sum of the file at `path`.
    init(ofFile path: String, isCancelled: () -> Bool) throws {
        guard let sum = MD5() else {
            throw CorpusError.fetch(address: path, reason: "libcrypto has no MD5 to check it with")
        }
        let source = try ByteSource(path: path, unpacks: false)
        while let chunk = try source.next() {
            sum.update(chunk)
            if isCancelled() { throw CorpusError.cancelled }
        }
        description = sum.finish()
    }
}
