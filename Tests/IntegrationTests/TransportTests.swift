import Foundation
import Runs
import TestSupport
import Testing

@Suite("Transports of gradients", .serialized)
struct TransportTests {
    private static let reference = Result { try ElasticRun.reference(steps: 12) }

    @Test(
        "all give the wafer's bits, by every algorithm", arguments: ["shm", "ipc", "tcp"],
        ["direct", "star", "ring", "tree"])
    func sameBits(transport: String, algorithm: String) throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, launch: ["--transport", transport, "--algorithm", algorithm])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(try run.record().run.exchange?.transport.rawValue == transport)
        #expect(!run.events.contains { $0.kind == .warning }, "\(run.words)")
    }

    @Test(
        "F1: a worker that dies while its memory is read, or while it reads, leaves no trace",
        arguments: ["shm", "ipc", "tcp"])
    func deaths(transport: String) throws {
        let run = try ElasticRun(
            steps: 12, workers: 3, launch: ["--transport", transport],
            environment: ["WAFERMARK_FAULTS": "kill:1@exchange:3,kill:2@backward:6"])
        try run.waitForEnd()
        try run.expect(like: Self.reference.get())
        #expect(run.events.filter { $0.kind == .workerLost }.count == 2, "\(run.words)")
        // Who else could hold the memory of workers that are gone.
        #expect(Leftovers.sharedMemory(of: run.daemon.processID).isEmpty)
    }

    @Test(
        "a worker in another process namespace, whose memory the others can't map, is sent numbers, and that is told",
        .enabled(if: Namespaces.arePossible, "this machine lets no test make a process namespace"))
    func otherNamespace() throws {
        let run = try ElasticRun(
            steps: 80, workers: 2, launch: ["--transport", "shm"],
            environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 3 })
        let worker = Process()
        worker.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        worker.arguments =
            Namespaces.options + [try Program.path(), "worker", "--join", "ipc://\(run.state)/sockets/\(run.id)"]
        worker.standardInput = FileHandle.nullDevice
        try worker.run()
        defer { if worker.isRunning { worker.terminate() } }
        try run.waitForEnd()
        try run.expect(like: try ElasticRun.reference(steps: 80))
        #expect(run.words.contains { $0.contains("worker 2: lanes") }, "\(run.words)")
        let notices = run.events.filter { $0.kind == .warning }.map(\.message)
        #expect(notices.contains { $0.contains("can't read the memory of worker 2") }, "\(notices)")
    }
}

/// Process namespaces of a test's own.
enum Namespaces {
    /// What `unshare` is told.
    static let options = ["--map-root-user", "--pid", "--fork", "--kill-child"]

    /// Whether this machine lets a test make one.
    static let arePossible: Bool = {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/unshare")
        process.arguments = options + ["/bin/true"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }()
}
