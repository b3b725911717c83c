import Jobs
import PerformanceModel
import Testing

/// Random clusters and jobs, the same in every run: no remedy that takes work away may make a replay slower.
@Suite("Remedies replayed on clusters")
struct RemedyTests {
    private struct Case: Sendable {
        var hardware: String
        var nodes: Int
        var devices: Int
        var micro: Int
        var accumulation: Int
    }

    private static let cases: [Case] = {
        var random = CounterRandom(seed: 77, purpose: .statistics, step: 1)
        let machines = ["dgx1-v100-16g", "v100x8-1edr", "dgx-a100-80g", "cloud-v100-25gbe"]
        return (0..<32).map { _ in
            Case(
                hardware: machines[random.nextIndex(below: 4)], nodes: 1 << random.nextIndex(below: 7),
                devices: 1 << random.nextIndex(below: 4), micro: 1 + random.nextIndex(below: 48),
                accumulation: 1 + random.nextIndex(below: 2) * random.nextIndex(below: 16))
        }
    }()

    private static func setup(_ next: Case, micro: Int? = nil, accumulation: Int? = nil) throws -> ClusterSetup {
        try ClusterSetup(
            profile: HardwareCatalogue.profile(next.hardware),
            workload: Workload(
                model: ModelShape(layers: 12, hidden: 768, heads: 12), vocabularySize: 30_522, sequence: 128,
                maskedPositions: 20, microBatch: micro ?? next.micro, optimizer: .adamw),
            precision: .fp16, nodes: next.nodes, devicesPerNode: next.devices,
            accumulation: accumulation ?? next.accumulation)
    }

    /// Every case under every stack: what its replays give, and the step that they start from.
    private static func replays() throws -> [(step: ClusterStep, replay: RemedyReplay)] {
        let calibration = try StackCatalogue.calibration()
        return try cases.flatMap { next in
            let setup = try setup(next)
            let doubled =
                next.accumulation % 2 == 0
                ? try Self.setup(next, micro: 2 * next.micro, accumulation: next.accumulation / 2) : nil
            return calibration.stacks.map { stack in
                let constants = calibration.constants(for: setup, stack: stack)
                return (ClusterStep(setup, constants), RemedyReplay(setup, constants, doubled: doubled))
            }
        }
    }

    private static func seconds(_ remedy: Remedy, _ replay: RemedyReplay) -> Double? {
        replay.outcomes.first { $0.remedy == remedy }?.seconds
    }

    @Test("every remedy has an outcome, in one order, beside the step as it is")
    func outcomes() throws {
        for (step, replay) in try Self.replays() {
            #expect(replay.seconds == step.total)
            #expect(replay.outcomes.map(\.remedy) == Remedy.allCases)
            for outcome in replay.outcomes { #expect((outcome.seconds == nil) == (outcome.obstacle != nil)) }
        }
    }

    @Test("what only takes work or waiting away never makes a step slower")
    func neverSlower() throws {
        for (_, replay) in try Self.replays() {
            for outcome in replay.outcomes where outcome.remedy.onlyRemoves {
                let seconds = try #require(outcome.seconds)
                #expect(seconds <= replay.seconds * (1 + 1e-12), "\(outcome.remedy)")
                #expect(seconds > 0)
            }
        }
    }

    @Test("on an infinite network a step is what is computed")
    func infiniteNetwork() throws {
        for (step, replay) in try Self.replays() {
            let computing = step.compute.total + step.waiting + step.host + step.update
            #expect(Self.seconds(.infiniteNetwork, replay) == computing)
        }
    }

    @Test("no change of the exchange gains more than an infinite network")
    func bound() throws {
        for (_, replay) in try Self.replays() {
            let least = try #require(Self.seconds(.infiniteNetwork, replay))
            for remedy in [Remedy.perfectOverlap, .halfTheBytes] {
                #expect(try #require(Self.seconds(remedy, replay)) >= least * (1 - 1e-12))
            }
        }
    }

    @Test("without stragglers nothing waits, and a lone device has nothing to gain from its network")
    func alone() throws {
        let calibration = try StackCatalogue.calibration()
        let next = Case(hardware: "dgx1-v100-16g", nodes: 1, devices: 1, micro: 8, accumulation: 2)
        let setup = try Self.setup(next)
        for stack in calibration.stacks {
            let replay = RemedyReplay(setup, calibration.constants(for: setup, stack: stack), doubled: nil)
            for outcome in replay.outcomes where outcome.remedy.onlyRemoves {
                #expect(outcome.seconds == replay.seconds, "\(outcome.remedy)")
            }
        }
    }

    @Test("a doubled micro-batch is the step of that very size")
    func doubled() throws {
        let calibration = try StackCatalogue.calibration()
        for next in Self.cases where next.accumulation % 2 == 0 {
            let (setup, doubled) = (
                try Self.setup(next), try Self.setup(next, micro: 2 * next.micro, accumulation: next.accumulation / 2)
            )
            for stack in calibration.stacks {
                let constants = calibration.constants(for: setup, stack: stack)
                let replay = RemedyReplay(setup, constants, doubled: doubled)
                #expect(Self.seconds(.doubleMicroBatch, replay) == ClusterStep(doubled, constants).total)
            }
        }
    }

    @Test("a job's replay is the mean over its phases' steps, and its base is what is predicted")
    func job() throws {
        var job = try JobExample.bertLargePubmed.job()
        for index in job.phases.indices { job.phases[index].globalBatch = 4_096 }
        let profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        let layout = StepModel.Layout(workers: 32, vocabularySize: 30_522)
        let replay = try RemedyReplay(job: job, profile: profile, layout: layout)
        let prediction = try JobPrediction(job: job, profile: profile, layout: layout)
        let steps = Double(job.totalSteps)
        #expect(abs(replay.seconds * steps / prediction.time.seconds - 1) < 1e-12)
        let wafer = try HardwareCatalogue.profile("cs1")
        #expect(throws: PerformanceModelError.self) {
            try RemedyReplay(job: job, profile: wafer, layout: StepModel.Layout(workers: 1))
        }
    }

    @Test("the mean leaves a kind as it is that a remedy can't be applied to")
    func mean() throws {
        let first = RemedyReplay(seconds: 4, outcomes: [.init(remedy: .doubleMicroBatch, seconds: 3)])
        let second = RemedyReplay(seconds: 2, outcomes: [.init(remedy: .doubleMicroBatch, obstacle: "no")])
        let mean = try #require(RemedyReplay(mean: [(first, 1), (second, 3)]))
        #expect(mean.seconds == 2.5 && mean.outcomes.map(\.seconds) == [(3 + 3 * 2) / 4])
        #expect(try #require(RemedyReplay(mean: [(second, 3)])).outcomes.first?.obstacle == "no")
        #expect(RemedyReplay(mean: []) == nil)
    }
}

@Suite("Remedies replayed on the host")
struct HostRemedyTests {
    private static func host(cores: Int = 2) -> HostMachine {
        HostMachine(
            processor: "made up", cores: cores, instructionSet: "avx2", measuredAt: "2026-01-01T00:00:00Z",
            disturbancePercent: 0,
            rates: [128, 512, 2_048].flatMap { tokens in
                [1, 2].map { busy in
                    HostMachine.Rates(
                        hidden: 256, sequence: 128, tokens: tokens, busy: busy,
                        encoderGigaflopsPerSecond: tokens < 1_000 ? 40 : 55, lastLayerGigaflopsPerSecond: 30,
                        headGigaflopsPerSecond: 60, attentionNanoseconds: 0.12, attentionElementNanoseconds: 6,
                        elementwiseGigabytesPerSecond: 6,
                        logitNanoseconds: 1,
                        embeddingNanoseconds: 2, overhead: 1)
                }
            }, adamwNanosecondsPerParameter: 1, lambNanosecondsPerParameter: 1.5,
            adamwNanosecondsPerParameterAlone: 1.7, lambNanosecondsPerParameterAlone: 2.5,
            laneGradientsAlone: .init(sum: 0.8, norm: 0.2),
            laneGradients: .init(sum: 0.9, norm: 0.2), memoryGigabytesPerSecond: 20, streams: HostTests.machine.streams,
            links: HostTests.machine.links, controlMicroseconds: HostTests.machine.controlMicroseconds,
            controlMicrosecondsInTurns: HostTests.machine.controlMicrosecondsInTurns)
    }

    private static func replay(
        workers: Int, shares: [Double], cores: Int = 2, microBatch: Int = 2, transport: Transport = .ipc
    ) throws -> (step: HostStep, replay: RemedyReplay) {
        var job = try JobExample.demo.job()
        job.phases[0].microBatch = microBatch
        let layout = HostStep.Layout(
            workers: workers, lengths: SequenceLengths(fill: 0.9, spread: 0), transport: transport)
        return (
            try HostStep(job: job, layout: layout, vocabularySize: 2_048, on: host(cores: cores)),
            try RemedyReplay(
                job: job, phase: 0, layout: layout, workShares: shares, vocabularySize: 2_048, on: host(cores: cores))
        )
    }

    private static func seconds(_ remedy: Remedy, _ replay: RemedyReplay) throws -> Double {
        try #require(replay.outcomes.first { $0.remedy == remedy }?.seconds)
    }

    @Test("even workers give the host's own step, and on an infinite network its computing")
    func even() throws {
        let (step, replay) = try Self.replay(workers: 2, shares: [1, 1])
        #expect(abs(replay.seconds / step.total - 1) < 1e-9)
        #expect(abs(try Self.seconds(.infiniteNetwork, replay) / (step.compute + step.optimizer) - 1) < 1e-9)
        #expect(abs(try Self.seconds(.noStraggler, replay) / replay.seconds - 1) < 1e-9)
    }

    @Test("a slow worker holds the exchange up, and without it the step is the even one")
    func straggler() throws {
        let (step, replay) = try Self.replay(workers: 2, shares: [0.8, 1.2])
        #expect(abs(replay.seconds - (step.total + 0.2 * step.compute)) < 1e-9)
        #expect(abs(try Self.seconds(.noStraggler, replay) - step.total) < 1e-9)
    }

    @Test("overlap gains nothing where every core computes, and hides the exchange where one is idle")
    func overlap() throws {
        let crowded = try Self.replay(workers: 2, shares: [1, 1]).replay
        #expect(
            crowded.outcomes.first { $0.remedy == .perfectOverlap }?.obstacle?.contains("none of them is idle") == true)
        let (step, roomy) = try Self.replay(workers: 2, shares: [1, 1], cores: 8)
        let expected = max(step.compute, step.exchange) + step.optimizer
        #expect(abs(try Self.seconds(.perfectOverlap, roomy) - expected) < 1e-9)
    }

    @Test("half the bytes gain at most half the exchange")
    func bytes() throws {
        let (step, replay) = try Self.replay(workers: 4, shares: [1, 1, 1, 1])
        let half = try Self.seconds(.halfTheBytes, replay)
        #expect(half < replay.seconds && half >= replay.seconds - step.exchange / 2)
        let shared = try Self.replay(workers: 4, shares: [1, 1, 1, 1], transport: .sharedMemory).replay
        #expect(shared.outcomes.first { $0.remedy == .halfTheBytes }?.obstacle?.contains("memory") == true)
    }

    @Test("a micro-batch that is a lane's share already can't be doubled")
    func micro() throws {
        #expect(try Self.seconds(.doubleMicroBatch, Self.replay(workers: 2, shares: [1, 1]).replay) > 0)
        let whole = try Self.replay(workers: 2, shares: [1, 1], microBatch: 512).replay
        #expect(whole.outcomes.first { $0.remedy == .doubleMicroBatch }?.obstacle != nil)
    }
}
