import Corpus
import Crypto
import Foundation

/// SHA-256 by hand, for folders that tests make themselves.
enum TestDigest {
    static func of(_ path: String) throws -> String {
        SHA256.hash(data: try Data(contentsOf: URL(fileURLWithPath: path))).map {
            let digits = String($0, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}
