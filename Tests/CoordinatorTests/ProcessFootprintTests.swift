import Coordinator
import Foundation
import Testing

@Suite("What a process holds of its host")
struct ProcessFootprintTests {
    private func footprint(
        mebibytes: Double = 100, descriptors: Int = 30, sockets: Int = 2, threads: Int = 10, children: Int = 0
    ) -> ProcessFootprint {
        ProcessFootprint(
            residentMebibytes: mebibytes, descriptors: descriptors, sockets: sockets, threads: threads,
            children: children)
    }

    @Test("an allocator's and a pool's play is no leak, nor is having less")
    func play() {
        let more = footprint(mebibytes: 117, descriptors: 32, sockets: 4, threads: 14)
        #expect(more.leaks(since: footprint()).isEmpty)
        #expect(footprint().leaks(since: more).isEmpty)
    }

    @Test(
        "more than that is named",
        arguments: [
            ("memory", ProcessFootprint(residentMebibytes: 119, descriptors: 30, sockets: 2, threads: 10, children: 0)),
            (
                "descriptors",
                ProcessFootprint(residentMebibytes: 1, descriptors: 33, sockets: 2, threads: 10, children: 0)
            ),
            ("sockets", ProcessFootprint(residentMebibytes: 1, descriptors: 30, sockets: 5, threads: 10, children: 0)),
            ("threads", ProcessFootprint(residentMebibytes: 1, descriptors: 30, sockets: 2, threads: 15, children: 0)),
            ("children", ProcessFootprint(residentMebibytes: 1, descriptors: 30, sockets: 2, threads: 10, children: 1)),
        ])
    func leaks(name: String, last: ProcessFootprint) throws {
        let leaks = last.leaks(since: footprint())
        #expect(leaks.count == 1)
        #expect(try #require(leaks.first).hasPrefix(name))
    }

    @Test("this process's descriptors, sockets, children and memory are counted")
    func counts() throws {
        // Others of the suite open files at the same time, so enough of each are made to show among theirs.
        var ends: [Int32] = []
        defer { for end in ends { close(end) } }
        for _ in 0..<100 {
            var pair: [Int32] = [0, 0]
            try #require(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &pair) == 0)
            ends += pair
        }
        let child = Process()
        child.executableURL = URL(filePath: "/bin/sleep")
        child.arguments = ["60"]
        try child.run()
        defer { child.terminate() }
        let found = ProcessFootprint(of: getpid())
        #expect(found.sockets >= 200 && found.descriptors >= found.sockets)
        #expect(found.children >= 1 && found.threads >= 1 && found.residentMebibytes > 1)
    }
}
