import Foundation
import PerformanceModel
import Testing

@Suite("Hostile tables (B8)")
struct HostileTableTests {
    private static let good = [
        "id": "a", "stack": "pytorch-20.06", "hardware": "dgx1-v100-16g", "model": "bert-large",
        "sequence_length": "128", "masked_per_sequence": "20", "precision": "fp16", "nodes": "1", "gpus_per_node": "1",
        "micro_batch": "4", "accumulation": "1", "optimizer": "lamb", "sequences_per_second": "10",
    ]

    private static func table(_ change: [String: String] = [:], rows: Int = 1) -> String {
        let row = PublishedCase.columns.map { change[$0] ?? good[$0] ?? "" }.joined(separator: ",")
        return ([PublishedCase.columns.joined(separator: ",")] + Array(repeating: row, count: rows))
            .joined(separator: "\n") + "\n"
    }

    private static func refusal(_ bytes: [UInt8]) throws -> String {
        let path = NSTemporaryDirectory() + "hostile-\(UUID().uuidString).csv"
        try Data(bytes).write(to: URL(fileURLWithPath: path))
        defer { try? FileManager.default.removeItem(atPath: path) }
        let error = #expect(throws: PerformanceModelError.self) { try PublishedCase.read(path) }
        return (error?.description ?? "").replacingOccurrences(of: path, with: "FILE")
    }

    private static func refusal(_ text: String) throws -> String { try refusal(Array(text.utf8)) }

    @Test("the table that the others are made from is read, with a byte-order mark and carriage returns too")
    func readsGoodOne() throws {
        let path = NSTemporaryDirectory() + "good-\(UUID().uuidString).csv"
        defer { try? FileManager.default.removeItem(atPath: path) }
        for text in [Self.table(), "\u{FEFF}" + Self.table().replacing("\n", with: "\r\n")] {
            try text.write(toFile: path, atomically: true, encoding: .utf8)
            #expect(try PublishedCase.read(path).count == 1)
        }
    }

    @Test(
        "a bad value is refused with file, line, column, what was found and what is allowed",
        arguments: [
            ("sequences_per_second", "\"1,234.5\"", "found '1,234.5'"), ("sequences_per_second", "\"12,5\"", "'12,5'"),
            ("sequences_per_second", "0", "greater than 0"), ("sequences_per_second", "nan", "'nan'"),
            ("sequences_per_second", "inf", "'inf'"), ("sequences_per_second", "1e400", "'1e400'"),
            ("sequences_per_second", "0x10", "'0x10'"), ("micro_batch", "1.5", "'1.5'"), ("micro_batch", "-4", "'-4'"),
            ("micro_batch", "99999999999999999999", "a whole number from 1 to"), ("nodes", "", "found ''"),
            ("nodes", "1000000", "a whole number from 1 to"), ("gpus_per_node", "9", "from 1 to 8"),
            ("precision", "tf32", "allowed: fp32, fp16, on V100"), ("hardware", "dgx1-v100-16", "did you mean"),
            ("hardware", "cs1", "found 'cs1'"), ("hardware", "../../../etc/passwd.yaml", "hardware: found"),
            ("optimizer", "sgd", "allowed: lamb, adam, adamw"), ("masked_per_sequence", "500", "from 1 to 128"),
            ("id", "", "id: found ''"), ("model", "\u{1B}[31mgpt", "found '\\u{1b}"),
        ])
    func badValue(column: String, value: String, message: String) throws {
        let text = try Self.refusal(Self.table([column: value]))
        #expect(text.hasPrefix("FILE:2: \(column): found"), "\(text)")
        #expect(text.contains(message), "\(text)")
        #expect(!text.contains("\u{1B}") && !text.contains("\n"))
    }

    @Test("what is no table is refused with the line")
    func noTable() throws {
        #expect(try Self.refusal("") == "FILE:1: not valid: the file is empty")
        #expect(try Self.refusal(Self.table(rows: 0)).contains("no rows"))
        #expect(try Self.refusal("id,stack\na,b\n").hasPrefix("FILE:1: hardware: no such column"))
        #expect(try Self.refusal(Self.table(rows: 2)).contains("FILE:3: id: found 'a', which line 2 has too"))
        #expect(try Self.refusal("id,id\n").contains("there twice"))
        #expect(try Self.refusal(Self.table() + "b,c\n").hasPrefix("FILE:3: not valid: 2 fields"))
        #expect(try Self.refusal(Self.table() + "\"b\n").contains("a quote isn't closed"))
        #expect(try Self.refusal(Array(Self.table().utf8) + [0]).contains("FILE:3: not valid: a NUL byte"))
        #expect(try Self.refusal(Array(Self.table().utf8) + [0xC3, 0x28]).contains("FILE:3: not valid: bytes"))
        #expect(try Self.refusal([0xFF, 0xFE, 0x41, 0]).contains("UTF-16"))
    }

    @Test("a device, a folder and a missing file in a table's place are refused and hang nothing")
    func noFile() {
        for path in ["/dev/zero", "/tmp", "/nowhere/at/all.csv"] {
            let error = #expect(throws: PerformanceModelError.self) { try PublishedCase.read(path) }
            #expect(error?.description.hasPrefix(path) == true)
        }
    }

    @Test("a profile nested ten thousand deep is refused by its line")
    func deepProfile() {
        let error = #expect(throws: PerformanceModelError.self) {
            try HardwareProfile(
                parsing: "name: " + String(repeating: "[", count: 10_000), file: "deep.yaml")
        }
        #expect(error?.description == "deep.yaml:1: not valid: nested too deeply; allowed: 32 brackets, 64 columns")
    }
}
