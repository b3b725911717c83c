import Jobs
import PerformanceModel
import Testing

@Suite("Invariants of whole steps")
struct StepInvariantTests {
    private static func setup(
        _ hardware: String, nodes: Int, micro: Int, accumulation: Int, change: (inout ClusterMachine) -> Void = { _ in }
    ) throws -> ClusterSetup {
        var profile = try HardwareCatalogue.profile(hardware)
        var machine = try #require(profile.cluster)
        change(&machine)
        profile.machine = .cluster(machine)
        return try ClusterSetup(
            profile: profile,
            workload: Workload(
                model: ModelShape(layers: 12, hidden: 768, heads: 12), vocabularySize: 30_522, sequence: 128,
                maskedPositions: 20, microBatch: micro, optimizer: .adamw),
            precision: .fp16, nodes: nodes, devicesPerNode: 8, accumulation: accumulation)
    }

    private static func total(_ setup: ClusterSetup, _ stack: SoftwareStack, _ calibration: Calibration) -> Double {
        ClusterStep(setup, calibration.constants(for: setup, stack: stack)).total
    }

    /// Random configurations, the same in every run.
    private static let cases: [(hardware: String, nodes: Int, micro: Int, accumulation: Int)] = {
        var random = CounterRandom(seed: 9, purpose: .statistics, step: 1)
        let machines = ["dgx1-v100-16g", "v100x8-1edr", "dgx-a100-80g", "cloud-v100-25gbe"]
        return (0..<24).map { _ in
            func below(_ bound: Int) -> Int { min(bound - 1, Int(Double(random.nextUnit()) * Double(bound))) }
            return (machines[below(4)], 1 << below(8), 1 + below(64), 1 + below(2) * below(16))
        }
    }()

    @Test("more latency never speeds a step, and a shorter step of any link never slows it")
    func latency() throws {
        let calibration = try StackCatalogue.calibration()
        for next in Self.cases {
            for stack in calibration.stacks {
                var before = 0.0
                for factor in [0.1, 1.0, 10, 100] {
                    let setup = try Self.setup(
                        next.hardware, nodes: next.nodes, micro: next.micro, accumulation: next.accumulation
                    ) {
                        $0.interNodeLatencyMicroseconds.value *= factor
                        $0.intraNodeLatencyMicroseconds.value *= factor
                    }
                    let time = Self.total(setup, stack, calibration)
                    #expect(time >= before - 1e-12)
                    before = time
                }
            }
        }
    }

    @Test("on an infinitely fast network no transfer is left, only what exchanging costs the device")
    func infiniteNetwork() throws {
        let calibration = try StackCatalogue.calibration()
        for next in Self.cases {
            let setup = try Self.setup(
                next.hardware, nodes: next.nodes, micro: next.micro, accumulation: next.accumulation
            ) {
                $0.interNodeBusGigabytesPerSecond.value = .infinity
                $0.networkGigabitsPerSecond.value = .infinity
                $0.intraNodeBusGigabytesPerSecond.value = .infinity
                $0.interNodeLatencyMicroseconds.value = 0
                $0.intraNodeLatencyMicroseconds.value = 0
            }
            for stack in calibration.stacks {
                let step = ClusterStep(setup, calibration.constants(for: setup, stack: stack))
                // What starts a collective stays: 8.4 us each.
                #expect(step.exchange <= 8.5e-6 * 64)
            }
        }
    }

    @Test("two interfaces are never slower than one of their sum, halved")
    func splittingALink() {
        for bytes in [1e4, 1e6, 1e9] {
            for ranks in [16, 64] {
                func link(_ rate: Double) -> AllReduceTime {
                    AllReduceTime(
                        ranks: ranks, nodes: ranks / 8, intraBytesPerSecond: 130e9, interBytesPerSecond: rate,
                        intraHopSeconds: 3e-6, interHopSeconds: 1e-5)
                }
                // Half the message over half the link takes as long as the whole over the whole, but for its latency.
                #expect(link(6e9).seconds(bytes / 2) >= link(12e9).seconds(bytes) - 1e-12)
            }
        }
    }

    @Test("time is additive: a job of two phases takes as long as two jobs of one")
    func additivePhases() throws {
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        var both = StepModelTests.job()
        both.phases.append(both.phases[0])
        both.phases[1].sequence = 512
        both.phases[1].microBatch = 8
        var (first, second) = (both, both)
        first.phases.removeLast()
        second.phases.removeFirst()
        func time(_ job: Job) throws -> Double {
            try JobPrediction(job: job, profile: profile, layout: .init(workers: 16)).time.seconds
        }
        #expect(abs(try time(first) + time(second) - time(both)) < 1e-9 * (try time(both)))
    }

    @Test("a table of samples gives the steps, and a batch beyond it is flagged")
    func convergence() throws {
        let law = try ConvergenceLaw(fitting: [
            .init(globalBatch: 4096, samples: 1e6), .init(globalBatch: 16_384, samples: 1.4e6),
        ])
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        let inside = try JobPrediction(
            job: StepModelTests.job(), profile: profile, layout: .init(workers: 8), convergence: law)
        #expect(abs(inside.phases[0].steps - law.steps(globalBatch: 8192)) < 1e-9)
        #expect(!inside.extrapolated.contains { $0.contains("convergence") })
        let outside = try JobPrediction(
            job: StepModelTests.job(globalBatch: 65_536), profile: profile, layout: .init(workers: 8), convergence: law)
        #expect(outside.extrapolated.contains { $0.contains("convergence") })
    }
}
