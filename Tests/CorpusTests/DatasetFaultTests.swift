import Corpus
import Foundation
import Jobs
import Synchronization
import Testing

@Suite("Datasets on bad days")
struct DatasetFaultTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private func dataset(_ request: DatasetRequest = DatasetFixture.request(), name: String = "data") throws -> Dataset
    {
        try DatasetPreparation.prepare(request, into: folder.file(name))
    }

    @Test("a folder that is there already is used again, unless it holds another dataset")
    func reuse() throws {
        let first = try dataset()
        #expect(try dataset().manifest == first.manifest)
        #expect(throws: CorpusError.badDataset(path: first.directory, reason: "it holds another dataset")) {
            try dataset(DatasetFixture.request(seed: 8))
        }
        var manner = DatasetPreparation.Manner()
        manner.replaces = true
        let other = try DatasetPreparation.prepare(
            DatasetFixture.request(seed: 8), into: first.directory, manner: manner)
        #expect(other.digest != first.digest)
        #expect(folder.contents == ["data"])
        // What was open stays readable.
        _ = try ExampleReader(first, seed: 1).example(sequence: 64, split: .training, number: 0)
    }

    @Test("a full disk leaves no folder and says so", arguments: [0, 3_000, 60_000, 150_000])
    func fullDisk(space: Int) throws {
        var manner = DatasetPreparation.Manner()
        manner.space = DiskSpace(bytes: space)
        let error = try #require(throws: CorpusError.self) {
            try DatasetPreparation.prepare(DatasetFixture.request(), into: folder.file("data"), manner: manner)
        }
        guard case .unwritable(_, let reason) = error else {
            Issue.record("another error: \(error)")
            return
        }
        #expect(reason == "No space left on device")
        #expect(folder.contents.isEmpty)
    }

    @Test("a full disk leaves whole shards, and the next build goes on from them to the same bytes")
    func continuing() throws {
        let whole = try DatasetPreparation.prepare(
            DatasetFixture.request(), into: folder.file("whole"), manner: manner(space: nil))
        #expect(whole.manifest.shards.count > 4)
        let size = whole.manifest.files.reduce(0) { $0 + $1.bytes }
        #expect(throws: CorpusError.self) {
            try DatasetPreparation.prepare(
                DatasetFixture.request(), into: folder.file("data"), manner: manner(space: size / 2))
        }
        // A shard that the disk has damaged since is made again.
        let partial = folder.file(".data.partial")
        let records = try FileManager.default.contentsOfDirectory(atPath: partial).filter {
            $0.hasSuffix(".shard.json")
        }
        #expect(records.count > 1 && records.count < whole.manifest.shards.count)
        let damaged = partial + "/training-00000-001.tokens"
        var bytes = try Data(contentsOf: URL(fileURLWithPath: damaged))
        bytes[0] ^= 1
        try bytes.write(to: URL(fileURLWithPath: damaged))

        let read = Mutex<[String]>([])
        var second = manner(space: nil)
        second.progress = { progress in read.withLock { $0.append(progress.stage.rawValue) } }
        let resumed = try DatasetPreparation.prepare(
            DatasetFixture.request(), into: folder.file("data"), manner: second)
        #expect(try DatasetFixture.contents(of: resumed.directory) == DatasetFixture.contents(of: whole.directory))
        #expect(folder.contents == ["data", "whole"])
        // The vocabulary was finished before.
        #expect(!read.withLock { $0.contains("counting words") })
    }

    /// Small shards that stay behind.
    private func manner(space: Int?) -> DatasetPreparation.Manner {
        var manner = DatasetPreparation.Manner()
        manner.keepsFinishedShards = true
        manner.shardTokens = 3_000
        manner.space = space.map { DiskSpace(bytes: $0) }
        return manner
    }

    @Test("what another dataset left unfinished is thrown away")
    func otherLeftovers() throws {
        #expect(throws: CorpusError.self) {
            try DatasetPreparation.prepare(
                DatasetFixture.request(seed: 77), into: folder.file("data"), manner: manner(space: 100_000))
        }
        #expect(folder.contents == [".data.partial"])
        let data = try DatasetPreparation.prepare(
            DatasetFixture.request(), into: folder.file("data"), manner: manner(space: nil))
        let fresh = try DatasetPreparation.prepare(
            DatasetFixture.request(), into: folder.file("fresh"), manner: manner(space: nil))
        #expect(try DatasetFixture.contents(of: data.directory) == DatasetFixture.contents(of: fresh.directory))
    }

    @Test("a cache is rid of what killed processes left of other datasets")
    func abandoned() throws {
        let cache = folder.file("cache")
        let stale = cache + "/.0123.partial"
        try FileManager.default.createDirectory(atPath: stale + "/deeper", withIntermediateDirectories: true)
        let data = try DatasetPreparation.prepare(DatasetFixture.request(), under: cache)
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: cache) == [
                (data.directory as NSString).lastPathComponent
            ])
        #expect(try DatasetPreparation.prepare(DatasetFixture.request(), under: cache).digest == data.digest)
    }

    @Test("cancelling at any moment leaves no folder", arguments: [1, 2, 3, 4, 6, 8])
    func cancelling(calls: Int) throws {
        let left = Mutex(calls)
        var manner = DatasetPreparation.Manner()
        manner.isCancelled = {
            left.withLock { left in
                left -= 1
                return left <= 0
            }
        }
        #expect(throws: CorpusError.cancelled) {
            try DatasetPreparation.prepare(
                DatasetFixture.request(documents: 800), into: folder.file("data"), manner: manner)
        }
        #expect(folder.contents.isEmpty)
    }

    @Test("of two preparations of one folder the second is refused while the first is at it")
    func twoAtOnce() throws {
        let path = folder.file("data")
        let refused = Mutex<[CorpusError]>([])
        var manner = DatasetPreparation.Manner()
        manner.progress = { progress in
            // In the middle of the first.
            guard progress.stage == .tokenizing, refused.withLock(\.isEmpty) else { return }
            do {
                try DatasetPreparation.prepare(DatasetFixture.request(), into: path)
            } catch let error as CorpusError {
                refused.withLock { $0.append(error) }
            } catch {
                Issue.record("another error: \(error)")
            }
        }
        try DatasetPreparation.prepare(DatasetFixture.request(), into: path, manner: manner)
        #expect(refused.withLock { $0 } == [.busy(path: path)])
        #expect(folder.contents == ["data"])
    }

    @Test("F32: a changed, cut or missing file of the folder is named when it is opened")
    func damage() throws {
        let directory = try dataset().directory
        for name in try FileManager.default.contentsOfDirectory(atPath: directory) where !name.hasSuffix(".tokens") {
            let path = directory + "/" + name
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            var changed = whole
            changed[whole.count / 2] ^= 0x20
            for bytes in [changed, whole.dropLast(), Data()] {
                try bytes.write(to: URL(fileURLWithPath: path))
                let error = #expect(throws: CorpusError.self, "\(name)") { _ = try Dataset(opening: directory) }
                #expect(error.map { "\($0)".contains(directory) } ?? false)
            }
            try FileManager.default.removeItem(atPath: path)
            #expect(throws: CorpusError.self, "\(name)") { try Dataset(opening: directory) }
            try whole.write(to: URL(fileURLWithPath: path))
        }
        #expect(throws: Never.self) { try Dataset(opening: directory) }
    }

    @Test("F32: changed tokens are found by the full check, and reading them never traps")
    func damagedTokens() throws {
        let directory = try dataset().directory
        let path = directory + "/training-00000-000.tokens"
        let whole = try Data(contentsOf: URL(fileURLWithPath: path))
        try Data(repeating: 0xff, count: whole.count).write(to: URL(fileURLWithPath: path))
        let data = try Dataset(opening: directory)
        #expect(throws: CorpusError.self) { try Dataset(opening: directory, verifying: .everything) }
        #expect(throws: CorpusError.self) {
            try ExampleReader(data, seed: 1).example(sequence: 64, split: .training, number: 0)
        }
        try whole.write(to: URL(fileURLWithPath: path))
        _ = try Dataset(opening: directory, verifying: .everything)
    }

    @Test("indexes of nonsense are refused example by example, with no trap")
    func damagedIndexes() throws {
        let directory = try dataset().directory
        for part in ["examples-64", "sentences", "documents"] {
            let path = directory + "/training-00000-000." + part
            let whole = try Data(contentsOf: URL(fileURLWithPath: path))
            for byte in [0x00, 0x01, 0x7f, 0xff] as [UInt8] {
                try Data(repeating: byte, count: whole.count).write(to: URL(fileURLWithPath: path))
                // As a worker opens it, which doesn't read it all.
                let reader = try ExampleReader(Dataset(opening: directory, verifying: .sizes), seed: 1)
                for number in 0..<20 {
                    _ = try? reader.example(sequence: 64, split: .training, number: number)
                }
            }
            try whole.write(to: URL(fileURLWithPath: path))
        }
    }

    @Test("a text that changes after its digest was taken is refused")
    func changedText() throws {
        let path = try folder.write(DatasetFixture.text(documents: 60), to: "text.txt")
        var request = DatasetFixture.request(files: [path])
        request.text = .files([DatasetRequest.TextFile(path: path, digest: String(repeating: "0", count: 64))])
        #expect(throws: CorpusError.changedText(path: path)) { try dataset(request) }
    }
}
