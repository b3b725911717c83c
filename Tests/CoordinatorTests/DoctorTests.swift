import Coordinator
import Jobs
import Testing

@Suite("The doctor")
struct DoctorTests {
    private static let healthy = HostFacts(
        operatingSystem: "Debian GNU/Linux 12", processor: "a processor", cores: 8, coreQuota: nil,
        instructionSet: "avx2", memory: .mebibytes(32_768), memoryLimit: nil, oneDNN: .init(2, 6, 3),
        zeroMQ: .init(4, 3, 4), protobufC: .init(1, 4, 1), sharedMemory: .mebibytes(1024), openFiles: 1024,
        portProblem: nil,
        state: .init(path: "/s", problem: nil, longestSocketPath: 40, free: .mebibytes(50_000), daemon: nil))

    @Test("finds nothing to mend on a healthy machine")
    func nothingToMend() {
        let findings = Doctor.findings(on: Self.healthy)
        #expect(findings.allSatisfy { $0.status == .ok && $0.remedy == nil && !$0.found.isEmpty })
        #expect(Set(findings.map(\.name)).count == findings.count)
    }

    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var status: Finding.Status
        var change: @Sendable (inout HostFacts) -> Void
        var testDescription: String { name }

        init(_ name: String, _ status: Finding.Status, _ change: @escaping @Sendable (inout HostFacts) -> Void) {
            self.name = name
            self.status = status
            self.change = change
        }
    }

    static let cases = [
        Case("cores", .warn) { $0.cores = 1 },
        Case("cores", .warn) { $0.coreQuota = 1.5 },
        Case("vector instructions", .warn) { $0.instructionSet = "default" },
        Case("memory", .warn) { $0.memory = .mebibytes(1024) },
        Case("memory", .warn) { $0.memoryLimit = .mebibytes(256) },
        Case("oneDNN", .fail) { $0.oneDNN = .init(2, 5, 9) },
        Case("oneDNN", .fail) { $0.oneDNN = nil },
        Case("libzmq", .fail) { $0.zeroMQ = .init(4, 3, 1) },
        Case("protobuf-c", .fail) { $0.protobufC = .init(1, 2, 9) },
        Case("/dev/shm", .warn) { $0.sharedMemory = nil },
        Case("/dev/shm", .warn) { $0.sharedMemory = .mebibytes(8) },
        Case("open files", .warn) { $0.openFiles = 128 },
        Case("open files", .fail) { $0.openFiles = 32 },
        Case("ports", .fail) { $0.portProblem = "address not available" },
        Case("state directory", .fail) { $0.state.problem = "read-only file system" },
        Case("sockets", .fail) { $0.state.longestSocketPath = 108 },
        Case("disk", .warn) { $0.state.free = .mebibytes(512) },
        Case("disk", .fail) { $0.state.free = .mebibytes(1) },
        Case("disk", .warn) { $0.state.free = nil },
    ]

    @Test("F20, B18: names what is wrong, and only that, and says how to mend it", arguments: cases)
    func whatIsWrong(wrong: Case) {
        var facts = Self.healthy
        wrong.change(&facts)
        let findings = Doctor.findings(on: facts).filter { $0.status != .ok }
        #expect(findings.map(\.name) == [wrong.name])
        #expect(findings.map(\.status) == [wrong.status])
        #expect(findings.allSatisfy { !($0.remedy ?? "").isEmpty })
    }

    @Test("orders versions by their numbers", arguments: [("4.3.4", "4.3.10"), ("2.6", "2.6.1"), ("1.9", "10.0")])
    func versions(less: String, more: String) throws {
        #expect(try #require(HostFacts.Version(less)) < #require(HostFacts.Version(more)))
        #expect(HostFacts.Version("unknown") == nil)
        #expect(HostFacts.Version("2.7.2 (commit abc)")?.description == "2.7.2")
    }

    @Test("looks at this very machine without leaving anything behind")
    func probe() {
        let state = HostProbe.state(at: "/nowhere/to/be/made", daemon: nil)
        #expect(state.longestSocketPath > "/nowhere/to/be/made".utf8.count)
        let facts = HostProbe.facts(
            libraries: .init(instructionSet: "avx2", oneDNN: "2.6.3", zeroMQ: "4.3.4", protobufC: "1.4.1"), state: state
        )
        #expect(facts.cores > 0)
        #expect(facts.memory.count > 0)
        #expect(facts.openFiles > 0)
        #expect(facts.portProblem == nil)
        #expect(HostProbe.state(at: "/dev/null/x", daemon: nil).problem != nil)
    }
}
