import Foundation

#if canImport(Glibc)
    import Glibc
#endif

/// A file that is in memory alone and has a path, for decoders that open theirs.
struct MemoryFile {
    private let descriptor: Int32
    /// Leads to the file for as long as this process lives.
    let path: String

    init(_ name: String) {
        // Nameless at once, so that nothing is left of a process that was ended by a finding.
        let place = "/dev/shm/wafermark-fuzz-\(getpid())-\(name)"
        descriptor = open(place, O_RDWR | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { fatalError("\(place): \(String(cString: strerror(errno)))") }
        unlink(place)
        path = "/proc/self/fd/\(descriptor)"
    }

    /// Makes `bytes` the file's contents.
    func fill(_ bytes: UnsafeRawBufferPointer) {
        guard ftruncate(descriptor, 0) == 0,
            bytes.isEmpty || pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count
        else { fatalError("memory file: \(String(cString: strerror(errno)))") }
    }
}
