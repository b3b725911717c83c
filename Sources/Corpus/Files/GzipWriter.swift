import CZlib
import Foundation

/// Writes a gzip file: what it is given is packed on the way to a `FileWriter`.
final class GzipWriter {
    private static let outputSize = 1 << 18
    /// Text of abstracts packs to 38 % at level 1, 33 % at level 6, which takes three times as long.
    private static let level: Int32 = 1

    private let file: FileWriter
    private var stream = z_stream()
    private let output = UnsafeMutablePointer<UInt8>.allocate(capacity: outputSize)

    init(_ file: FileWriter) throws {
        self.file = file
        // 15 bits of window, + 16 for gzip framing.
        let code = deflateInit2_(
            &stream, Self.level, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY, ZLIB_VERSION,
            Int32(MemoryLayout<z_stream>.size))
        guard code == Z_OK else { throw CorpusError.unwritable(path: "", reason: "zlib can't start (\(code))") }
    }

    deinit {
        deflateEnd(&stream)
        output.deallocate()
    }

    /// Appends `data`.
    func write(_ data: UnsafeRawBufferPointer) throws { try pack(data, flush: Z_NO_FLUSH) }

    /// Ends the stream and the file, and says what was written.
    func finish() throws -> FileWriter.Summary {
        try pack(UnsafeRawBufferPointer(start: nil, count: 0), flush: Z_FINISH)
        return try file.finish()
    }

    private func pack(_ data: UnsafeRawBufferPointer, flush: Int32) throws {
        guard flush == Z_FINISH || data.count > 0 else { return }
        // zlib doesn't write to its input.
        stream.next_in = UnsafeMutablePointer(
            mutating: data.baseAddress?.assumingMemoryBound(to: UInt8.self))
        stream.avail_in = UInt32(data.count)
        repeat {
            stream.next_out = output
            stream.avail_out = UInt32(Self.outputSize)
            deflate(&stream, flush)
            let made = Self.outputSize - Int(stream.avail_out)
            try file.write(UnsafeRawBufferPointer(start: output, count: made))
        } while stream.avail_out == 0
    }
}
