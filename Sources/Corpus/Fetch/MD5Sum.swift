import Crypto
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
        let source = try ByteSource(path: path, unpacks: false)
        var hasher = Insecure.MD5()
        while let chunk = try source.next() {
            hasher.update(bufferPointer: chunk)
            if isCancelled() { throw CorpusError.cancelled }
        }
        let digits = Array("0123456789abcdef")
        description = String(hasher.finalize().flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
    }
}
