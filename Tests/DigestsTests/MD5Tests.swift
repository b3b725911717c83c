import Digests
import Testing

@Suite("MD5")
struct MD5Tests {
    @Test(
        "agrees with the published examples (RFC 1321, A.5)",
        arguments: [
            ("", "d41d8cd98f00b204e9800998ecf8427e"), ("abc", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "12345678901234567890123456789012345678901234567890123456789012345678901234567890",
                "57edf4a22be3c955ac49da2e2107b67a"
            ),
        ])
    func sums(text: String, sum: String) throws {
        let hash = try #require(MD5())
        Array(text.utf8).withUnsafeBytes { hash.update($0) }
        #expect(hash.finish() == sum)
    }
}
