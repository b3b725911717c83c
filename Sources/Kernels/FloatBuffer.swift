import Glibc

/// The one owner of an aligned allocation of floats, zero at first.
///
/// Pointers are valid as long as the object lives. Large buffers begin at a huge page and ask for huge pages.
/// `@unchecked Sendable`: the address never changes; who writes which elements when is for the owner to order, as with
/// any memory that threads share.
public final class FloatBuffer: @unchecked Sendable {
    /// Number of elements.
    public let count: Int
    /// The first element, at a multiple of 64 bytes.
    public let pointer: UnsafeMutablePointer<Float>
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int

    /// All elements.
    public var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

    /// Maps zeroed memory for `count` elements; traps where the system has none left, as any allocation does.
    public init(count: Int) {
        precondition(count >= 0 && count < 1 << 46, "a buffer of \(count) floats")
        let hugePage = 2 << 20
        let bytes = max(count * MemoryLayout<Float>.stride, 1)
        let isLarge = bytes >= hugePage
        mappedBytes = (bytes + (isLarge ? 2 * hugePage : 4096) - 1) & ~4095
        let mapped = mmap(nil, mappedBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let mapped, mapped != MAP_FAILED else {
            preconditionFailure("no memory for \(bytes) bytes: \(String(cString: strerror(errno)))")
        }
        mapping = mapped
        var start = mapped
        if isLarge {
            start = mapped.alignedUp(toMultipleOf: hugePage)
            // Advice only: a kernel without huge pages answers with small ones.
            _ = madvise(start, (bytes + 4095) & ~4095, MADV_HUGEPAGE)
        }
        self.count = count
        pointer = start.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    /// Bytes of this buffer that are in memory at present: pages that nobody has touched yet take none.
    public var residentBytes: Int {
        let page = Int(getpagesize())
        let pages = (count * MemoryLayout<Float>.stride + page - 1) / page
        var states = [UInt8](repeating: 0, count: pages)
        guard pages > 0, mincore(UnsafeMutableRawPointer(pointer), pages * page, &states) == 0 else { return 0 }
        return page * states.reduce(0) { $0 + Int($1 & 1) }
    }

    deinit {
        munmap(mapping, mappedBytes)
    }
}

extension UnsafeMutableRawPointer {
    fileprivate func alignedUp(toMultipleOf alignment: Int) -> UnsafeMutableRawPointer {
        let address = Int(bitPattern: self)
        return self + ((address + alignment - 1) / alignment * alignment - address)
    }
}
