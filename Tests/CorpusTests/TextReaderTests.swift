import Corpus
import Foundation
import Jobs
import Testing

@Suite("Reading text")
struct TextReaderTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private func documents(_ path: String, limits: TextLimits = TextLimits()) throws -> [[String]] {
        let reader = try TextReader(path: path, limits: limits)
        var document = TextDocument()
        var documents: [[String]] = []
        while try reader.next(into: &document) { documents.append(document.sentences) }
        return documents
    }

    @Test("documents are separated by blank lines, whatever the line ends and blanks")
    func separatesDocuments() throws {
        let path = try folder.write("\u{feff}One a.\r\n  Two b. \r\n \t\r\n\n\nThree c.\nFour d.", to: "a.txt")
        #expect(try documents(path) == [["One a.", "Two b."], ["Three c.", "Four d."]])
    }

    @Test("a gzip file of several members reads as one text")
    func readsGzipMembers() throws {
        let first = storedGzip(Data("One.\nTw".utf8))
        let second = storedGzip(Data("o.\n\nThree.\n".utf8))
        let path = try folder.write(first + second + Data([0, 0, 0]), to: "a.gz")
        #expect(try documents(path) == [["One.", "Two."], ["Three."]])
    }

    @Test("a line longer than the buffers comes out whole")
    func readsLongLine() throws {
        let line = String(repeating: "abc def ", count: 100_000) + "end"
        let path = try folder.write("first\n\n" + line + "\nlast\n", to: "a.txt")
        #expect(try documents(path) == [["first"], [line, "last"]])
    }

    @Test("stray invalid UTF-8 is replaced and counted")
    func replacesInvalidUTF8() throws {
        var data = Data("good line\nna".utf8)
        data.append(contentsOf: [0xef, 0x76, 0x65, 0x20, 0xc3, 0x28, 0xf0, 0x9f])
        data.append(contentsOf: Data("\nnaïve \u{fffd}\n".utf8))
        let reader = try TextReader(path: try folder.write(data, to: "a.txt"))
        var document = TextDocument()
        #expect(try reader.next(into: &document))
        #expect(document.sentences == ["good line", "na\u{fffd}ve \u{fffd}(\u{fffd}", "naïve \u{fffd}"])
        #expect(reader.replacedSequences == 3)
    }

    @Test("a missing file is named")
    func namesMissingFile() {
        let path = folder.file("none.txt")
        #expect(throws: CorpusError.missing(path: path)) { try documents(path) }
    }

    @Test("a directory and a device are refused")
    func refusesOtherThanFiles() {
        #expect(throws: CorpusError.notAFile(path: folder.path, kind: "a directory")) { try documents(folder.path) }
        #expect(throws: CorpusError.notAFile(path: "/dev/zero", kind: "a device")) { try documents("/dev/zero") }
    }

    @Test("text with nothing in it is refused", arguments: ["", "\n\n  \n\t\n"])
    func refusesEmptyText(text: String) throws {
        let path = try folder.write(text, to: "a.txt")
        #expect(throws: CorpusError.noText(path: path)) { try documents(path) }
    }

    @Test("a NUL byte is named with its line and byte")
    func namesNULByte() throws {
        let path = try folder.write(Data("ok line\nbad".utf8) + Data([0]) + Data("x\n".utf8), to: "a.txt")
        #expect(throws: CorpusError.binary(path: path, line: 2, byte: 11, reason: "a NUL byte")) { try documents(path) }
    }

    @Test("UTF-16 is recognised as such")
    func recognisesUTF16() throws {
        let path = try folder.write(Data([0xff, 0xfe, 0x41, 0x00, 0x0a, 0x00]), to: "a.txt")
        #expect(throws: CorpusError.binary(path: path, line: 1, byte: 0, reason: "it begins as UTF-16 does")) {
            try documents(path)
        }
    }

    @Test("a file of mostly invalid UTF-8 is not text")
    func refusesMostlyInvalid() throws {
        let line = Data([UInt8](repeating: 0xe9, count: 79) + [0x0a])
        let path = try folder.write(Data((0..<50).flatMap { _ in line }), to: "a.txt")
        let error = try #require(throws: CorpusError.self) { try documents(path) }
        guard case .binary(path, 1, 0, _) = error else {
            Issue.record("another error: \(error)")
            return
        }
    }

    @Test("a line above the limit is named with its number and byte")
    func namesLongLine() throws {
        let path = try folder.write("short\n" + String(repeating: "x", count: 300) + "\n", to: "a.txt")
        let limits = TextLimits(line: Bytes(256))
        #expect(throws: CorpusError.lineTooLong(path: path, line: 2, byte: 6, limit: Bytes(256))) {
            try documents(path, limits: limits)
        }
    }

    @Test("a document that never ends is named by its first line")
    func namesLongDocument() throws {
        let path = try folder.write("a\n\n" + String(repeating: "line of text\n", count: 100), to: "a.txt")
        let limits = TextLimits(document: Bytes(500))
        #expect(throws: CorpusError.documentTooLong(path: path, firstLine: 3, limit: Bytes(500))) {
            try documents(path, limits: limits)
        }
    }

    @Test("a cut gzip file is refused at the place where it ends", arguments: [1, 5, 8, 9, 12, 40])
    func refusesCutGzip(missing: Int) throws {
        let whole = storedGzip(Data(String(repeating: "some text\n", count: 20).utf8))
        let path = try folder.write(whole.dropLast(missing), to: "a.gz")
        let error = try #require(throws: CorpusError.self) { try documents(path) }
        #expect(
            error
                == .damagedGzip(path: path, byte: whole.count - missing, reason: "the file ends too early"))
    }

    @Test("a gzip file with a changed byte is refused")
    func refusesChangedGzip() throws {
        var data = storedGzip(Data(String(repeating: "some text\n", count: 20).utf8))
        data[30] ^= 4
        let path = try folder.write(data, to: "a.gz")
        let error = try #require(throws: CorpusError.self) { try documents(path) }
        guard case .damagedGzip(path, _, _) = error else {
            Issue.record("another error: \(error)")
            return
        }
    }

    @Test("a file named .gz that isn't one is refused")
    func refusesFalseGzip() throws {
        let path = try folder.write("plain text\n", to: "a.gz")
        #expect(throws: CorpusError.damagedGzip(path: path, byte: 0, reason: "it doesn't begin as gzip does")) {
            try documents(path)
        }
    }

    @Test("the hash of a document depends on its sentences and on where they end")
    func hashesDocuments() {
        let one = TextDocument(sentences: ["ab", "c"]).contentHash
        #expect(one == TextDocument(sentences: ["ab", "", "c"]).contentHash)
        #expect(one != TextDocument(sentences: ["a", "bc"]).contentHash)
        #expect(one != TextDocument(sentences: ["abc"]).contentHash)
    }

    @Test(
        "the real abstracts read as 14,189 documents",
        .enabled(if: SharedData.path("pretrain/abstracts.txt.gz") != nil, Comment(rawValue: SharedData.absence)))
    func readsRealAbstracts() throws {
        let path = try #require(SharedData.path("pretrain/abstracts.txt.gz"))
        #expect(try documents(path).count == 14_189)
    }
}
