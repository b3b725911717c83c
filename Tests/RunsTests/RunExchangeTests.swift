import Foundation
import Jobs
import Runs
import Testing

@Suite("A run's exchange settings")
struct RunExchangeTests {
    private static let keys = ["algorithm", "transport", "laneShares", "bucket"]

    /// The run's stored JSON, with `values` for its settings and without all others.
    private func stored(_ values: [String: Any]) throws -> Data {
        var run = try StoreFixture.run("0123abcd")
        run.exchange = ExchangeSettings()
        let object = try JSONSerialization.jsonObject(with: try JSONEncoder().encode(run))
        var fields = try #require(object as? [String: Any])
        for key in Self.keys { #expect(fields.removeValue(forKey: key) != nil, "\(key)") }
        return try JSONSerialization.data(withJSONObject: fields.merging(values) { $1 })
    }

    @Test("are read back from a store, under the names that they have always had")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let store = try RunStore(directory: folder.path)
        var run = try StoreFixture.run("0123abcd")
        run.exchange = try ExchangeSettings(
            algorithm: .ring, transport: .tcp, laneShares: .even, bucket: Bytes(65_536))
        try store.insert(run)
        #expect(try store.run(run.id) == run)
        #expect(try store.run(run.id).exchange == run.exchange)
        let read = try JSONDecoder().decode(
            Run.self,
            from: try stored(["algorithm": "ring", "transport": "tcp", "laneShares": "even", "bucket": 65_536]))
        #expect(read.exchange == run.exchange)
    }

    @Test("of older records are what all runs did then, where they don't say")
    func older() throws {
        let oldest = try JSONDecoder().decode(Run.self, from: try stored([:]))
        #expect(oldest.exchange == ExchangeSettings(algorithm: .direct, transport: .ipc, laneShares: .speed))
        let older = try JSONDecoder().decode(Run.self, from: try stored(["algorithm": "star", "transport": "shm"]))
        #expect(older.exchange == ExchangeSettings(algorithm: .star))
    }

    @Test("of a bucket that was allowed once are the nearest that is", arguments: [(1, 64), (1 << 40, 256 << 20)])
    func clamped(found: Int, used: Int) throws {
        let run = try JSONDecoder().decode(Run.self, from: try stored(["bucket": found]))
        #expect(run.exchange?.bucket == Bytes(used))
    }

    @Test("of older records stay as they were in a file, so that its digest still fits")
    func archived() throws {
        var run = try JSONDecoder().decode(Run.self, from: try stored(["algorithm": "direct"]))
        run.state = .cancelled
        let file = try RunArchive.encode(RunRecord(run: run, steps: [], workerSteps: [], evaluations: [], events: []))
        #expect(!String(decoding: file, as: UTF8.self).contains("transport"))
        #expect(try RunArchive.decode(file, name: "f").run == run)
    }

    @Test("are none on the wafer")
    func wafer() throws {
        #expect(try StoreFixture.run("0123abcd", backend: .wafer, workers: 1).exchange == nil)
    }
}
