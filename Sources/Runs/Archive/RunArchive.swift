import Digests
import Foundation
import Jobs

/// One run's whole record as one file, so that it can be reported on beside the runs of other machines.
///
/// The file is JSON: `format`, `version`, `sha256` of the record's canonical JSON, and `record`. Files of the run
/// (checkpoints, the model, logs) are not in it.
public enum RunArchive {
    private static let format = "wafermark-run"
    private static let version = 1
    /// The most bytes of a file that is read: about a million steps of eight workers.
    public static let byteLimit = 1 << 30

    private struct Envelope: Codable {
        var format: String
        var version: Int
        var sha256: String
        var record: RunRecord
    }

    /// What can be told of any version.
    private struct Heading: Decodable {
        var format: String
        var version: Int
    }

    /// The file's bytes.
    ///
    /// - Throws: `RunArchiveError.notEnded`; what the encoder throws.
    public static func encode(_ record: RunRecord) throws -> Data {
        guard record.run.state.isFinal else {
            throw RunArchiveError.notEnded(record.run.id, state: record.run.state.name)
        }
        let envelope = Envelope(format: format, version: version, sha256: try digest(of: record), record: record)
        return try encoder().encode(envelope) + Data("\n".utf8)
    }

    /// The record that the file's bytes hold, checked.
    ///
    /// - Parameter name: what the file is called in errors.
    /// - Throws: `RunArchiveError`.
    public static func decode(_ data: Data, name: String) throws(RunArchiveError) -> RunRecord {
        guard data.count <= byteLimit else { throw .tooLarge(file: name, bytes: data.count) }
        let heading: Heading
        do {
            heading = try JSONDecoder().decode(Heading.self, from: data)
        } catch {
            throw .notAnArchive(file: name)
        }
        guard heading.format == format else { throw .notAnArchive(file: name) }
        guard heading.version == version else {
            throw .otherVersion(file: name, found: heading.version, allowed: version)
        }
        let envelope: Envelope
        let digest: String
        do {
            envelope = try decoder().decode(Envelope.self, from: data)
            digest = try Self.digest(of: envelope.record)
        } catch {
            throw .malformed(file: name, detail: words(of: error))
        }
        guard digest == envelope.sha256 else { throw .altered(file: name) }
        try check(envelope.record, name: name)
        return envelope.record
    }

    /// Refuses what no run could have recorded: whoever writes a file can also write its digest.
    private static func check(_ record: RunRecord, name: String) throws(RunArchiveError) {
        func require(_ holds: Bool, _ key: String, _ allowed: String) throws(RunArchiveError) {
            guard holds else { throw .malformed(file: name, detail: "record.\(key): allowed is \(allowed)") }
        }
        let run = record.run
        try require(run.state.isFinal, "run.state", "a state that is final, found \(run.state.name)")
        if let problem = JobFile.problems(of: run.job).first {
            throw .malformed(file: name, detail: "record.run.job: \(problem)")
        }
        try require((1...4_096).contains(run.workers), "run.workers", "1 to 4096")
        let steps = run.job.totalSteps
        try require(
            zip(record.steps, record.steps.dropFirst()).allSatisfy { $0.step < $1.step }, "steps",
            "steps in order, each once")
        try require(record.steps.allSatisfy { (0..<steps).contains($0.step.index) }, "steps", "steps 0 to \(steps - 1)")
        try require(
            record.steps.allSatisfy {
                isTime($0.elapsed) && isTime($0.duration) && $0.sequences >= 0 && $0.tokens >= 0
            },
            "steps", "times and counts that are not negative")
        try require(
            record.workerSteps.allSatisfy {
                (0..<steps).contains($0.step.index) && (0..<65_536).contains($0.rank.index)
            },
            "workerSteps", "steps 0 to \(steps - 1) and ranks 0 to 65535")
        try require(
            record.workerSteps.allSatisfy { worker in
                worker.sent.count >= 0 && worker.uncompressed?.count ?? 0 >= 0
                    && [
                        worker.input, worker.compute, worker.exposedCommunication, worker.waiting, worker.optimizer,
                        worker.duration,
                    ].allSatisfy(isTime)
            }, "workerSteps", "times and bytes that are not negative")
        try require(
            record.workerSteps.compactMap(\.timeline).allSatisfy {
                $0.started.seconds.isFinite && $0.parts.areInOrder
            }, "workerSteps", "parts that begin one after the other")
        try require(
            record.evaluations.allSatisfy { (0...steps).contains($0.stepsMade) && isTime($0.elapsed) }, "evaluations",
            "0 to \(steps) steps made")
    }

    private static func isTime(_ time: HostSeconds) -> Bool { time.seconds.isFinite && time.seconds >= 0 }

    private static func digest(of record: RunRecord) throws -> String {
        try encoder().encode(record).withUnsafeBytes { SHA256.hexadecimal(of: $0) }
    }

    private static func encoder() -> JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // A loss can be no number.
        encoder.nonConformingFloatEncodingStrategy = .convertToString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return encoder
    }

    private static func decoder() -> JSONDecoder {
        let decoder = JSONDecoder()
        decoder.nonConformingFloatDecodingStrategy = .convertFromString(
            positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
        return decoder
    }

    private static func words(of error: any Error) -> String {
        guard let error = error as? DecodingError else { return PrintableText.plain("\(error)") }
        func place(_ context: DecodingError.Context) -> String {
            let path = context.codingPath.map(\.stringValue).joined(separator: ".")
            return PrintableText.plain((path.isEmpty ? "" : path + ": ") + context.debugDescription)
        }
        return switch error {
        case .keyNotFound(_, let context), .typeMismatch(_, let context), .valueNotFound(_, let context),
            .dataCorrupted(let context):
            place(context)
        @unknown default: "it can't be read"
        }
    }
}

/// Why a run's file can't be written or read.
public enum RunArchiveError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A run that has not ended has no whole record.
    case notEnded(RunID, state: String)
    /// The file is none of a run.
    case notAnArchive(file: String)
    /// It was written by another version.
    case otherVersion(file: String, found: Int, allowed: Int)
    /// It is larger than any run's.
    case tooLarge(file: String, bytes: Int)
    /// Its record is not what its digest says.
    case altered(file: String)
    /// Something in it is not as a run's record is.
    case malformed(file: String, detail: String)

    public var description: String {
        switch self {
        case .notEnded(let id, let state):
            "run \(id) is \(state); only a run that has ended can be exported"
        case .notAnArchive(let file):
            "\(file) is no exported run; 'wafermark runs export ID' writes one"
        case .otherVersion(let file, let found, let allowed):
            "\(file) is of version \(found); this program reads version \(allowed): export it again with this one"
        case .tooLarge(let file, let bytes):
            "\(file) has \(bytes) bytes; \(RunArchive.byteLimit) at most are allowed"
        case .altered(let file):
            "\(file) was damaged or changed after it was exported: its SHA-256 is another; export the run again"
        case .malformed(let file, let detail): "\(file): \(detail)"
        }
    }
}
