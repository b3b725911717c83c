import SystemPackage

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An open safetensors file whose header has been checked.
///
/// Tensors are read with `pread` straight to where they are wanted: one copy, as with a mapping, but a file that somebody
/// truncates meanwhile gives an error instead of a bus error.
public final class SafeTensorsFile: Sendable {
    /// The path that was opened.
    public let path: String
    /// What the file holds.
    public let header: SafeTensorsHeader
    private let entries: [String: SafeTensorsEntry]
    private let descriptor: FileDescriptor

    /// Opens the file at `path` and checks its header.
    public init(opening path: String) throws(ModelFileError) {
        let descriptor: FileDescriptor
        do {
            descriptor = try FileDescriptor.open(FilePath(path), .readOnly)
        } catch {
            throw .cannotRead(file: path, reason: "\(error)")
        }
        do throws(ModelFileError) {
            let fileSize = try Self.size(of: descriptor, path: path)
            let first = try Self.bytes(0..<min(8, fileSize), of: descriptor, path: path)
            let length = try first.withBytes { (bytes) throws(ModelFileError) in
                try SafeTensorsHeader.jsonLength(firstBytes: bytes, fileSize: fileSize, file: path)
            }
            let json = try Self.bytes(8..<8 + length, of: descriptor, path: path)
            header = try json.withBytes { (bytes) throws(ModelFileError) in
                try SafeTensorsHeader(json: bytes, fileSize: fileSize, file: path)
            }
        } catch {
            try? descriptor.close()
            throw error
        }
        self.path = path
        self.descriptor = descriptor
        entries = Dictionary(header.entries.map { ($0.name, $0) }) { first, _ in first }
    }

    deinit { try? descriptor.close() }

    /// The tensor called `name`, or nil.
    public func entry(_ name: String) -> SafeTensorsEntry? { entries[name] }

    /// Reads the tensor `entry` as f32 into `destination`, which holds `entry.elementCount` elements.
    ///
    /// F32 is copied; F16, BF16 and F64 are converted to the nearest f32; other types are refused.
    public func read(_ entry: SafeTensorsEntry, into destination: UnsafeMutablePointer<Float>) throws(ModelFileError) {
        let count = entry.elementCount
        switch entry.type {
        case .float32:
            let raw = UnsafeMutableRawBufferPointer(start: destination, count: count * 4)
            try Self.fill(raw, from: entry.bytes.lowerBound, of: descriptor, path: path)
        case .float16:
            try convert(entry, UInt16.self, into: destination) { Self.halfToFloat($0) }
        case .bfloat16:
            try convert(entry, UInt16.self, into: destination) { Float(bitPattern: UInt32($0) << 16) }
        case .float64:
            try convert(entry, UInt64.self, into: destination) { Float(Double(bitPattern: $0)) }
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3, .int16, .uint16, .int32, .uint32, .int64, .uint64:
            throw .tensor(
                file: path, tensor: entry.name, found: "dtype \(entry.type.rawValue)", allowed: "F32, F16, BF16 or F64")
        }
    }

    /// The file's bytes `range`, for those who hash it.
    package func readBytes(_ range: Range<Int>, into buffer: UnsafeMutableRawBufferPointer) throws(ModelFileError) {
        let part = UnsafeMutableRawBufferPointer(rebasing: buffer[0..<range.count])
        try Self.fill(part, from: range.lowerBound, of: descriptor, path: path)
    }

    private func convert<Word: FixedWidthInteger & Sendable>(
        _ entry: SafeTensorsEntry, _: Word.Type, into destination: UnsafeMutablePointer<Float>,
        _ value: (Word) -> Float
    ) throws(ModelFileError) {
        let size = MemoryLayout<Word>.size
        var words = [Word](repeating: 0, count: min(entry.elementCount, 1 << 16))
        var done = 0
        while done < entry.elementCount {
            let count = min(words.count, entry.elementCount - done)
            let offset = entry.bytes.lowerBound + done * size
            try words.withBytes { (bytes) throws(ModelFileError) in
                let part = UnsafeMutableRawBufferPointer(rebasing: bytes[0..<count * size])
                try Self.fill(part, from: offset, of: descriptor, path: path)
            }
            for index in 0..<count { destination[done + index] = value(Word(littleEndian: words[index])) }
            done += count
        }
    }

    /// IEEE binary16 to binary32, exactly.
    static func halfToFloat(_ half: UInt16) -> Float {
        let sign = UInt32(half & 0x8000) << 16
        let exponent = UInt32(half >> 10 & 0x1f)
        let fraction = UInt32(half & 0x3ff)
        switch exponent {
        case 0: return Float(sign: sign == 0 ? .plus : .minus, exponent: -24, significand: Float(fraction))
        case 31: return Float(bitPattern: sign | 0x7f80_0000 | fraction << 13)
        default: return Float(bitPattern: sign | (exponent + 112) << 23 | fraction << 13)
        }
    }

    // MARK: The operating system

    private static func size(of descriptor: FileDescriptor, path: String) throws(ModelFileError) -> Int {
        var information = stat()
        guard fstat(descriptor.rawValue, &information) == 0 else {
            throw .cannotRead(file: path, reason: "\(Errno(rawValue: errno))")
        }
        guard information.st_mode & S_IFMT == S_IFREG else {
            throw .cannotRead(file: path, reason: "it is no regular file")
        }
        return Int(information.st_size)
    }

    private static func bytes(
        _ range: Range<Int>, of descriptor: FileDescriptor, path: String
    ) throws(ModelFileError) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: range.count)
        try bytes.withBytes { (buffer) throws(ModelFileError) in
            try fill(buffer, from: range.lowerBound, of: descriptor, path: path)
        }
        return bytes
    }

    private static func fill(
        _ buffer: UnsafeMutableRawBufferPointer, from offset: Int, of descriptor: FileDescriptor, path: String
    ) throws(ModelFileError) {
        var done = 0
        while done < buffer.count {
            let count: Int
            do {
                let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[done...])
                count = try descriptor.read(fromAbsoluteOffset: Int64(offset + done), into: rest)
            } catch {
                throw .cannotRead(file: path, reason: "\(error)")
            }
            guard count > 0 else {
                throw .cannotRead(file: path, reason: "it became shorter while it was read")
            }
            done += count
        }
    }
}

extension Array {
    /// `withUnsafeBytes` with typed throws.
    fileprivate func withBytes<Result, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = withUnsafeBytes { bytes in
            Swift.Result { () throws(Failure) in try body(bytes) }
        }
        return try outcome.get()
    }

    /// `withUnsafeMutableBytes` with typed throws.
    fileprivate mutating func withBytes<Result, Failure: Error>(
        _ body: (UnsafeMutableRawBufferPointer) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let outcome = withUnsafeMutableBytes { bytes in
            Swift.Result { () throws(Failure) in try body(bytes) }
        }
        return try outcome.get()
    }
}
