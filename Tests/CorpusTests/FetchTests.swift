import Corpus
import Digests
import Foundation
import Synchronization
import Testing

@Suite("Fetching PubMed")
struct FetchTests {
    private let folder: TemporaryFolder
    init() throws { folder = try TemporaryFolder() }

    private typealias Answer = ScriptedServer.Answer

    /// What the server has: 300 kB that no other number gives.
    private static func contents(_ number: Int) -> Data {
        var state = UInt64(number) &* 0x9e37_79b9_7f4a_7c15 | 1
        return Data(
            (0..<300_000).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 56)
            })
    }

    private static let files = Dictionary(
        uniqueKeysWithValues: (1...3).map { ("/pubmed25n000\($0).xml.gz", contents($0)) })

    private static func sum(_ data: Data) -> String {
        guard let sum = MD5() else { return "" }
        data.withUnsafeBytes { sum.update($0) }
        return sum.finish()
    }

    /// What a server does that is in order.
    private static func proper(_ request: ScriptedServer.Request) -> Answer {
        if request.path == "/" {
            let links = files.keys.sorted().flatMap { [$0, $0 + ".md5"] }.map { "<a href=\"\($0.dropFirst())\">x</a>" }
            // What is left of last year's release doesn't count.
            return Answer(body: Data("<html><a href=\"pubmed24n0009.xml.gz\">old</a>\(links.joined())</html>".utf8))
        }
        if request.path.hasSuffix(".md5"), let data = files[String(request.path.dropLast(4))] {
            return Answer(body: Data("MD5(\(request.path.dropFirst().dropLast(4)))= \(sum(data))\n".utf8))
        }
        guard let data = files[request.path] else { return Answer(status: 404) }
        guard request.start > 0 else { return Answer(body: data) }
        guard request.start < data.count else { return Answer(status: 416) }
        return Answer(
            status: 206, headers: ["Content-Range": "bytes \(request.start)-\(data.count - 1)/\(data.count)"],
            body: data.dropFirst(request.start))
    }

    private func fetch(
        _ server: ScriptedServer, _ files: ClosedRange<Int> = 1...1, tries: Int = 4, stall: Double = 5,
        largest: Int = 1 << 20, isCancelled: @escaping @Sendable () -> Bool = { false }
    ) throws -> [PubMedFetch.File] {
        var request = PubMedFetch.Request(files: files, directory: folder.path)
        request.mirror = server.address
        var policy = PubMedFetch.Policy()
        policy.tries = tries
        policy.pauseSeconds = 0.001
        policy.longestPauseSeconds = 0.01
        policy.intervalSeconds = 0
        policy.stallSeconds = stall
        policy.largestFile = largest
        return try PubMedFetch(request, policy: policy).run(isCancelled: isCancelled)
    }

    private func isWhole(_ number: Int) -> Bool {
        let name = "/pubmed25n000\(number).xml.gz"
        return FileManager.default.contents(atPath: folder.path + name) == Self.files[name]
    }

    @Test("files are downloaded, checked and, the next time, left alone")
    func downloads() throws {
        let server = try ScriptedServer { Self.proper($0) }
        #expect(try fetch(server, 1...3).map(\.state) == [.downloaded, .downloaded, .downloaded])
        #expect(isWhole(1) && isWhole(2) && isWhole(3))
        #expect(folder.contents.count == 6, "nothing but files and their sums: \(folder.contents)")
        #expect(server.requests.count == 7)
        #expect(server.requests.allSatisfy { $0.headers["user-agent"]?.hasPrefix("wafermark") == true })
        #expect(server.requests.allSatisfy { $0.headers["accept-encoding"] == "identity" })

        #expect(try fetch(server, 2...3).map(\.state) == [.present, .present])
        #expect(server.requests.count == 8, "the listing alone was asked for again")
    }

    @Test("a file that was damaged on the disk is downloaded again")
    func damagedOnDisk() throws {
        let server = try ScriptedServer { Self.proper($0) }
        _ = try fetch(server)
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder.file("pubmed25n0001.xml.gz")))
        #expect(try fetch(server).map(\.state) == [.downloaded])
        #expect(isWhole(1))
    }

    @Test("where the connection breaks off, the next try continues at that byte")
    func truncated() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            if request.path.hasSuffix(".gz"), request.turn < 3 { answer.cutAfter = 100_000 }
            return answer
        }
        let files = try fetch(server)
        #expect(files.map(\.state) == [.downloaded] && files[0].tries == 3)
        #expect(server.requests.filter { $0.path.hasSuffix(".gz") }.map(\.start) == [0, 100_000, 200_000])
        #expect(isWhole(1))
    }

    @Test("a later run continues what an interrupted one began")
    func continued() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            if request.path.hasSuffix(".gz"), request.turn == 1 {
                answer.cutAfter = 120_000
                answer.stalls = true
            }
            return answer
        }
        let part = folder.file("pubmed25n0001.xml.gz.part")
        #expect(throws: CorpusError.cancelled) {
            try fetch(server, isCancelled: { (FileManager.default.contents(atPath: part)?.count ?? 0) >= 120_000 })
        }
        #expect(try fetch(server).map(\.state) == [.downloaded])
        #expect(server.requests.last { $0.path.hasSuffix(".gz") }?.start == 120_000)
        #expect(isWhole(1))
    }

    @Test("a server that can't continue is asked for the whole")
    func withoutRanges() throws {
        let server = try ScriptedServer { request in
            var plain = request
            plain.headers["range"] = nil
            var answer = Self.proper(plain)
            if request.path.hasSuffix(".gz"), request.turn == 1 { answer.cutAfter = 70_000 }
            return answer
        }
        #expect(try fetch(server).map(\.state) == [.downloaded])
        #expect(isWhole(1))
    }

    @Test("a server that continues at another byte, or says that there is no more, spoils nothing")
    func wrongRanges() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            guard request.path.hasSuffix(".gz") else { return answer }
            switch request.turn {
            case 1, 3: answer.cutAfter = 70_000
            case 2: answer.headers["Content-Range"] = "bytes 5-299999/300000"
            case 4: answer = Answer(status: 416)
            default: break
            }
            return answer
        }
        #expect(try fetch(server, tries: 6).map(\.state) == [.downloaded])
        #expect(isWhole(1))
    }

    @Test("a transfer that stalls, before its answer or within, is given up and tried again")
    func stalled() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            if request.path.hasSuffix(".gz"), request.turn < 3 {
                answer.stalls = true
                if request.turn == 2 { answer.cutAfter = 50_000 }
            }
            return answer
        }
        let files = try fetch(server, stall: 0.3)
        #expect(files.map(\.state) == [.downloaded] && files[0].tries == 3)
        #expect(isWhole(1))
    }

    @Test("errors of the server are tried again, a file that isn't there is not")
    func statuses() throws {
        let server = try ScriptedServer { request in
            if request.turn < 3, request.path != "/" {
                return Answer(status: request.turn == 1 ? 503 : 500, headers: ["Retry-After": "0"])
            }
            return request.path.contains("0002") ? Answer(status: 404) : Self.proper(request)
        }
        let files = try fetch(server, 1...2)
        #expect(files.map(\.state) == [.downloaded, .failed])
        #expect(files[1].reason?.contains("404") == true)
        // The sum of the second was asked for three times, the file never.
        #expect(server.requests.count { $0.path.contains("0002") } == 3)
        let failing = try ScriptedServer { $0.path == "/" ? Self.proper($0) : Answer(status: 500) }
        #expect(try fetch(failing, 3...3).first?.reason == "the server answers 500 (4 tries)")
    }

    @Test("bytes that don't have the sum are dropped; where they never do, nothing is left that looks whole")
    func wrongSums() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            if request.path == "/pubmed25n0001.xml.gz", request.turn == 1 { answer.body[answer.body.startIndex] ^= 1 }
            if request.path == "/pubmed25n0002.xml.gz" { answer.body[answer.body.startIndex] ^= 1 }
            if request.path == "/pubmed25n0003.xml.gz.md5" { answer.body = Data("no sum\n".utf8) }
            return answer
        }
        let files = try fetch(server, 1...3)
        #expect(files.map(\.state) == [.downloaded, .failed, .failed] && files[0].tries == 2)
        #expect(files[1].reason?.contains("its MD5 sum is") == true)
        #expect(files[2].reason?.contains("holds no MD5 sum") == true)
        #expect(folder.contents == ["pubmed25n0001.xml.gz", "pubmed25n0001.xml.gz.md5"])
    }

    @Test("a server that sends without end is stopped")
    func endless() throws {
        let server = try ScriptedServer { request in
            var answer = Self.proper(request)
            if request.path.hasSuffix(".gz") { answer.body = Data(count: 1 << 20) }
            return answer
        }
        let files = try fetch(server, largest: 400_000)
        #expect(files.map(\.state) == [.failed] && files[0].reason == "more than 400000 bytes came")
    }

    @Test("after three files in a row that can't be had the rest isn't tried")
    func hopeless() throws {
        let names = (1...9).map { "pubmed25n000\($0).xml.gz" }.joined(separator: " ")
        let server = try ScriptedServer { $0.path == "/" ? Answer(body: Data(names.utf8)) : Answer(status: 404) }
        let files = try fetch(server, 1...9)
        #expect(files.count == 9 && files.allSatisfy { $0.state == .failed })
        #expect(server.requests.count == 4)
    }

    @Test("a number that isn't there, a listing without files and no server at all are told")
    func listing() throws {
        let server = try ScriptedServer { Self.proper($0) }
        let error = #expect(throws: CorpusError.self) { try fetch(server, 3...4) }
        #expect(error?.description.contains("1..3 at") == true)
        let empty = try ScriptedServer { _ in Answer(body: Data("<html/>".utf8)) }
        #expect(throws: CorpusError.self) { try fetch(empty) }
        var request = PubMedFetch.Request(files: 1...1, directory: folder.path)
        request.mirror = "http://127.0.0.1:1/"
        var policy = PubMedFetch.Policy()
        policy.tries = 1
        #expect(throws: CorpusError.self) { try PubMedFetch(request, policy: policy).run() }
        for mirror in ["ftp://ftp.ncbi.nlm.nih.gov/", "no address", "https://"] {
            request.mirror = mirror
            #expect(throws: CorpusError.self) { try PubMedFetch(request) }
        }
    }

    @Test("requests keep a distance")
    func pace() throws {
        let times = Mutex<[ContinuousClock.Instant]>([])
        let server = try ScriptedServer { request in
            times.withLock { $0.append(.now) }
            return Self.proper(request)
        }
        var request = PubMedFetch.Request(files: 1...1, directory: folder.path)
        request.mirror = server.address
        request.releaseYear = 25
        var policy = PubMedFetch.Policy()
        policy.intervalSeconds = 0.2
        #expect(try PubMedFetch(request, policy: policy).run().map(\.state) == [.downloaded])
        let gaps = times.withLock { times in zip(times.dropFirst(), times).map { $0 - $1 } }
        #expect(gaps.count == 1 && gaps[0] > .milliseconds(150), "\(gaps)")
    }
}
