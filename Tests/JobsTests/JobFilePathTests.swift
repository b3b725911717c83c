import Foundation
import Jobs
import Testing

@Suite("Paths in a job file")
struct JobFilePathTests {
    private func inFolder(_ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "wafermark-jobs-\(UUID().uuidString)")
            .resolvingSymlinksInPath()
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    private func job(text path: String, in folder: URL) throws -> Job {
        let file = folder.appending(path: "job.yaml")
        try JobText.replacing("synthetic", with: "text: \(path)").write(to: file, atomically: true, encoding: .utf8)
        return try JobFile.read(file.path)
    }

    private func refusal(text path: String, in folder: URL) -> String {
        do {
            _ = try job(text: path, in: folder)
            return "taken"
        } catch {
            return "\(error)"
        }
    }

    @Test(
        "B5: are relative to the file's folder and become absolute, links and '..' resolved",
        arguments: [
            "a.txt", "./a.txt", "sub/../a.txt", "link.txt", "\"with space \u{1F9EC}.txt\"", "[a.txt, link.txt]",
        ])
    func resolved(path: String) throws {
        try inFolder { folder in
            for name in ["a.txt", "with space \u{1F9EC}.txt"] {
                try Data("x\n".utf8).write(to: folder.appending(path: name))
            }
            try FileManager.default.createDirectory(
                at: folder.appending(path: "sub"), withIntermediateDirectories: true)
            try FileManager.default.createSymbolicLink(
                at: folder.appending(path: "link.txt"), withDestinationURL: folder.appending(path: "a.txt"))
            let name = path.contains("space") ? "with space \u{1F9EC}.txt" : "a.txt"
            let found = folder.appending(path: name).path
            #expect(
                try job(text: path, in: folder).corpus
                    == CorpusSource(
                        text: .files(path.hasPrefix("[") ? [found, found] : [found]), vocabulary: .trained(size: 512)))
        }
    }

    @Test(
        "B5: that lead to no readable regular file are refused by name",
        arguments: [
            ("missing.txt", "no such file"), ("sub", "is a directory"), ("/dev/null", "is a device"),
            ("loop", "circle"), ("a.txt/b", "not a directory"), (String(repeating: "a", count: 300), "too long"),
            (String(repeating: "a/", count: 2100), "no such file"), ("\"\"", "an empty path"),
        ])
    func refused(path: String, says: String) throws {
        try inFolder { folder in
            try Data("x\n".utf8).write(to: folder.appending(path: "a.txt"))
            try FileManager.default.createDirectory(
                at: folder.appending(path: "sub"), withIntermediateDirectories: true)
            let loop = folder.appending(path: "loop")
            try FileManager.default.createSymbolicLink(at: loop, withDestinationURL: loop)
            let line = refusal(text: path, in: folder)
            #expect(line.contains("job.yaml:4: corpus.text") && line.contains(says), "\(line)")
            #expect(!line.contains("\n"))
        }
    }

    @Test("B5: of the job file itself must lead to a regular file of at most a mebibyte")
    func jobFileItself() throws {
        try inFolder { folder in
            let big = folder.appending(path: "big.yaml")
            try Data(count: (1 << 20) + 1).write(to: big)
            let cases = [
                (folder.path, "is a directory"), ("/dev/zero", "is a device"), (big.path, "at most 1048576"),
                (folder.appending(path: "none.yaml").path, "no such file"), ("a\0b", "NUL"),
            ]
            for (path, says) in cases {
                do {
                    _ = try JobFile.read(path)
                    Issue.record("\(path) was taken")
                } catch {
                    #expect("\(error)".contains(says), "\(error)")
                }
            }
        }
    }
}
