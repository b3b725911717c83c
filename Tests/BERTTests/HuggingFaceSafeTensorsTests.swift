import BERT
import Foundation
import Testing

@Suite("Safetensors files")
struct SafeTensorsTests {
    @Test("what is written is read back to the bit")
    func roundTrip() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/model.safetensors"
        let values: [Float] = [1, -0.0, .leastNonzeroMagnitude, .greatestFiniteMagnitude, 0.1, -7.25]
        try values.withUnsafeBufferPointer { elements in
            try SafeTensorsWriter.write(
                [
                    .init(name: "a.\"quoted\" ünïcode", shape: [2, 3], elements: elements),
                    .init(name: "empty", shape: [0, 4], elements: .init(rebasing: elements[0..<0])),
                    .init(name: "scalar", shape: [], elements: .init(rebasing: elements[4..<5])),
                ], to: path)
        }
        let file = try SafeTensorsFile(opening: path)
        #expect(file.header.entries.map(\.name) == ["a.\"quoted\" ünïcode", "empty", "scalar"])
        #expect(file.header.metadata == ["format": "pt"])
        let entry = try #require(file.entry("a.\"quoted\" ünïcode"))
        #expect(entry.shape == [2, 3])
        var read = [Float](repeating: 0, count: 6)
        try read.withUnsafeMutableBufferPointer { try file.read(entry, into: try #require($0.baseAddress)) }
        #expect(read.map(\.bitPattern) == values.map(\.bitPattern))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["model.safetensors"])
    }

    @Test("half, bfloat16 and double tensors are converted")
    func conversions() throws {
        let folder = try TemporaryFolder()
        let path = folder.path + "/half.safetensors"
        var data: [UInt8] = []
        // 1, -2, 65504, the smallest subnormal, -0, infinity as binary16.
        for half: UInt16 in [0x3c00, 0xc000, 0x7bff, 0x0001, 0x8000, 0x7c00] {
            data += withUnsafeBytes(of: half.littleEndian, Array.init)
        }
        for brain: UInt16 in [0x3f80, 0xc049] { data += withUnsafeBytes(of: brain.littleEndian, Array.init) }
        for double in [0.1, -3.0] { data += withUnsafeBytes(of: double.bitPattern.littleEndian, Array.init) }
        let json = """
            {"h":{"dtype":"F16","shape":[6],"data_offsets":[0,12]},"b":{"dtype":"BF16","shape":[2],\
            "data_offsets":[12,16]},"d":{"dtype":"F64","shape":[2,1],"data_offsets":[16,32]}}
            """
        try Data(SafeTensorsBytes.file(json: json, data: data)).write(to: URL(filePath: path))
        let file = try SafeTensorsFile(opening: path)
        func read(_ name: String) throws -> [Float] {
            let entry = try #require(file.entry(name))
            var values = [Float](repeating: .nan, count: entry.elementCount)
            try values.withUnsafeMutableBufferPointer { try file.read(entry, into: try #require($0.baseAddress)) }
            return values
        }
        #expect(try read("h") == [1, -2, 65504, 0x1p-24, 0, .infinity])
        #expect(try read("b") == [1, Float(bitPattern: 0xc049_0000)])
        #expect(try read("d") == [0.1, -3])
    }

    /// Headers that lie, each with what its error must name.
    static let forged: [(json: String, dataCount: Int, names: String)] = [
        ("", 0, "10 bytes"),
        ("[]", 0, "'{'"),
        ("{}", 4, "4 bytes after the last tensor"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "'a'"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "allowed: 8"),
        (#"{"a":{"dtype":"F31","shape":[1],"data_offsets":[0,4]}}"#, 4, "dtype 'F31'"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "decimal integer"),
        (#"{"a":{"dtype":"F32","shape":[1e0],"data_offsets":[0,4]}}"#, 4, "']'"),
        (#"{"a":{"dtype":"F32","shape":[01],"data_offsets":[0,4]}}"#, 4, "decimal integer"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "ascending"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4,8]}}"#, 4, "at most 2"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0]}}"#, 4, "two numbers"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "'a'"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "field 'x'"),
        (#"{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "once each"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}}"#, 0, "shape"),
        (#"{"a":{"dtype":"F32","shape":[9223372036854775808],"data_offsets":[0,4]}}"#, 4, "2^63"),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            8, "twice"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#,
            6, "no overlap"
        ),
        (
            #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}}"#,
            12, "no gap"
        ),
        (#"{"":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "one byte or more"),
        (#"{"a\u001b[2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "control characters"),
        (#"{"\ud800":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 4, "surrogate"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}} x"#, 4, "spaces"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}"#, 4, "'}'"),
        (#"{"__metadata__":{"format":1}}"#, 0, "'\"'"),
        (#"{"__metadata__":{"a":"b","a":"c"}}"#, 0, "once"),
        (String(repeating: #"{"a":"#, count: 10_000), 0, "field 'a'"),
    ]

    @Test("a forged header is refused with what is wrong", arguments: forged)
    func forgedHeader(json: String, dataCount: Int, names: String) throws {
        let bytes = SafeTensorsBytes.file(json: json, data: [UInt8](repeating: 0, count: dataCount))
        let error = try #require(throws: ModelFileError.self) { try SafeTensorsBytes.parse(bytes) }
        #expect(error.description.contains(names), "\(error)")
        #expect(error.description.hasPrefix("forged.safetensors: "))
    }

    @Test("an impossible header length is refused", arguments: [0, 1, 1 << 40, UInt64.max])
    func headerLength(length: UInt64) throws {
        var bytes = withUnsafeBytes(of: length.littleEndian, Array.init)
        bytes += Array("{}".utf8)
        let error = try #require(throws: ModelFileError.self) { try SafeTensorsBytes.parse(bytes) }
        #expect(error.description.contains("header length of \(length)"))
    }

    @Test("every truncation of a good file is refused")
    func truncations() throws {
        let good = SafeTensorsBytes.good
        _ = try SafeTensorsBytes.parse(good)
        for count in 0..<good.count {
            #expect(throws: ModelFileError.self) { try SafeTensorsBytes.parse(Array(good[..<count])) }
        }
    }

    @Test("a missing file and a folder are refused with the path")
    func unreadable() throws {
        let folder = try TemporaryFolder()
        let missing = folder.path + "/none.safetensors"
        let first = try #require(throws: ModelFileError.self) { _ = try SafeTensorsFile(opening: missing) }
        #expect(first.description.contains(missing))
        let second = try #require(throws: ModelFileError.self) { _ = try SafeTensorsFile(opening: folder.path) }
        #expect(second.description.contains("no regular file"))
    }

    @Test("a writer that fails leaves nothing behind")
    func failedWrite() throws {
        let folder = try TemporaryFolder()
        let error = try #require(throws: ModelFileError.self) {
            try [Float(1)].withUnsafeBufferPointer { elements in
                try SafeTensorsWriter.write(
                    [.init(name: "a", shape: [2], elements: elements)], to: folder.path + "/a.safetensors")
            }
        }
        #expect(error.description.contains("'a'"))
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path).isEmpty)
    }

    /// `SAFETENSORS_FUZZ_CASES=1000000 swift test -c release --filter mutations` runs the long version.
    static var fuzzCases: Int {
        ProcessInfo.processInfo.environment["SAFETENSORS_FUZZ_CASES"].flatMap(Int.init) ?? 10_000
    }

    @Test("seeded mutations of a good file give an error or a consistent header, never a trap")
    func mutations() throws {
        let good = SafeTensorsBytes.good
        var generator = SplitMix64(state: 0x5afe)
        var accepted = 0
        for _ in 0..<Self.fuzzCases {
            var bytes = good
            for _ in 0..<Int.random(in: 1...4, using: &generator) { SafeTensorsBytes.mutate(&bytes, using: &generator) }
            guard let header = try? SafeTensorsBytes.parse(bytes) else { continue }
            accepted += 1
            var end = header.dataStart
            for entry in header.entries {
                guard entry.bytes.lowerBound == end, entry.bytes.upperBound <= bytes.count,
                    entry.shape.reduce(entry.type.byteCount, *) == entry.bytes.count
                else {
                    Issue.record("an inconsistent header was accepted: \(entry)")
                    return
                }
                end = entry.bytes.upperBound
            }
            guard end == bytes.count else {
                Issue.record("bytes after the last tensor were accepted")
                return
            }
        }
        // Changes of a tensor's elements or of a letter in a name are harmless; most others are not.
        #expect(accepted > 0 && accepted < Self.fuzzCases / 2 + 10)
    }
}

/// Files made by hand.
enum SafeTensorsBytes {
    static let good = file(
        json: """
            {"__metadata__":{"format":"pt"},"a.weight":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},\
            "b":{"dtype":"F16","shape":[3],"data_offsets":[24,30]},"c":{"dtype":"I64","shape":[1],\
            "data_offsets":[30,38]}}
            """, data: [UInt8](repeating: 1, count: 38))

    static func file(json: String, data: [UInt8]) -> [UInt8] {
        withUnsafeBytes(of: UInt64(json.utf8.count).littleEndian, Array.init) + Array(json.utf8) + data
    }

    /// Parses a file held in memory as `SafeTensorsFile` parses one on disk.
    @discardableResult
    static func parse(_ bytes: [UInt8]) throws -> SafeTensorsHeader {
        try bytes.withUnsafeBytes { raw in
            let length = try SafeTensorsHeader.jsonLength(
                firstBytes: UnsafeRawBufferPointer(rebasing: raw.prefix(8)), fileSize: raw.count,
                file: "forged.safetensors")
            return try SafeTensorsHeader(
                json: UnsafeRawBufferPointer(rebasing: raw[8..<8 + length]), fileSize: raw.count,
                file: "forged.safetensors")
        }
    }

    private static let tokens = [
        "{", "}", "[", "]", ":", ",", "\"", "\\", "\\u0000", "\\ud800", "0", "-1", "1e9", "18446744073709551616",
        "null",
        "\"dtype\":", "\"shape\":[", "\"data_offsets\":[", "__metadata__", "F32", "\u{1b}", " ", "\n",
    ].map { Array($0.utf8) }

    /// Makes one change: a bit, a byte, a cut, a doubling, a token of the grammar, or the length field.
    static func mutate(_ bytes: inout [UInt8], using generator: inout SplitMix64) {
        guard !bytes.isEmpty else { return }
        // Most changes go to the header, where they matter.
        let reach = Bool.random(using: &generator) ? bytes.count : min(bytes.count, 208)
        let position = Int.random(in: 0..<reach, using: &generator)
        switch Int.random(in: 0..<8, using: &generator) {
        case 0: bytes[position] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
        case 1: bytes[position] = UInt8.random(in: 0...255, using: &generator)
        case 2: bytes.removeSubrange(position..<min(bytes.count, position + Int.random(in: 1...8, using: &generator)))
        case 3: bytes.removeSubrange(position...)
        case 4:
            let end = min(bytes.count, position + Int.random(in: 1...64, using: &generator))
            bytes.insert(contentsOf: Array(bytes[position..<end]), at: position)
        case 5: bytes.insert(contentsOf: tokens.randomElement(using: &generator) ?? [], at: position)
        case 6:
            let digits = bytes.indices.filter { bytes[$0] >= 48 && bytes[$0] <= 57 }
            guard let digit = digits.randomElement(using: &generator) else { return }
            bytes[digit] = UInt8.random(in: 48...57, using: &generator)
        default:
            let length = UInt64.random(in: 0...UInt64(bytes.count * 2), using: &generator)
            withUnsafeBytes(of: length.littleEndian) { field in
                for index in 0..<min(8, bytes.count) { bytes[index] = field[index] }
            }
        }
    }
}

/// A small seeded generator (Steele et al. 2014).
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}

/// A folder that is removed with its owner.
final class TemporaryFolder: Sendable {
    let path: String

    init() throws {
        let url = FileManager.default.temporaryDirectory.appending(path: "wafermark-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path(percentEncoded: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}
