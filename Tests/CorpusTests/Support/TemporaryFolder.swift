import Foundation

/// A folder that is removed with the object.
final class TemporaryFolder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.appendingPathComponent("corpus-tests-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in the folder.
    func file(_ name: String) -> String { path + "/" + name }

    /// Writes `text` to `name` and returns its path.
    func write(_ text: String, to name: String) throws -> String { try write(Data(text.utf8), to: name) }

    /// Writes `data` to `name` and returns its path.
    func write(_ data: Data, to name: String) throws -> String {
        try data.write(to: URL(fileURLWithPath: file(name)))
        return file(name)
    }

    /// The names in the folder, hidden ones too.
    var contents: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }
}

/// A gzip file of `data` in stored (uncompressed) blocks: enough to test a reader with no compressor.
func storedGzip(_ data: Data) -> Data {
    var file = Data([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255])
    var rest = data[...]
    repeat {
        let block = rest.prefix(65_535)
        rest = rest.dropFirst(block.count)
        let size = UInt16(block.count)
        file.append(rest.isEmpty ? 1 : 0)
        file.append(contentsOf: [UInt8(size & 255), UInt8(size >> 8), UInt8(~size & 255), UInt8(~size >> 8)])
        file.append(block)
    } while !rest.isEmpty
    var table = [UInt32](repeating: 0, count: 256)
    for index in 0..<256 {
        table[index] = (0..<8).reduce(UInt32(index)) { value, _ in
            value & 1 == 1 ? 0xedb8_8320 ^ value >> 1 : value >> 1
        }
    }
    let checksum = ~data.reduce(UInt32.max) { table[Int(($0 ^ UInt32($1)) & 255)] ^ $0 >> 8 }
    for value in [checksum, UInt32(data.count)] {
        for shift in stride(from: 0, to: 32, by: 8) { file.append(UInt8(value >> UInt32(shift) & 255)) }
    }
    return file
}
