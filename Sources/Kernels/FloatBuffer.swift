import Glibc

/// The one owner of an aligned allocation of floats, zero at first.
///
/// Pointers are valid as long as the object lives. Large private buffers begin at a huge page and ask for huge pages.
/// `@unchecked Sendable`: the address never changes; who writes which elements when is for the owner to order, as with
/// any memory that threads share.
public final class FloatBuffer: @unchecked Sendable {
    /// Number of elements.
    public let count: Int
    /// The first element, at a multiple of 64 bytes.
    public let pointer: UnsafeMutablePointer<Float>
    private let mapping: UnsafeMutableRawPointer
    private let mappedBytes: Int
    private let file: SharedMemoryFile?

    /// All elements.
    public var buffer: UnsafeMutableBufferPointer<Float> { UnsafeMutableBufferPointer(start: pointer, count: count) }

    /// Where other processes find the elements, the first one at byte 0; nil for private memory.
    public var shared: SharedMemory? { file?.memory }

    /// Maps zeroed memory for `count` elements; traps where the system has none left, as any allocation does.
    ///
    /// - Parameter isShared: whether other processes of this host may map it, for reading. Where the system refuses files
    ///   of memory, it is private all the same.
    public init(count: Int, isShared: Bool = false) {
        precondition(count >= 0 && count < 1 << 46, "a buffer of \(count) floats")
        let bytes = max(count * MemoryLayout<Float>.stride, 1)
        self.count = count
        let file = isShared ? SharedMemoryFile(bytes: Self.wholePages(bytes)) : nil
        self.file = file
        let start: UnsafeMutableRawPointer
        if let file {
            mappedBytes = file.memory.bytes
            mapping = Self.map(mappedBytes, MAP_SHARED, file.memory.descriptor)
            start = mapping
        } else {
            let isLarge = bytes >= Self.hugePage
            mappedBytes = Self.wholePages(isLarge ? bytes + 2 * Self.hugePage : bytes)
            mapping = Self.map(mappedBytes, MAP_PRIVATE | MAP_ANONYMOUS, -1)
            start = isLarge ? mapping.alignedUp(toMultipleOf: Self.hugePage) : mapping
            // Advice only: a kernel without huge pages answers with small ones.
            if isLarge { _ = madvise(start, Self.wholePages(bytes), MADV_HUGEPAGE) }
        }
        pointer = start.bindMemory(to: Float.self, capacity: max(count, 1))
    }

    private static let hugePage = 2 << 20

    private static func wholePages(_ bytes: Int) -> Int { (bytes + 4095) & ~4095 }

    private static func map(_ bytes: Int, _ flags: Int32, _ descriptor: Int32) -> UnsafeMutableRawPointer {
        let mapped = mmap(nil, bytes, PROT_READ | PROT_WRITE, flags, descriptor, 0)
        guard let mapped, mapped != MAP_FAILED else {
            preconditionFailure("no memory for \(bytes) bytes: \(String(cString: strerror(errno)))")
        }
        return mapped
    }

    /// Bytes of this buffer that are in memory at present: pages that nobody has touched yet take none.
    public var residentBytes: Int {
        let page = Int(getpagesize())
        let pages = (count * MemoryLayout<Float>.stride + page - 1) / page
        var states = [UInt8](repeating: 0, count: pages)
        guard pages > 0, mincore(UnsafeMutableRawPointer(pointer), pages * page, &states) == 0 else { return 0 }
        return page * states.reduce(0) { $0 + Int($1 & 1) }
    }

    /// Gives pages back to the system; elements there are zero when they are touched again.
    ///
    /// - Parameter bytes: whole pages of this buffer.
    public func giveBack(_ bytes: Range<Int>) {
        madvise(
            UnsafeMutableRawPointer(pointer) + bytes.lowerBound, bytes.count, file == nil ? MADV_DONTNEED : MADV_REMOVE)
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
