import Foundation
import Jobs
import Synchronization

/// How far an import has come.
public struct ImportProgress: Sendable, Hashable {
    /// What is being done.
    public enum Stage: String, Sendable, Hashable, Codable {
        /// The files are read and what may be kept is staged.
        case reading
        /// Revisions and copies are found.
        case choosing
        /// The text is written.
        case writing
    }

    /// What is being done.
    public var stage: Stage
    /// Files read, those of earlier runs included.
    public var filesDone: Int
    /// Files in all.
    public var files: Int
    /// Abstracts read in this run.
    public var abstracts: Int
    /// Bytes of the files read in this run, as they lie on disk.
    public var bytesRead: Int
    /// Bytes of the files that this run has to read.
    public var bytesToRead: Int
    /// Bytes read in this run, unpacked.
    public var unpackedBytes: Int
    /// Bytes of text written in this run.
    public var bytesWritten: Int
    /// Shards that are written, and those that have to be.
    public var shardsWritten: Int
    public var shardsToWrite: Int
    /// Host time since the start.
    public var elapsed: HostSeconds

    /// The share of the work that is done, in [0, 1]: reading takes most of it.
    public var fraction: Double {
        switch stage {
        case .reading: bytesToRead == 0 ? 0 : 0.8 * min(1, Double(bytesRead) / Double(bytesToRead))
        case .choosing: 0.8
        case .writing: 0.82 + 0.18 * (shardsToWrite == 0 ? 1 : Double(shardsWritten) / Double(shardsToWrite))
        }
    }

    /// Unpacked bytes read a second of host time.
    public var bytesPerSecond: Double { elapsed.seconds > 0 ? Double(unpackedBytes) / elapsed.seconds : 0 }

    /// Host time until the end at the pace so far; nil before there is one.
    public var remaining: HostSeconds? {
        guard fraction > 0.005, elapsed.seconds > 0.2 else { return nil }
        return HostSeconds(elapsed.seconds * (1 - fraction) / fraction)
    }
}

/// Counts what an import's threads do, for whoever wants to look.
final class ImportMeter: Sendable {
    private let start = ContinuousClock.now
    private let filesDone = Atomic(0)
    private let abstracts = Atomic(0)
    private let bytesRead = Atomic(0)
    private let unpackedBytes = Atomic(0)
    private let bytesWritten = Atomic(0)
    private let shardsWritten = Atomic(0)
    private struct Plan {
        var stage = ImportProgress.Stage.reading
        var files = 0
        var bytesToRead = 0
        var shardsToWrite = 0
        var faults: [String] = []
        /// When choosing and writing began.
        var choosing: ContinuousClock.Instant?
        var writing: ContinuousClock.Instant?
    }
    private let plan = Mutex(Plan())

    func begin(files: Int, alreadyRead: Int, bytesToRead: Int) {
        plan.withLock {
            $0.files = files
            $0.bytesToRead = bytesToRead
        }
        filesDone.store(alreadyRead, ordering: .relaxed)
    }

    func enter(_ stage: ImportProgress.Stage, shardsToWrite: Int = 0) {
        plan.withLock {
            $0.stage = stage
            $0.shardsToWrite = shardsToWrite
            switch stage {
            case .reading: break
            case .choosing: $0.choosing = .now
            case .writing: $0.writing = .now
            }
        }
    }

    /// How long each stage took; the last until now.
    var stageSeconds: (reading: Double, choosing: Double, writing: Double) {
        let plan = plan.withLock { $0 }
        let now = ContinuousClock.now
        let choosing = plan.choosing ?? now
        let writing = plan.writing ?? now
        return ((choosing - start) / .seconds(1), (writing - choosing) / .seconds(1), (now - writing) / .seconds(1))
    }

    func finishFile() { filesDone.add(1, ordering: .relaxed) }
    func finishShard() { shardsWritten.add(1, ordering: .relaxed) }
    func write(text count: Int) { bytesWritten.add(count, ordering: .relaxed) }

    fileprivate func read(bytes: Int, unpacked: Int, abstracts: Int) {
        bytesRead.add(bytes, ordering: .relaxed)
        unpackedBytes.add(unpacked, ordering: .relaxed)
        self.abstracts.add(abstracts, ordering: .relaxed)
    }

    /// Keeps a line on what is wrong with a file until it is asked for.
    func tell(_ line: String) { plan.withLock { $0.faults.append(line) } }

    /// The lines since the last call.
    func takeFaults() -> [String] {
        plan.withLock { plan in
            defer { plan.faults = [] }
            return plan.faults
        }
    }

    var progress: ImportProgress {
        let plan = plan.withLock { $0 }
        let elapsed = ContinuousClock.now - start
        return ImportProgress(
            stage: plan.stage, filesDone: filesDone.load(ordering: .relaxed), files: plan.files,
            abstracts: abstracts.load(ordering: .relaxed), bytesRead: bytesRead.load(ordering: .relaxed),
            bytesToRead: plan.bytesToRead, unpackedBytes: unpackedBytes.load(ordering: .relaxed),
            bytesWritten: bytesWritten.load(ordering: .relaxed), shardsWritten: shardsWritten.load(ordering: .relaxed),
            shardsToWrite: plan.shardsToWrite, elapsed: HostSeconds(elapsed / .seconds(1)))
    }
}

/// Hands what one file's reading has done to the meter, now and then.
struct MeterFeed {
    private let meter: ImportMeter
    private let source: ByteSource
    private var told = (bytes: 0, unpacked: 0, abstracts: 0)

    init(meter: ImportMeter, source: ByteSource) {
        self.meter = meter
        self.source = source
    }

    /// Tells what is new, once a chunk.
    mutating func update(abstracts: Int, isDone: Bool = false) {
        guard isDone || source.unpacked != told.unpacked else { return }
        let now = (source.consumed, source.unpacked, abstracts)
        meter.read(
            bytes: now.0 - told.bytes, unpacked: now.1 - told.unpacked, abstracts: max(0, abstracts - told.abstracts))
        told = now
    }
}
