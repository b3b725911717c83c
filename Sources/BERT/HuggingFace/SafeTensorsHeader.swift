/// The type of a tensor's elements in a safetensors file.
public enum SafeTensorsType: String, Hashable, Sendable, CaseIterable {
    case bool = "BOOL"
    case uint8 = "U8"
    case int8 = "I8"
    case float8e5m2 = "F8_E5M2"
    case float8e4m3 = "F8_E4M3"
    case int16 = "I16"
    case uint16 = "U16"
    case float16 = "F16"
    case bfloat16 = "BF16"
    case int32 = "I32"
    case uint32 = "U32"
    case float32 = "F32"
    case float64 = "F64"
    case int64 = "I64"
    case uint64 = "U64"

    /// Bytes of one element.
    public var byteCount: Int {
        switch self {
        case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
        case .int16, .uint16, .float16, .bfloat16: 2
        case .int32, .uint32, .float32: 4
        case .float64, .int64, .uint64: 8
        }
    }
}

/// One tensor as a safetensors header describes it.
public struct SafeTensorsEntry: Hashable, Sendable {
    /// The tensor's name.
    public let name: String
    /// The type of its elements.
    public let type: SafeTensorsType
    /// Its dimensions, outermost first; empty for a scalar.
    public let shape: [Int]
    /// Where its bytes lie, from the start of the file.
    public let bytes: Range<Int>

    /// The product of the dimensions.
    public var elementCount: Int { bytes.count / type.byteCount }
}

/// The checked header of a safetensors file.
///
/// Source: huggingface/safetensors, README, "Format": eight bytes little-endian header length N; N bytes of JSON that
/// begin with `{` and may end in spaces; the tensors' bytes, without gap or overlap, to the end of the file.
public struct SafeTensorsHeader: Hashable, Sendable {
    /// The tensors in the order of their bytes.
    public let entries: [SafeTensorsEntry]
    /// The free-form strings of `__metadata__`, sorted by key.
    public let metadata: [String: String]
    /// Where the tensors' bytes begin, from the start of the file.
    public let dataStart: Int

    /// The longest header that is read, as in the reference implementation.
    public static let longestHeader = 100_000_000

    /// The length of the JSON, from the file's first eight bytes.
    ///
    /// - Throws: `ModelFileError.malformed` where the length is impossible in a file of `fileSize` bytes.
    public static func jsonLength(
        firstBytes: UnsafeRawBufferPointer, fileSize: Int, file: String
    ) throws(ModelFileError) -> Int {
        guard fileSize >= 10, firstBytes.count >= 8 else {
            throw .malformed(
                file: file, found: "\(fileSize) bytes",
                allowed: "a safetensors file of 10 bytes or more (is it truncated?)")
        }
        let length = UInt64(littleEndian: firstBytes.loadUnaligned(as: UInt64.self))
        let most = min(longestHeader, fileSize - 8)
        guard length >= 2, length <= UInt64(most) else {
            throw .malformed(
                file: file, found: "a header length of \(length)",
                allowed: "2 to \(most) in this file of \(fileSize) bytes (is it truncated, or no safetensors file?)")
        }
        return Int(length)
    }

    /// Checks the header of a file of `fileSize` bytes whose JSON is `json`.
    ///
    /// - Throws: `ModelFileError` where anything but the format's own is found: see `SafeTensorsHeaderParser` for the
    ///   JSON; here types, shapes whose byte count is that of the offsets, and bytes without gap, overlap or rest.
    public init(json: UnsafeRawBufferPointer, fileSize: Int, file: String) throws(ModelFileError) {
        var parser = SafeTensorsHeaderParser(json: json, file: file)
        let document = try parser.parse()
        let dataStart = 8 + json.count
        let dataSize = fileSize - dataStart
        guard dataSize >= 0 else {
            throw .malformed(
                file: file, found: "a header that ends at byte \(dataStart)", allowed: "at most \(fileSize)")
        }
        var entries: [SafeTensorsEntry] = []
        entries.reserveCapacity(document.tensors.count)
        for raw in document.tensors {
            entries.append(try Self.check(raw, dataStart: dataStart, dataSize: dataSize, file: file))
        }
        entries.sort {
            ($0.bytes.lowerBound, $0.bytes.upperBound, $0.name) < ($1.bytes.lowerBound, $1.bytes.upperBound, $1.name)
        }
        var end = dataStart
        for entry in entries {
            guard entry.bytes.lowerBound == end else {
                throw .tensor(
                    file: file, tensor: entry.name, found: "bytes that begin at \(entry.bytes.lowerBound - dataStart)",
                    allowed: "\(end - dataStart), where the tensor before it ends: no gap, no overlap")
            }
            end = entry.bytes.upperBound
        }
        guard end == fileSize else {
            throw .malformed(
                file: file, found: "\(fileSize - end) bytes after the last tensor", allowed: "none")
        }
        self.entries = entries
        self.metadata = document.metadata
        self.dataStart = dataStart
    }

    /// The tensor called `name`, or nil.
    public func entry(_ name: String) -> SafeTensorsEntry? { entries.first { $0.name == name } }

    private static func check(
        _ raw: SafeTensorsHeaderParser.RawTensor, dataStart: Int, dataSize: Int, file: String
    ) throws(ModelFileError) -> SafeTensorsEntry {
        guard let type = SafeTensorsType(rawValue: raw.type) else {
            throw .tensor(
                file: file, tensor: raw.name, found: "dtype '\(raw.type)'",
                allowed: SafeTensorsType.allCases.map(\.rawValue).joined(separator: ", "))
        }
        guard raw.begin <= raw.end, raw.end <= dataSize else {
            throw .tensor(
                file: file, tensor: raw.name, found: "data_offsets [\(raw.begin), \(raw.end)]",
                allowed: "ascending, within the \(dataSize) bytes that the file holds (is it truncated?)")
        }
        var bytes = type.byteCount
        for dimension in raw.shape {
            let (product, overflow) = bytes.multipliedReportingOverflow(by: dimension)
            guard !overflow else {
                throw .tensor(
                    file: file, tensor: raw.name, found: "shape \(raw.shape)", allowed: "at most \(dataSize) bytes")
            }
            bytes = product
        }
        guard bytes == raw.end - raw.begin else {
            throw .tensor(
                file: file, tensor: raw.name, found: "\(raw.end - raw.begin) bytes in data_offsets",
                allowed: "\(bytes), as dtype \(raw.type) and shape \(raw.shape) say")
        }
        return SafeTensorsEntry(
            name: raw.name, type: type, shape: raw.shape, bytes: dataStart + raw.begin..<dataStart + raw.end)
    }
}
