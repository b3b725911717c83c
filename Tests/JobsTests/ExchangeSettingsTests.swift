import Jobs
import Testing

@Suite("The cluster's exchange settings")
struct ExchangeSettingsTests {
    @Test(
        "take buckets from a cache line to 256 MiB, the usual one where nothing is said", arguments: [64, 268_435_456])
    func range(bytes: Int) throws {
        #expect(try ExchangeSettings(bucket: Bytes(bytes)).bucket == Bytes(bytes))
        #expect(ExchangeSettings().bucket == ExchangeSettings.usualBucket)
        #expect(try ExchangeSettings(bucket: ExchangeSettings.usualBucket) == ExchangeSettings())
    }

    @Test("refuse every other size, and say what is allowed", arguments: [Int.min, 0, 63, 268_435_457, .max])
    func refused(bytes: Int) throws {
        let violation = try #require(throws: ExchangeSettings.Violation.self) {
            try ExchangeSettings(bucket: Bytes(bytes))
        }
        #expect(violation.description == "a gradient bucket of \(bytes) bytes; allowed: 64 to 268435456")
    }
}
