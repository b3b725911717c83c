import Jobs
import PerformanceModel
import Testing

@Suite("The calibrated host")
struct HostTests {
    static func rates(_ hidden: Int, _ sequence: Int, _ busy: Int, tokens: Int = 1024) -> HostMachine.Rates {
        HostMachine.Rates(
            hidden: hidden, sequence: sequence, tokens: tokens, busy: busy,
            encoderGigaflopsPerSecond: 40 + Double(hidden) / 20 - 5 * Double(busy), headGigaflopsPerSecond: 60,
            attentionNanoseconds: 0.2, elementwiseGigabytesPerSecond: 6, logitNanoseconds: 1, embeddingNanoseconds: 2,
            overhead: 1.02)
    }

    static let machine = HostMachine(
        processor: "a processor", cores: 2, instructionSet: "avx2", measuredAt: "2026-01-01T00:00:00Z",
        rates: [128, 512].flatMap { hidden in
            [128, 512].flatMap { sequence in [1, 2].map { rates(hidden, sequence, $0) } }
        }, adamwNanosecondsPerParameter: 1, lambNanosecondsPerParameter: 1.5, adamwNanosecondsPerParameterAlone: 1.7,
        lambNanosecondsPerParameterAlone: 2.5, sumNanosecondsPerElement: 0.8, memoryGigabytesPerSecond: 20,
        linkLatencyMicroseconds: 30, linkGigabytesPerSecond: 2)

    private static func step(workers: Int, on machine: HostMachine = machine) throws -> HostStep {
        try HostStep(
            job: StepModelTests.job(globalBatch: 32, microBatch: 4), layout: .init(workers: workers),
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
            ("busy: 1", "busy: 0"), ("cores: 2", "cores: many"), ("link_latency", "lnk_latency"),
        ] {
            #expect(throws: PerformanceModelError.self) {
                try HostMachine(parsing: Self.machine.yaml.replacing(found, with: replacement), file: "host.yaml")
            }
        }
    }

    @Test("what was measured comes back as it is, and between two widths lies between")
    func interpolates() {
        let exact = Self.machine.rates(hidden: 512, sequence: 128, tokens: 64, busy: 2)
        #expect(abs(exact.encoderGigaflopsPerSecond - 55.6) < 1e-9)
        let between = Self.machine.rates(hidden: 256, sequence: 300, tokens: 64, busy: 1).encoderGigaflopsPerSecond
        #expect(between > 41.4 && between < 60.6)
        #expect(Self.machine.rates(hidden: 4096, sequence: 128, tokens: 9999, busy: 9) == exact)
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

    @Test("a faster link or memory never slows a step, a slower one never speeds it")
    func monotone() throws {
        var faster = Self.machine
        faster.linkGigabytesPerSecond *= 2
        faster.sumNanosecondsPerElement /= 2
        var slower = Self.machine
        slower.linkLatencyMicroseconds *= 2
        let now = try Self.step(workers: 2).total
        #expect(try Self.step(workers: 2, on: faster).total < now)
        #expect(try Self.step(workers: 2, on: slower).total > now)
    }
}
