import Foundation

/// A file mapped into memory, read-only, for as long as the object lives.
///
/// Sendable: the mapping never changes after `init`, and only `deinit` unmaps it.
final class MappedFile: @unchecked Sendable {
    let path: String
    private let base: UnsafeMutableRawPointer?
    /// The file's size in bytes.
    let count: Int

    /// Maps `path`, a regular file.
    init(path: String) throws {
        self.path = path
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw CorpusError.missing(path: path) }
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CorpusError.notAFile(path: path, kind: "no regular file")
        }
        count = Int(status.st_size)
        guard count > 0 else {
            base = nil
            return
        }
        let address = mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let address, address != MAP_FAILED else {
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        base = address
    }

    deinit {
        if let base { munmap(base, count) }
    }

    /// The file's bytes; valid while the object lives.
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: base, count: count) }

    /// Gives back the memory of the bytes `range`, as far as they fill pages; asked for again, they are read again.
    func release(_ range: Range<Int>) {
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = (range.lowerBound + page - 1) / page * page
        let end = range.upperBound / page * page
        if let base, start < end { madvise(base + start, end - start, MADV_DONTNEED) }
    }

    /// The little-endian integer at element `index` of the file taken as an array; nil past its end.
    @inline(__always)
    func element<Value: FixedWidthInteger>(_ index: Int, as type: Value.Type) -> Value? {
        let offset = index * MemoryLayout<Value>.size
        guard index >= 0, offset + MemoryLayout<Value>.size <= count else { return nil }
        return Value(littleEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }
}
