import Digests
import Testing

@Suite("SHA-256")
struct SHA256Tests {
    /// FIPS 180-4, appendix B, and the NIST example of no bytes and of a million times "a".
    static let published = [
        ("", 1, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", 1, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 1,
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
        ("aaaaaaaaaa", 100_000, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ]

    @Test("agrees with the published examples, however the bytes are cut", arguments: published)
    func sums(text: String, times: Int, sum: String) {
        let hash = SHA256()
        for _ in 0..<times { hash.update(text) }
        #expect(hash.finish() == sum)
        let whole = Array(String(repeating: text, count: times).utf8)
        #expect(whole.withUnsafeBytes { SHA256.hexadecimal(of: $0) } == sum)
    }
}
