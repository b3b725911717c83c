import Jobs
import PerformanceModel
import Testing

@Suite("The calibrated host")
struct HostTests {
    static func rates(_ hidden: Int, _ sequence: Int, _ busy: Int, tokens: Int = 1024) -> HostMachine.Rates {
        HostMachine.Rates(
            hidden: hidden, sequence: sequence, tokens: tokens, busy: busy,
            encoderGigaflopsPerSecond: 40 + Double(hidden) / 20 - 5 * Double(busy), lastLayerGigaflopsPerSecond: 30,
            headGigaflopsPerSecond: 60,
            attentionNanoseconds: 0.12, attentionElementNanoseconds: 6, elementwiseGigabytesPerSecond: 6,
            logitNanoseconds: 1, embeddingNanoseconds: 2,
            overhead: 1.02)
    }

    static let machine = HostMachine(
        processor: "a processor", cores: 2, instructionSet: "avx2", measuredAt: "2026-01-01T00:00:00Z",
        disturbancePercent: 2,
        rates: [128, 512].flatMap { hidden in
            [128, 512].flatMap { sequence in [1, 2].map { rates(hidden, sequence, $0) } }
        }, adamwNanosecondsPerParameter: 1, lambNanosecondsPerParameter: 1.5, adamwNanosecondsPerParameterAlone: 1.7,
        lambNanosecondsPerParameterAlone: 2.5, laneGradientsAlone: .init(sum: 0.8, norm: 0.2),
        laneGradients: .init(sum: 0.9, norm: 0.2), memoryGigabytesPerSecond: 20,
        streams: .init(peerSum: 1.1, peerCopy: 0.8),
        links: .init(
            sharedMemory: .init(latencyMicroseconds: 100, messageMicroseconds: 20, carryNanosecondsPerElement: 0),
            ipc: .init(latencyMicroseconds: 120, messageMicroseconds: 15, carryNanosecondsPerElement: 2),
            tcp: .init(latencyMicroseconds: 150, messageMicroseconds: 15, carryNanosecondsPerElement: 3)),
        controlMicroseconds: 500, controlMicrosecondsInTurns: 800)

    private static func step(
        workers: Int, lengths: SequenceLengths = .full, by transport: Transport = .sharedMemory,
        _ algorithm: CollectiveAlgorithm = .direct, on machine: HostMachine = machine
    ) throws -> HostStep {
        try HostStep(
            job: StepModelTests.job(globalBatch: 32, microBatch: 4),
            layout: .init(workers: workers, lengths: lengths, algorithm: algorithm, transport: transport),
            vocabularySize: 4000, on: machine)
    }

    @Test("a profile written and read again is the same")
    func roundTrip() throws {
        let again = try HostMachine(parsing: Self.machine.yaml, file: "host.yaml")
        #expect(again.yaml == Self.machine.yaml)
        #expect(again.rates.count == Self.machine.rates.count)
    }

    @Test("without a calibrated host no time is predicted, and the way to one is said")
    func notCalibrated() {
        let error = #expect(throws: PerformanceModelError.self) { try HostMachine(inStateDirectory: "/nowhere") }
        #expect(error?.description.contains("wafermark calibrate") == true)
    }

    @Test("a profile with a rate that is none, or an unknown key, is refused by its line")
    func refusesBadProfile() {
        for (found, replacement) in [
            ("busy: 1", "busy: 0"), ("cores: 2", "cores: many"), ("latency_microseconds", "delay_microseconds"),
            ("carry_nanoseconds_per_element: 0", "carry_nanoseconds_per_element: -1"), ("  ipc:", "  pipe:"),
        ] {
            #expect(throws: PerformanceModelError.self) {
                try HostMachine(parsing: Self.machine.yaml.replacing(found, with: replacement), file: "host.yaml")
            }
        }
    }

    @Test("a profile that an earlier version wrote is refused with what to do")
    func refusesEarlierVersion() {
        let earlier = Self.machine.yaml.replacing("version: 7\n", with: "version: 6\n")
        let error = #expect(throws: PerformanceModelError.self) {
            try HostMachine(parsing: earlier, file: "host.yaml")
        }
        #expect(error?.description.contains("run 'wafermark calibrate' again") == true)
    }

    @Test("a slowed machine's step takes longer where it computes by one factor, where it moves memory by the other")
    func slows() throws {
        let step = try Self.step(workers: 2, lengths: SequenceLengths(fill: 0.9, spread: 0.3))
        let slowed = step.slowed(by: HostStep.Slowdown(kernels: 1.5, memory: 1.25))
        #expect(step.slowed(by: .none) == step)
        #expect(slowed.compute == 1.5 * step.compute && slowed.waiting == 1.5 * step.waiting)
        #expect(slowed.exchange == 1.25 * step.exchange && slowed.optimizer == 1.25 * step.optimizer)
        let expected = 1.5 * (step.compute + step.waiting) + 1.25 * (step.exchange + step.optimizer)
        #expect(step.waiting > 0 && abs(slowed.total / expected - 1) < 1e-12)
    }

    @Test("attention's time by pairs and by tokens is found in times of texts of two lengths")
    func splitsAttention() throws {
        let (byPair, byToken) = (0.12, 6.5)
        let shapes: [AttentionSplit.Shape] = [(128, 128), (128, 512), (512, 512)].map { sequence, tokens in
            let sequences = Double(tokens / sequence)
            let work = LanePassWork(
                model: ModelShape(layers: 2, hidden: 256, heads: 4), vocabularySize: 4000, sequences: sequences,
                tokens: Double(tokens), masked: 0.15 * Double(tokens))
            var rates = Self.rates(256, sequence, 1, tokens: tokens)
            rates.attentionElementNanoseconds = 0
            rates.attentionNanoseconds = byPair + byToken * work.attentionElements / work.attentionUnits
            return (rates, work)
        }
        for (split, shape) in zip(AttentionSplit.split(shapes), shapes) {
            #expect(abs(split.attentionNanoseconds - byPair) < 1e-9)
            #expect(abs(split.attentionElementNanoseconds - byToken) < 1e-9)
            #expect(abs(shape.work.seconds(split) / shape.work.seconds(shape.rates) - 1) < 1e-12)
        }
        // One length tells nothing of it.
        let lone = AttentionSplit.split([shapes[0]])[0]
        #expect(lone.attentionElementNanoseconds == 0)
        #expect(lone.attentionNanoseconds == shapes[0].rates.attentionNanoseconds)
    }

    @Test("what was measured comes back as it is, and between two widths lies between")
    func interpolates() {
        let exact = Self.machine.rates(hidden: 512, sequence: 128, tokens: 64, busy: 2)
        #expect(abs(exact.encoderGigaflopsPerSecond - 55.6) < 1e-9)
        let between = Self.machine.rates(hidden: 256, sequence: 300, tokens: 64, busy: 1).encoderGigaflopsPerSecond
        #expect(between > 41.4 && between < 60.6)
        #expect(Self.machine.rates(hidden: 4096, sequence: 128, tokens: 9999, busy: 9) == exact)
    }

    @Test(
        "a unit of work takes a share of its own and one of its pass's: between what was measured, below and beyond it",
        arguments: [(32, 1.0), (64, 0.75), (128, 0.625), (256, 0.5625), (512, 0.53125), (1_024, 0.515625)])
    func byTokens(tokens: Int, nanoseconds: Double) {
        var machine = Self.machine
        machine.rates = [64, 512].map { measured in
            var rates = Self.rates(128, 128, 1, tokens: measured)
            rates.encoderGigaflopsPerSecond = 1 / (0.5 + 16 / Double(measured))
            rates.logitNanoseconds = 0.5 + 16 / Double(measured)
            return rates
        }
        let rates = machine.rates(hidden: 128, sequence: 128, tokens: tokens, busy: 1)
        #expect(abs(rates.encoderGigaflopsPerSecond * nanoseconds - 1) < 1e-12)
        #expect(abs(rates.logitNanoseconds - nanoseconds) < 1e-12)
        #expect(abs(rates.headGigaflopsPerSecond - 60) < 1e-9)
    }

    @Test("one worker exchanges nothing, and more than there are cores take turns")
    func sharing() throws {
        let (one, two, four) = (try Self.step(workers: 1), try Self.step(workers: 2), try Self.step(workers: 4))
        #expect(one.exchange == 0)
        #expect(two.compute < one.compute && two.exchange > 0)
        #expect(four.exchange > two.exchange && four.optimizer > two.optimizer)
        #expect(four.total > two.total)
        #expect(throws: PerformanceModelError.self) { try Self.step(workers: 9) }
    }

    @Test(
        "agreeing on a step keeps a core busy for each of several workers, longer where they take turns",
        arguments: [(1, 0.0), (2, 500e-6), (4, 2 * 800e-6)])
    func control(workers: Int, seconds: Double) throws {
        var silent = Self.machine
        (silent.controlMicroseconds, silent.controlMicrosecondsInTurns) = (0, 0)
        let (with, without) = (try Self.step(workers: workers), try Self.step(workers: workers, on: silent))
        #expect(abs(with.total - without.total - seconds) < 1e-12)
        #expect(with.compute == without.compute && with.optimizer == without.optimizer)
    }

    @Test(
        "a faster link or memory never slows a step, a slower one never speeds it",
        arguments: Transport.allCases, CollectiveAlgorithm.allCases)
    func monotone(transport: Transport, algorithm: CollectiveAlgorithm) throws {
        var faster = Self.machine
        faster.streams.peerSum /= 2
        faster.streams.peerCopy /= 2
        var slower = Self.machine
        slower.links = .init(
            sharedMemory: Self.slowed(slower.links.sharedMemory), ipc: Self.slowed(slower.links.ipc),
            tcp: Self.slowed(slower.links.tcp))
        let now = try Self.step(workers: 4, by: transport, algorithm).total
        #expect(try Self.step(workers: 4, by: transport, algorithm, on: faster).total < now)
        #expect(try Self.step(workers: 4, by: transport, algorithm, on: slower).total > now)
    }

    private static func slowed(_ link: HostMachine.Link) -> HostMachine.Link {
        .init(
            latencyMicroseconds: 2 * link.latencyMicroseconds, messageMicroseconds: 2 * link.messageMicroseconds,
            carryNanosecondsPerElement: 2 * link.carryNanosecondsPerElement)
    }

    @Test("what is read out of a peer's memory is not carried through sockets besides")
    func transports() throws {
        let (memory, ipc) = (try Self.step(workers: 2), try Self.step(workers: 2, by: .ipc))
        #expect(memory.exchange < ipc.exchange)
        #expect(memory.compute >= ipc.compute)
    }

    @Test("a link that was solved from the processors' time of two workers' rounds gives those rounds back")
    func linkFromRounds() {
        let (streams, sizes) = (Self.machine.streams, (some: Bytes.mebibytes(4), many: Bytes.mebibytes(32)))
        func round(_ size: Bytes, _ bucket: Bytes) -> Double {
            let elements = Double(size.count / 4)
            return 1e-4 + 2 * elements * (streams.peerSum + 1.5) * 1e-9
                + 2 * Double(size.count / bucket.count) * 25e-6
        }
        let small = Bytes(32 << 10)
        let link = HostMachine.Link(
            latency: 2e-4,
            processor: .init(
                page: 1e-4, usual: round(sizes.some, ExchangeSettings.usualBucket), small: round(sizes.some, small),
                large: round(sizes.many, ExchangeSettings.usualBucket)),
            sizes: sizes, smallBucket: small, streams: streams)
        #expect(abs(link.latencyMicroseconds - 200) < 1e-6)
        #expect(abs(link.messageMicroseconds - 25) < 1e-6)
        #expect(abs(link.carryNanosecondsPerElement - 1.5) < 1e-9)
    }

    @Test("a machine that was disturbed when it was measured may take as much longer, and gets no quicker by it")
    func disturbed() throws {
        let job = StepModelTests.job(globalBatch: 32, microBatch: 4)
        func step(_ percent: Double) throws -> ModelledStep {
            var machine = Self.machine
            machine.disturbancePercent = percent
            return try #require(JobPrediction(job: job, host: machine, workers: 2).phases.first).step
        }
        let (quiet, disturbed) = (try step(0), try step(25))
        #expect(disturbed.step == quiet.step && disturbed.low == quiet.low)
        #expect(abs(disturbed.high.seconds - quiet.high.seconds - 0.25 * quiet.step.seconds) < 1e-9)
    }

    @Test("texts of different lengths make workers wait for the longest, and leave the mean worker's time as it is")
    func unevenLengths() throws {
        let even = try Self.step(workers: 2, lengths: .init(fill: 0.9, spread: 0))
        let uneven = try Self.step(workers: 2, lengths: .init(fill: 0.9, spread: 0.2))
        #expect(even.waiting < 1e-12 && uneven.waiting > 0)
        // Attention goes by the squares of lengths.
        #expect(uneven.compute >= even.compute && uneven.compute < 1.05 * even.compute)
    }

    @Test("lengths cut short uniformly have the mean and the deviation of that mixture")
    func expectedLengths() {
        var examples = ExampleSettings()
        examples.shortSequenceShare = 1
        let lengths = SequenceLengths(expectedOf: examples)
        #expect(abs(lengths.fill - 0.5) < 1e-12)
        #expect(abs(lengths.fill * lengths.spread - (1.0 / 12).squareRoot()) < 1e-12)
    }
}
