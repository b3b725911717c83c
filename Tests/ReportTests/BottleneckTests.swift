import Foundation
import Jobs
import Report
import Runs
import Testing

/// Runs made up so that one thing holds them up; the report must name it.
@Suite("Bottlenecks")
struct BottleneckTests {
    /// A step's parts in milliseconds.
    struct Parts: Sendable {
        var compute = 100.0
        var exposed = 1.0
        var waiting = 0.5
        var input = 0.1
        var optimizer = 1.5
        var other = 0.3
    }

    struct Seeded: Sendable, CustomTestStringConvertible {
        var testDescription: String
        var kind: Bottleneck.Kind?
        var rank: Int?
        var workers = 4
        /// Time of evaluations, as a share of the steps'.
        var between = 0.01
        /// The parts of worker `rank` in step `step`.
        var parts: @Sendable (_ rank: Int, _ step: Int) -> Parts

        var record: RunRecord {
            var record = FabricatedRuns.record("0000aaaa", backend: .cluster, workers: workers, made: 40, stepTime: 0.1)
            record.evaluations = []
            record.workerSteps = []
            var elapsed = 0.0
            for step in 0..<40 {
                let all = (0..<workers).map { parts($0, step) }
                var duration = 0.0
                for (rank, part) in all.enumerated() {
                    let total = part.compute + part.exposed + part.waiting + part.input + part.optimizer + part.other
                    duration = max(duration, total / 1_000)
                    record.workerSteps.append(
                        WorkerStepRecord(
                            step: StepNumber(step), rank: WorkerRank(rank), input: HostSeconds(part.input / 1_000),
                            compute: HostSeconds(part.compute / 1_000),
                            exposedCommunication: HostSeconds(part.exposed / 1_000),
                            waiting: HostSeconds(part.waiting / 1_000), optimizer: HostSeconds(part.optimizer / 1_000),
                            duration: HostSeconds(total / 1_000), sent: Bytes(1_000_000)))
                }
                elapsed += duration * (1 + between)
                record.steps[step].duration = HostSeconds(duration)
                record.steps[step].elapsed = HostSeconds(elapsed)
            }
            record.run.outcome?.trainingTime = HostSeconds(elapsed)
            return record
        }
    }

    static let seeded: [Seeded] = [
        Seeded(testDescription: "a clean run", kind: nil) { _, _ in Parts() },
        Seeded(testDescription: "a clean run of two", kind: nil, workers: 2) { _, step in
            Parts(compute: 100 + Double(step % 3))
        },
        Seeded(testDescription: "a slow link", kind: .exchange) { _, _ in Parts(exposed: 30) },
        Seeded(testDescription: "tiny buckets", kind: .exchange, workers: 2) { _, _ in Parts(exposed: 12, other: 4) },
        Seeded(testDescription: "a slow worker", kind: .straggler, rank: 2) { rank, _ in
            rank == 2 ? Parts(compute: 150) : Parts(waiting: 50.5)
        },
        Seeded(testDescription: "a slightly slow worker", kind: .straggler, rank: 0, workers: 2) { rank, _ in
            rank == 0 ? Parts(compute: 118) : Parts(waiting: 18)
        },
        Seeded(testDescription: "a slow worker behind a slow link", kind: .straggler, rank: 3) { rank, _ in
            rank == 3 ? Parts(compute: 170, exposed: 10) : Parts(exposed: 10, waiting: 70)
        },
        Seeded(testDescription: "workers that are slow in turn", kind: .imbalance) { rank, step in
            rank == step % 4 ? Parts(compute: 140) : Parts(waiting: 40)
        },
        Seeded(testDescription: "slow input", kind: .input) { _, _ in Parts(input: 25) },
        Seeded(testDescription: "a late optimizer", kind: .optimizer) { _, _ in Parts(optimizer: 28) },
        Seeded(testDescription: "long evaluations", kind: .betweenSteps, between: 0.4) { _, _ in Parts() },
        Seeded(testDescription: "a crowded machine", kind: .host) { _, _ in Parts(other: 35) },
    ]

    @Test("are named right", arguments: seeded)
    func named(seeded: Seeded) throws {
        let loss = try #require(SpeedUpLoss(seeded.record))
        #expect(loss.bottleneck?.kind == seeded.kind)
        #expect(loss.bottleneck?.rank == seeded.rank)
    }

    @Test("what is lost and what computes add up to the workers within 0.5 %", arguments: seeded)
    func sum(seeded: Seeded) throws {
        let loss = try #require(SpeedUpLoss(seeded.record))
        let sum = loss.computingWorkers + loss.losses.reduce(0) { $0 + $1.workers }
        #expect(abs(sum - Double(seeded.workers)) <= 0.005 * Double(seeded.workers))
        #expect(loss.losses.map(\.workers) == loss.losses.map(\.workers).sorted(by: >))
        #expect(Set(loss.losses.map(\.cause)) == Set(SpeedUpLoss.Cause.allCases))
    }

    @Test("the parts add up where a worker began its first step long before the one that tells the time")
    func earlyWorker() throws {
        var record = FabricatedRuns.record("0000bbbb", backend: .cluster, workers: 2, made: 6, stepTime: 0.5)
        let first = try #require(record.workerSteps.firstIndex { $0.rank.index == 1 })
        let early = HostSeconds(1)
        record.workerSteps[first].waiting += early
        record.workerSteps[first].duration += early
        let started = try #require(record.workerSteps[first].timeline?.started)
        record.workerSteps[first].timeline?.started = started - early
        let loss = try #require(SpeedUpLoss(record))
        let sum = loss.computingWorkers + loss.losses.reduce(0) { $0 + $1.workers }
        #expect(abs(sum - 2) < 0.01, "\(sum)")
    }

    @Test("a run without steps has none")
    func none() {
        #expect(SpeedUpLoss(FabricatedRuns.record("0000aaaa", backend: .cluster, made: 0, stepTime: 1)) == nil)
    }
}
