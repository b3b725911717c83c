import Corpus
import Digests
import Foundation

/// SHA-256 of files, for folders that tests make themselves.
enum TestDigest {
    static func of(_ path: String) throws -> String {
        try Data(contentsOf: URL(fileURLWithPath: path)).withUnsafeBytes { SHA256.hexadecimal(of: $0) }
    }
}
