import Foundation
import Jobs
import TestSupport
import Testing

@Suite("Runs with compressed gradients", .serialized)
struct CompressionTests {
    /// A kind of compression, and the wafer's run with it.
    enum Kind: String, CaseIterable, Sendable {
        case bf16, fp16, topK

        var keys: String {
            switch self {
            case .bf16, .fp16: "compression: \(rawValue)"
            case .topK: "compression: { kind: top_k, density: 0.05, flush_every: 4 }"
            }
        }

        private static let references = Dictionary(
            uniqueKeysWithValues: allCases.map { kind in
                (kind, Result { try ElasticRun.reference(steps: CompressionTests.steps, keys: kind.keys) })
            })

        var reference: ElasticRun.Trace { get throws { try #require(Self.references[self]).get() } }
    }

    private static let steps = 18

    @Test(
        "give the wafer's bits on 1 to 4 workers, by every transport and algorithm", arguments: Kind.allCases,
        [(1, "shm", "direct"), (2, "ipc", "ring"), (3, "tcp", "star"), (4, "shm", "tree"), (4, "ipc", "direct")])
    func sameBits(kind: Kind, cluster: (workers: Int, transport: String, algorithm: String)) throws {
        let run = try ElasticRun(
            steps: Self.steps, keys: kind.keys, workers: cluster.workers,
            launch: ["--transport", cluster.transport, "--algorithm", cluster.algorithm])
        try run.waitForEnd()
        try run.expect(like: kind.reference)
        #expect(!run.events.contains { $0.kind == .warning }, "\(run.words)")
    }

    @Test(
        "F1: workers that are killed in mid-exchange and mid-step leave no trace", arguments: Kind.allCases,
        ["shm", "ipc"])
    func killed(kind: Kind, transport: String) throws {
        let run = try ElasticRun(
            steps: Self.steps, keys: kind.keys, workers: 3, launch: ["--transport", transport],
            environment: ["WAFERMARK_FAULTS": "kill:1@exchange:6,kill:2@backward:11"])
        try run.waitForEnd()
        try run.expect(like: kind.reference)
        #expect(run.events.filter { $0.kind == .workerLost }.count == 2, "\(run.words)")
        #expect(run.words.contains { $0.contains("to be made again") } == (kind == .topK), "\(run.words)")
    }

    @Test(
        "F8: after all workers were killed at once, as many go on from the newest checkpoint", arguments: Kind.allCases)
    func allKilled(kind: Kind) throws {
        let run = try ElasticRun(
            steps: Self.steps, keys: kind.keys, workers: 2,
            environment: ["WAFERMARK_FAULTS": "kill:0@apply:10,kill:1@apply:10"])
        try run.waitForEnd()
        try run.expect(like: kind.reference)
    }

    @Test("a run that was cancelled goes on to the same bits, on another number of workers", arguments: Kind.allCases)
    func resumed(kind: Kind) throws {
        let run = try ElasticRun(
            steps: 60, keys: kind.keys, workers: 3, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 5 })
        #expect(try Program.run(["runs", "cancel", run.id, "--state", run.state]).status == 0)
        #expect(Eventually.holds(within: 30) { RunListing.states(run.state) == ["cancelled"] }, "\(run.words)")
        let resume = try Program.run(["runs", "resume", run.id, "--workers", "2", "--state", run.state])
        #expect(resume.status == 0, "\(resume.standardError)")
        try run.waitForEnd()
        try run.expect(like: try ElasticRun.reference(steps: 60, keys: kind.keys))
        #expect(run.words.contains { $0.contains("goes on from the checkpoint after") }, "\(run.words)")
    }

    @Test("F15: after kill -9 of the coordinator too", arguments: [Kind.topK])
    func killedCoordinator(kind: Kind) throws {
        var run = try ElasticRun(
            steps: 60, keys: kind.keys, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 9 })
        run.daemon.signal(SIGKILL)
        try run.serveAgain(["--resume-all"])
        try run.waitForEnd()
        try run.expect(like: try ElasticRun.reference(steps: 60, keys: kind.keys))
    }

    @Test("F13: a worker joins where nothing is held back, and takes lanes")
    func join() throws {
        let run = try ElasticRun(
            steps: 80, keys: Kind.topK.keys, workers: 2, environment: ["WAFERMARK_FAULTS": "slow@forward:0"])
        #expect(Eventually.holds(within: 60) { run.stepsMade > 3 })
        let joined = try Program.start(["worker", "--join", "ipc://\(run.state)/sockets/\(run.id)"])
        try run.waitForEnd()
        #expect(try joined.wait(seconds: 30).status == 0, "\(joined.standardError)")
        try run.expect(like: try ElasticRun.reference(steps: 80, keys: Kind.topK.keys))
        #expect(run.words.contains { $0.contains("passes its state to [2]") }, "\(run.words)")
        #expect(!run.words.contains { $0.contains("to be made again") }, "\(run.words)")
    }

    @Test("the command line overrides the job, and what is sent is counted beside what it would have been")
    func counted() throws {
        var runs: [String: ElasticRun] = [:]
        for kind in ["none", "bf16", "fp16", "top_k"] {
            let run = try ElasticRun(
                steps: Self.steps, keys: Kind.topK.keys, workers: 2,
                launch: ["--transport", "ipc", "--lane-shares", "even", "--compression", kind])
            try run.waitForEnd()
            runs[kind] = run
        }
        func sent(_ kind: String) throws -> (bytes: Int, uncompressed: Int) {
            let steps = try #require(runs[kind]).record().workerSteps
            return (steps.reduce(0) { $0 + $1.sent.count }, steps.reduce(0) { $0 + ($1.uncompressed?.count ?? 0) })
        }
        let whole = try sent("none")
        #expect(whole.bytes == whole.uncompressed && whole.bytes > 0)
        for kind in ["bf16", "fp16"] {
            #expect(try sent(kind).bytes * 2 == whole.bytes)
            #expect(try sent(kind).uncompressed == whole.bytes)
        }
        // A quarter of the steps give everything; the others 1/32 for the bits and up to two lanes' 1/20.
        let topK = try sent("top_k")
        #expect(topK.uncompressed == whole.bytes && topK.bytes < whole.bytes / 2, "\(topK) of \(whole)")
        #expect(Set(try runs.values.map { try $0.trace().digest }).count == 4)
    }
}
