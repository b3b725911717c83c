import CSharedMemory
import Glibc

/// Where other processes of this host find memory of one: in an anonymous file, which has no name in any file system, so
/// that nothing is left of it once the last process that maps it has ended, however it ended.
public struct SharedMemory: Hashable, Sendable {
    /// The process that owns it, and the file's descriptor there.
    public var processID: Int32
    public var descriptor: Int32
    /// Tells the file from every other that has, or will have, this descriptor of a process with this number.
    public var nonce: UInt64
    /// The file's size, which is sealed.
    public var bytes: Int

    /// Memory of the given parts.
    public init(processID: Int32, descriptor: Int32, nonce: UInt64, bytes: Int) {
        self.processID = processID
        self.descriptor = descriptor
        self.nonce = nonce
        self.bytes = bytes
    }

    /// The name under which the file is shown in /proc, and nowhere else.
    var name: String {
        let digits = String(nonce, radix: 16)
        return "wafermark-" + String(repeating: "0", count: 16 - digits.count) + digits
    }

    /// What the link of an open descriptor of the file shows.
    fileprivate var link: String { "/memfd:\(name) (deleted)" }
}

/// Owns the file that memory of this process is in.
final class SharedMemoryFile {
    let memory: SharedMemory

    /// A file of `bytes` zeros; nil where the system gives none.
    init?(bytes: Int) {
        var memory = SharedMemory(
            processID: getpid(), descriptor: -1, nonce: UInt64.random(in: .min ... .max), bytes: bytes)
        memory.descriptor = wm_memory_file(memory.name, bytes)
        guard memory.descriptor >= 0 else { return nil }
        self.memory = memory
    }

    deinit { close(memory.descriptor) }
}

/// Another process's memory, mapped for reading. The mapping, and the memory with it, stays as long as this object lives,
/// also where the other process has ended.
///
/// `@unchecked Sendable`: the address never changes, and nobody writes through it.
public final class SharedMemoryView: @unchecked Sendable {
    /// All bytes. What they hold is the other process's to change.
    public let bytes: UnsafeRawBufferPointer

    /// Maps `memory`.
    ///
    /// What `memory` says may come from anybody: the file is opened only where its name is the one that this package gives,
    /// and mapped only where its size is the announced one and can't change, so that no page of it can ever be missing.
    ///
    /// The file is opened through /proc: the kernel asks for the right to read the other process's memory, which a process
    /// of the same user has under every setting of Yama, and which one in another container has not.
    ///
    /// - Throws: `SharedMemoryError`.
    public init(opening memory: SharedMemory) throws(SharedMemoryError) {
        let path = "/proc/\(memory.processID)/fd/\(memory.descriptor)"
        func fail(_ reason: String) -> SharedMemoryError { SharedMemoryError(path: path, reason: reason) }
        // Looked at first: to open a device or a pipe may do something, or wait without end.
        guard let found = Self.link(path) else { throw fail(String(cString: strerror(errno))) }
        guard found == memory.link else { throw fail("it is '\(found.prefix(64))', not '\(memory.link)'") }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)
        guard descriptor >= 0 else { throw fail(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        guard Self.link("/proc/self/fd/\(descriptor)") == memory.link else { throw fail("it was replaced meanwhile") }
        var facts = stat()
        guard fstat(descriptor, &facts) == 0, facts.st_size == off_t(memory.bytes), memory.bytes > 0 else {
            throw fail("it has \(facts.st_size) bytes; \(memory.bytes) were announced")
        }
        guard wm_is_size_sealed(descriptor) != 0 else { throw fail("its size is not sealed") }
        let mapped = mmap(nil, memory.bytes, PROT_READ, MAP_SHARED, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else { throw fail("mmap: \(String(cString: strerror(errno)))") }
        bytes = UnsafeRawBufferPointer(start: mapped, count: memory.bytes)
    }

    deinit { munmap(UnsafeMutableRawPointer(mutating: bytes.baseAddress), bytes.count) }

    /// `count` numbers from byte `first` on; nil where they don't lie wholly in the memory, aligned as f32 are.
    public func numbers(from first: Int, count: Int) -> UnsafePointer<Float>? {
        let stride = MemoryLayout<Float>.stride
        guard first >= 0, first <= bytes.count, first % stride == 0, count >= 0, count <= (bytes.count - first) / stride
        else { return nil }
        return bytes.baseAddress.map { ($0 + first).assumingMemoryBound(to: Float.self) }
    }

    private static func link(_ path: String) -> String? {
        var target = [CChar](repeating: 0, count: 256)
        let count = readlink(path, &target, target.count)
        return count < 0 ? nil : String(decoding: target.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

/// Why another process's memory can't be read.
public struct SharedMemoryError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, and what is wrong.
    public var path: String
    public var reason: String

    /// An error of the given parts.
    public init(path: String, reason: String) {
        self.path = path
        self.reason = reason
    }

    public var description: String { "\(path) can't be mapped: \(reason)" }
}
