import Digests
import Foundation
import Jobs

/// The texts of a request, in order, cut into groups that are read independently of each other.
///
/// Where a group ends depends on the files' sizes alone, so that equal texts make equal datasets on any number of threads.
struct InputText: Sendable {
    /// A text file.
    struct File: Sendable {
        var path: String
        /// The name without the folder.
        var name: String
        /// SHA-256 of it as it lies on disk.
        var digest: String
        /// Its size on disk.
        var bytes: Int
        /// Whether the digest was read off this very file just now, so that it needn't be checked again.
        var isChecked: Bool
    }

    /// What is read by one thread, in order.
    enum Group: Sendable {
        case files(Range<Int>)
        case synthetic(documents: Int, seed: UInt64)
    }

    /// A group holds at least this much, except the last: about a second's work where the files are packed.
    static let groupBytes = 16 << 20

    /// The files; none where the text is synthetic.
    let files: [File]
    /// The groups, in order.
    let groups: [Group]
    /// The size of everything, in the unit of `PreparationMonitor.advance` for `forEachDocument`.
    let parts: Int

    /// The text of a request. Files whose digest isn't known are read.
    init(
        _ text: DatasetRequest.Text, groupBytes: Int = Self.groupBytes, monitor: PreparationMonitor
    ) throws {
        switch text {
        case .synthetic(let documents, let seed):
            files = []
            groups = [.synthetic(documents: documents, seed: seed)]
            parts = documents
        case .files(let named):
            var files: [File] = []
            for file in named {
                let name = (file.path as NSString).lastPathComponent
                if let digest = file.digest {
                    files.append(
                        File(
                            path: file.path, name: name, digest: digest,
                            bytes: try ByteSource(path: file.path).fileSize, isChecked: false))
                } else {
                    let (digest, bytes) = try SHA256.ofFile(file.path) { (try? monitor.check()) == nil }
                    files.append(
                        File(path: file.path, name: name, digest: digest, bytes: bytes, isChecked: true))
                }
            }
            self.files = files
            var groups: [Group] = []
            var first = 0
            var bytes = 0
            for (index, file) in files.enumerated() {
                bytes += file.bytes
                if bytes >= groupBytes || index == files.count - 1 {
                    groups.append(.files(first..<index + 1))
                    first = index + 1
                    bytes = 0
                }
            }
            self.groups = groups
            parts = files.reduce(0) { $0 + $1.bytes }
        }
    }

    /// What identifies the text: its files' names and digests, or the generator's arguments.
    var identity: String {
        files.isEmpty
            ? groups.map { "\($0)" }.joined() : files.map { "\($0.name) \($0.digest)" }.joined(separator: "\n")
    }

    /// Calls `body` with every document of a group, in order; returns what its texts were.
    func forEachDocument(
        of group: Group, monitor: PreparationMonitor, _ body: (TextDocument) throws -> Void
    ) throws -> [DatasetManifest.Source] {
        switch group {
        case .files(let range):
            return try files[range].map { file in
                if !file.isChecked, try SHA256.ofFile(file.path).digest != file.digest {
                    throw CorpusError.changedText(path: file.path)
                }
                let reader = try TextReader(path: file.path)
                let documents = try read(reader, parts: file.bytes, monitor: monitor, body)
                return DatasetManifest.Source(
                    name: file.name, bytes: file.bytes, digest: file.digest, documents: documents,
                    replacedSequences: reader.replacedSequences)
            }
        case .synthetic(let count, let seed):
            let source = SyntheticAbstracts(documents: count, seed: seed)
            let documents = try read(source, parts: count, monitor: monitor, body)
            return [
                DatasetManifest.Source(
                    name: "synthetic abstracts, seed \(seed)", bytes: 0, digest: "", documents: documents,
                    replacedSequences: 0)
            ]
        }
    }

    private func read(
        _ source: some DocumentSource, parts: Int, monitor: PreparationMonitor, _ body: (TextDocument) throws -> Void
    ) throws -> Int {
        var document = TextDocument()
        var count = 0
        var told = (documents: 0, bytes: 0, parts: 0)
        var bytes = 0
        func tell() throws {
            let read = Int(source.fractionRead * Double(parts))
            try monitor.advance(
                parts: read - told.parts, documents: count - told.documents, textBytes: bytes - told.bytes)
            told = (count, bytes, read)
        }
        while try source.next(into: &document) {
            if count & 255 == 0 { try tell() }
            try body(document)
            count += 1
            bytes += document.bytes.count
        }
        try tell()
        return count
    }
}
