import BERT
import Digests
import Foundation
import Jobs

/// One checkpoint on disk: a folder of `weights.safetensors`, `first_moments.safetensors`, `second_moments.safetensors`,
/// `checkpoint.json`, and `SHA256SUMS` over all, in the form that `sha256sum -c` reads. A sparse job's has `masks.bin` too:
/// the words of all masks as `MaskLayout` lays them out, 8 bytes each, little-endian.
///
/// The folder appears whole or not at all, and is read only after every byte has been checked.
public struct CheckpointFolder: Hashable, Sendable {
    /// Where it lies.
    public let path: String

    /// The folder at `path`; nothing is read yet.
    public init(path: String) { self.path = path }

    static let sumsFile = "SHA256SUMS"
    static let stateFile = "checkpoint.json"
    static let weightsFile = "weights.safetensors"
    static let firstMomentsFile = "first_moments.safetensors"
    static let secondMomentsFile = "second_moments.safetensors"
    static let masksFile = "masks.bin"
    private static let files = [weightsFile, firstMomentsFile, secondMomentsFile, stateFile]

    /// Checks every file against `SHA256SUMS` and reads the state.
    ///
    /// - Throws: `TrainingError.checkpoint` naming the file that is missing, short or changed.
    public func verify() throws -> CheckpointState {
        let sums = try readSums()
        for name in Self.files + (sums[Self.masksFile] == nil ? [] : [Self.masksFile]) {
            guard let due = sums[name] else { throw failure("no sum of \(name) in \(Self.sumsFile)", "one") }
            let sum = try Self.sha256(ofFile: "\(path)/\(name)")
            guard sum == due else {
                throw failure("\(name) with SHA-256 \(sum.prefix(16))…", "\(due.prefix(16))…, as when it was written")
            }
        }
        let state = try readState()
        if state.job.sparsity != nil, sums[Self.masksFile] == nil {
            throw failure("no \(Self.masksFile), though the job is sparse", "the masks' file")
        }
        return state
    }

    /// What the checkpoint says of itself, unverified.
    func readState() throws -> CheckpointState {
        guard let json = FileManager.default.contents(atPath: "\(path)/\(Self.stateFile)") else {
            throw failure("no readable \(Self.stateFile)", "one")
        }
        return try CheckpointState(json: Array(json), path: path)
    }

    /// Writes a checkpoint to this path, over none.
    ///
    /// - Parameters:
    ///   - buffers: flat buffers of `layout.elementCount` elements.
    ///   - masks: of a sparse job.
    func write(
        layout: ParameterLayout, state: CheckpointState,
        buffers: (
            weights: UnsafePointer<Float>, firstMoments: UnsafePointer<Float>, secondMoments: UnsafePointer<Float>
        ), masks: WeightMasks?
    ) throws {
        let folder = try AtomicFolder(path: path)
        var sums = ""
        for (name, values) in [
            (Self.weightsFile, buffers.weights), (Self.firstMomentsFile, buffers.firstMoments),
            (Self.secondMomentsFile, buffers.secondMoments),
        ] {
            let sum = SHA256()
            try SafeTensorsWriter.write(
                HuggingFaceModel.tensors(layout: layout, values: values), to: "\(folder.temporary)/\(name)"
            ) { sum.update($0) }
            sums += "\(sum.finish())  \(name)\n"
        }
        if let masks {
            let bytes = Array(Data(bytesNoCopy: masks.words, count: masks.layout.wordCount * 8, deallocator: .none))
            try Self.writeFile(bytes, to: "\(folder.temporary)/\(Self.masksFile)")
            sums += "\(bytes.withUnsafeBytes { SHA256.hexadecimal(of: $0) })  \(Self.masksFile)\n"
        }
        let json = try state.json()
        try Self.writeFile(json, to: "\(folder.temporary)/\(Self.stateFile)")
        sums += "\(json.withUnsafeBytes { SHA256.hexadecimal(of: $0) })  \(Self.stateFile)\n"
        try Self.writeFile(Array(sums.utf8), to: "\(folder.temporary)/\(Self.sumsFile)")
        try folder.commit()
    }

    /// Reads one of the files of tensors into `values`; every tensor of `layout` must be there.
    func read(_ name: String, layout: ParameterLayout, into values: UnsafeMutablePointer<Float>) throws {
        let file = try SafeTensorsFile(opening: "\(path)/\(name)")
        for tensor in layout.tensors {
            guard let entry = file.entry(tensor.name), entry.shape == tensor.shape, entry.type == .float32 else {
                throw failure(
                    "no tensor '\(tensor.name)' of shape \(tensor.shape) in \(name)", "every parameter, in F32")
            }
            try file.read(entry, into: values + tensor.range.lowerBound)
        }
    }

    /// Reads the masks; their file must have the layout's size.
    func read(masks: WeightMasks) throws {
        let size = masks.layout.wordCount * 8
        guard let data = FileManager.default.contents(atPath: "\(path)/\(Self.masksFile)"), data.count == size else {
            throw failure("no \(Self.masksFile) of \(size) bytes", "one bit for each weight of the sparse matrices")
        }
        data.withUnsafeBytes {
            UnsafeMutableRawPointer(masks.words).copyMemory(
                from: $0.baseAddress ?? UnsafeRawPointer(masks.words), byteCount: size)
        }
    }

    private func readSums() throws -> [String: String] {
        guard let data = FileManager.default.contents(atPath: "\(path)/\(Self.sumsFile)"), data.count < 1 << 16 else {
            throw failure("no readable \(Self.sumsFile)", "a whole checkpoint")
        }
        var sums: [String: String] = [:]
        for line in String(decoding: data, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: " ", omittingEmptySubsequences: true)
            guard parts.count == 2, parts[0].count == 64 else {
                throw failure("a line '\(line.prefix(80))' in \(Self.sumsFile)", "a sum and a name")
            }
            sums[String(parts[1])] = String(parts[0])
        }
        return sums
    }

    private static func sha256(ofFile path: String) throws -> String {
        guard let handle = FileHandle(forReadingAtPath: path) else {
            throw TrainingError.checkpoint(path: path, found: "no such file", allowed: "a whole checkpoint")
        }
        defer { try? handle.close() }
        let sum = SHA256()
        while let chunk = try handle.read(upToCount: 4 << 20), !chunk.isEmpty {
            chunk.withUnsafeBytes { sum.update($0) }
        }
        return sum.finish()
    }

    private static func writeFile(_ bytes: [UInt8], to path: String) throws {
        let file = try AtomicFile(path: path)
        try file.write(bytes)
        try file.commit()
    }

    private func failure(_ found: String, _ allowed: String) -> TrainingError {
        .checkpoint(path: path, found: found, allowed: allowed)
    }
}
