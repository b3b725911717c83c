import CZlib
import Digests
import Foundation
import Jobs

/// The bytes of a file in order, unpacked where the file is gzip. Memory use is two fixed buffers.
///
/// A gzip file is told by its first two bytes, not by its name; several members one after the other are one text, as for
/// `zcat`. Not safe to share between threads.
final class ByteSource {
    /// Compressed text never grows more than this; deflate's own ceiling is 1,032.
    static let largestRatio = 250
    /// The ratio is looked at once this much has come out.
    static let ratioGrace = 16 << 20
    private static let inputSize = 1 << 18
    private static let outputSize = 1 << 20

    let path: String
    /// The file's size on disk in bytes.
    let fileSize: Int
    /// Bytes of the file consumed so far (compressed bytes where it is gzip).
    private(set) var consumed = 0

    /// Bytes handed out so far.
    private(set) var unpacked = 0

    private let descriptor: Int32
    private var digest: SHA256?
    private let input = UnsafeMutableRawPointer.allocate(byteCount: inputSize, alignment: 64)
    private let output = UnsafeMutableRawPointer.allocate(byteCount: outputSize, alignment: 64)
    private var inflater: Inflater?
    private let unpacks: Bool
    private var isStarted = false

    /// Opens `path`, which must be a regular file. With `unpacks` false, gzip is handed on as it is; with `hashes` true,
    /// `finishDigest` can be asked for.
    init(path: String, unpacks: Bool = true, hashes: Bool = false) throws {
        self.path = path
        digest = hashes ? SHA256() : nil
        self.unpacks = unpacks
        var status = stat()
        guard stat(path, &status) == 0 else {
            if errno == ENOENT || errno == ENOTDIR { throw CorpusError.missing(path: path) }
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        if let kind = Self.kind(mode: status.st_mode) { throw CorpusError.notAFile(path: path, kind: kind) }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
        }
        fileSize = Int(status.st_size)
    }

    deinit {
        if descriptor >= 0 { close(descriptor) }
        input.deallocate()
        output.deallocate()
    }

    /// What a mode other than a regular file's is called; nil for a regular file.
    private static func kind(mode: mode_t) -> String? {
        switch mode & S_IFMT {
        case S_IFREG: nil
        case S_IFDIR: "a directory"
        case S_IFIFO: "a pipe"
        case S_IFSOCK: "a socket"
        case S_IFCHR, S_IFBLK: "a device"
        default: "no regular file"
        }
    }

    /// SHA-256 of the file as it lies on disk, of which the rest is read. Nothing more can be read then.
    func finishDigest(isCancelled: () -> Bool = { false }) throws -> String {
        while try fill() > 0 { if isCancelled() { throw CorpusError.cancelled } }
        defer { digest = nil }
        return digest?.finish() ?? ""
    }

    /// The next bytes, valid until the next call; nil at the end.
    func next() throws -> UnsafeRawBufferPointer? {
        if !isStarted, unpacks {
            isStarted = true
            let count = try fill()
            if count >= 2, input.load(as: UInt8.self) == 0x1f, input.load(fromByteOffset: 1, as: UInt8.self) == 0x8b {
                let inflater = try Inflater(path: path)
                inflater.give(input, count: count)
                self.inflater = inflater
            } else if path.hasSuffix(".gz"), count > 0 {
                throw CorpusError.damagedGzip(path: path, byte: 0, reason: "it doesn't begin as gzip does")
            } else {
                unpacked += count
                return count == 0 ? nil : UnsafeRawBufferPointer(start: input, count: count)
            }
        }
        guard let inflater else {
            let count = try fill()
            unpacked += count
            return count == 0 ? nil : UnsafeRawBufferPointer(start: input, count: count)
        }
        return try unpack(inflater)
    }

    private func unpack(_ inflater: Inflater) throws -> UnsafeRawBufferPointer? {
        while true {
            if inflater.needsInput {
                let count = try fill()
                if count == 0 {
                    guard inflater.isBetweenMembers else {
                        throw CorpusError.damagedGzip(path: path, byte: consumed, reason: "the file ends too early")
                    }
                    return nil
                }
                inflater.give(input, count: count)
            }
            let count = try inflater.step(into: output, capacity: Self.outputSize, before: consumed)
            unpacked += count
            let used = max(1, consumed - inflater.pending)
            if unpacked > Self.ratioGrace, unpacked / used > Self.largestRatio {
                throw CorpusError.gzipBomb(
                    path: path, byte: used, ratio: unpacked / used, limit: Self.largestRatio)
            }
            if count > 0 { return UnsafeRawBufferPointer(start: output, count: count) }
        }
    }

    private func fill() throws -> Int {
        while true {
            let count = read(descriptor, input, Self.inputSize)
            if count >= 0 {
                consumed += count
                digest?.update(UnsafeRawBufferPointer(start: input, count: count))
                return count
            }
            if errno != EINTR {
                throw CorpusError.unreadable(path: path, reason: String(cString: strerror(errno)))
            }
        }
    }
}

/// One zlib stream over the members of a gzip file. It owns its `z_stream`.
private final class Inflater {
    private let path: String
    private var stream = z_stream()
    /// Whether the last member is complete and no other has begun.
    private(set) var isBetweenMembers = false

    init(path: String) throws {
        self.path = path
        // 15 bits of window, + 16 for gzip framing alone.
        let code = inflateInit2_(&stream, 15 + 16, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { throw CorpusError.unreadable(path: path, reason: "zlib can't start (\(code))") }
    }

    deinit { inflateEnd(&stream) }

    var needsInput: Bool { stream.avail_in == 0 }
    var pending: Int { Int(stream.avail_in) }

    /// Lends `count` bytes, which must stay as they are until `needsInput`.
    func give(_ bytes: UnsafeMutableRawPointer, count: Int) {
        stream.next_in = bytes.assumingMemoryBound(to: UInt8.self)
        stream.avail_in = UInt32(count)
    }

    /// Unpacks some; `consumed` is how many bytes of the file have been given, for the message.
    func step(into output: UnsafeMutableRawPointer, capacity: Int, before consumed: Int) throws -> Int {
        if isBetweenMembers {
            if skipsPadding() { return 0 }
            inflateReset(&stream)
            isBetweenMembers = false
        }
        stream.next_out = output.assumingMemoryBound(to: UInt8.self)
        stream.avail_out = UInt32(capacity)
        let code = inflate(&stream, Z_NO_FLUSH)
        let made = capacity - Int(stream.avail_out)
        switch code {
        case Z_OK, Z_BUF_ERROR:
            return made
        case Z_STREAM_END:
            isBetweenMembers = true
            return made
        case _ where made > 0:
            // What came out before the damage is whole; the next step meets the damage again.
            return made
        default:
            let reason = stream.msg.map { String(cString: $0) } ?? "zlib code \(code)"
            throw CorpusError.damagedGzip(path: path, byte: consumed - pending, reason: reason)
        }
    }

    /// Zero bytes after a member are padding (tapes, block devices).
    private func skipsPadding() -> Bool {
        while stream.avail_in > 0, let next = stream.next_in, next.pointee == 0 {
            stream.next_in = next + 1
            stream.avail_in -= 1
        }
        return stream.avail_in == 0
    }
}
