import Coordinator
import Foundation
import Jobs
import Report
import Runs
import TestSupport
import Testing

/// Real runs that one thing holds up, which the report must name. Those that no fault can make are among the fabricated
/// records of `BottleneckTests`.
@Suite("Bottlenecks of real runs", .serialized)
struct BottleneckRunTests {
    struct Seeded: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind: Bottleneck.Kind?
        var rank: Int?
        var workers = 2
        var batch = 16
        var steps = 16
        var faults: String?
        var launch: [String] = []
        /// Whether gradients pass a link that takes them byte by byte, once a worker has stopped for it.
        var isSliced = false
    }

    static let seeded: [Seeded] = [
        // A worker alone waits for nobody, and its batch is large beside all that is not computing.
        Seeded(testDescription: "a clean run", kind: nil, workers: 1, batch: 1_024, steps: 12),
        Seeded(
            testDescription: "a slow worker", kind: .straggler, rank: 1, faults: "slow:1@forward:0",
            launch: ["--lane-shares", "even"]),
        Seeded(
            testDescription: "another slow worker, of three", kind: .straggler, rank: 0, workers: 3,
            faults: "slow:0@forward:0", launch: ["--lane-shares", "even"]),
        Seeded(testDescription: "slow input", kind: .input, faults: "slow@input:0"),
        Seeded(testDescription: "a late optimizer", kind: .optimizer, faults: "slow@apply:0"),
        Seeded(testDescription: "long evaluations", kind: .betweenSteps, faults: "slow@evaluate"),
        Seeded(
            testDescription: "tiny buckets", kind: .exchange, workers: 4,
            launch: ["--transport", "tcp", "--algorithm", "ring", "--bucket-mebibytes", "0.001"]),
        Seeded(
            testDescription: "a slow link", kind: .exchange, steps: 6, faults: "stop:0@applied:0",
            launch: ["--transport", "ipc"], isSliced: true),
    ]

    @Test("are named right", arguments: seeded)
    func named(seeded: Seeded) async throws {
        // No checkpoint before the end: a disk that other tests keep busy is a bottleneck of its own.
        let run = try ElasticRun(
            steps: seeded.steps, batch: seeded.batch, workers: seeded.workers, launch: seeded.launch,
            checkpointSteps: seeded.steps,
            environment: seeded.faults.map { ["WAFERMARK_FAULTS": $0] } ?? [:], network: seeded.isSliced)
        if let network = run.network {
            let areConnected = Eventually.holds(within: 60) { !run.stoppedWorkers.isEmpty }
            #expect(areConnected, "\(run.words)")
            // Other tests may keep all threads that could go on with this one, for longer than a worker may be silent.
            let areSliced = DispatchSemaphore(value: 0)
            for choice in 0..<8 { network.apply(.slice, to: .peers, choice: choice) { _ in areSliced.signal() } }
            for _ in 0..<8 { #expect(areSliced.wait(timeout: .now() + 10) == .success) }
            for worker in run.stoppedWorkers { kill(worker, SIGCONT) }
        }
        try run.waitForEnd()
        let record = try run.record()
        let loss = try #require(SpeedUpLoss(record))
        let told = "\(loss.losses.map { "\($0.cause) \($0.workers)" }), computing \(loss.computingWorkers)"
        #expect(loss.bottleneck?.kind == seeded.kind, "\(told)")
        #expect(loss.bottleneck?.rank == seeded.rank, "\(told)")
        let sum = loss.computingWorkers + loss.losses.reduce(0) { $0 + $1.workers }
        #expect(abs(sum - Double(seeded.workers)) <= 0.005 * Double(seeded.workers), "\(told); \(run.words)")
        await run.network?.close()
    }

    @Test("the critical path of a real step stands on measured starts, and covers nearly all of it")
    func criticalPath() throws {
        let run = try ElasticRun(
            steps: 16, workers: 2, launch: ["--lane-shares", "even"],
            environment: ["WAFERMARK_FAULTS": "slow:1@forward:0"])
        try run.waitForEnd()
        let path = try #require(CriticalPath(run.record()))
        #expect(path.startsMeasured && path.coveredShare > 0.9 && path.coveredShare <= 1 + 1e-9, "\(path.path)")
        let longest = try #require(path.path.max { $0.hostSeconds < $1.hostSeconds })
        #expect(longest.rank == 1 && longest.part == "compute" && longest.hostSeconds > 0.1)
    }
}
