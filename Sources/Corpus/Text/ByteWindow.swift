import Foundation

/// A window on a file's text that moves on: a chunk of it, and what is left of the chunk before. It grows where a caller
/// looks further ahead.
///
/// One thread's alone; no two accesses to its state overlap, and they are too many to be checked one by one (see
/// `XMLScanner`).
final class ByteWindow {
    private let source: ByteSource
    @exclusivity(unchecked) private var buffer: UnsafeMutableRawBufferPointer
    @exclusivity(unchecked) private var start = 0
    @exclusivity(unchecked) private var end = 0
    @exclusivity(unchecked) private var isAtEnd = false
    /// Bytes of the text before the window.
    @exclusivity(unchecked) private var passed = 0

    init(_ source: ByteSource) {
        self.source = source
        buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 64)
    }

    deinit { buffer.deallocate() }

    /// The place reached, counted in the unpacked text.
    @inline(__always)
    var byte: Int { passed + start }

    /// The bytes from the place reached to the end of the window; valid until the window moves.
    @inline(__always)
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: buffer[start..<end]) }

    /// Moves on by `count` bytes of the window.
    @inline(__always)
    func advance(_ count: Int) { start += count }

    /// Moves on to `byte` of the text, unless the place reached is there or further; false where the text ends before.
    func advance(to byte: Int) throws -> Bool {
        while self.byte < byte {
            advance(min(byte - self.byte, bytes.count))
            if self.byte < byte, try !extend() { return false }
        }
        return true
    }

    /// The byte `offset` after the place reached; nil past the end of the text.
    @inline(__always)
    func peek(_ offset: Int = 0) throws -> UInt8? {
        while start + offset >= end {
            if try !extend() { return nil }
        }
        return buffer[start + offset]
    }

    /// Takes more of the text into the window; false at its end.
    func extend() throws -> Bool {
        guard !isAtEnd else { return false }
        guard let chunk = try source.next() else {
            isAtEnd = true
            return false
        }
        let left = end - start
        if left + chunk.count > buffer.count {
            let larger = UnsafeMutableRawBufferPointer.allocate(
                byteCount: max(2 * buffer.count, left + chunk.count), alignment: 64)
            larger.copyMemory(from: bytes)
            buffer.deallocate()
            buffer = larger
        } else if left > 0, let base = buffer.baseAddress {
            memmove(base, base + start, left)
        }
        passed += start
        start = 0
        UnsafeMutableRawBufferPointer(rebasing: buffer[left...]).copyMemory(from: chunk)
        end = left + chunk.count
        return true
    }

    /// The offset of the first `mark` after the place reached. Nil where the text ends before, where it isn't among the
    /// next `limit` bytes, or, with `keeps` false, where it isn't in the window once that holds `limit` bytes.
    func find(_ mark: [UInt8], within limit: Int, keeps: Bool = true) throws -> Int? {
        var searched = 0
        while true {
            let bytes = self.bytes
            if let offset = Self.offset(of: mark, in: bytes, from: searched) {
                return keeps && offset > limit ? nil : offset
            }
            searched = max(0, bytes.count - mark.count + 1)
            if bytes.count > limit { return nil }
            if try !extend() { return nil }
        }
    }

    private static func offset(of mark: [UInt8], in bytes: UnsafeRawBufferPointer, from start: Int) -> Int? {
        guard let base = bytes.baseAddress, let first = mark.first else { return nil }
        var offset = start
        while bytes.count - offset >= mark.count {
            guard let found = memchr(base + offset, Int32(first), bytes.count - offset - mark.count + 1) else {
                return nil
            }
            offset = UnsafeRawPointer(found) - base
            if mark.withUnsafeBytes({ $0.elementsEqual(bytes[offset..<(offset + mark.count)]) }) { return offset }
            offset += 1
        }
        return nil
    }
}
