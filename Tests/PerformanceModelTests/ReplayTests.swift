import Jobs
import PerformanceModel
import Testing

@Suite("Collectives and replay")
struct ReplayTests {
    private static func link(ranks: Int = 32, nodes: Int = 4, inter: Double = 12e9, hop: Double = 1e-5) -> AllReduceTime
    {
        AllReduceTime(
            ranks: ranks, nodes: nodes, intraBytesPerSecond: 130e9, interBytesPerSecond: inter, intraHopSeconds: 3e-6,
            interHopSeconds: hop)
    }

    private static func segments(seed: UInt64, exchange: Double) -> [StepReplay.Segment] {
        var random = CounterRandom(seed: seed, purpose: .syntheticText)
        return (0..<24).map { index in
            StepReplay.Segment(
                seconds: 1e-3 + Double(random.nextUnit()) * 5e-3,
                exchangeSeconds: index % 3 == 2 || index == 23 ? exchange * Double(random.nextUnit()) : nil)
        }
    }

    @Test(
        "more bandwidth never slows an all-reduce, more latency never speeds it",
        arguments: AllReduceTime.Algorithm.allCases)
    func monotone(algorithm: AllReduceTime.Algorithm) {
        for bytes in [1e3, 1e6, 1e9] {
            var (before, slower) = (Double.infinity, 0.0)
            for step in 1...20 {
                let time = Self.link(inter: Double(step) * 1e9).seconds(bytes, by: algorithm)
                #expect(time <= before)
                before = time
                let late = Self.link(hop: Double(step) * 1e-6).seconds(bytes, by: algorithm)
                #expect(late >= slower)
                slower = late
            }
        }
    }

    @Test("one rank needs no all-reduce; many ranks on an infinitely fast network need none either")
    func limits() {
        #expect(Self.link(ranks: 1, nodes: 1).seconds(1e9) == 0)
        let free = AllReduceTime(
            ranks: 8, nodes: 1, intraBytesPerSecond: .infinity, interBytesPerSecond: .infinity, intraHopSeconds: 0,
            interHopSeconds: 0)
        #expect(free.seconds(1e12) == AllReduceTime.baseSeconds)
    }

    @Test("sending a message in two halves is never faster than as one")
    func splitting() {
        let link = Self.link()
        for bytes in [1e4, 1e6, 1e8] { #expect(2 * link.seconds(bytes / 2) >= link.seconds(bytes)) }
    }

    @Test("the closed form of a ring is what its messages give, one by one", arguments: [2, 3, 8, 16])
    func ringClosedForm(ranks: Int) {
        let bytes = 1e8
        let explicit = RingReplay.seconds(
            bytes, over: Array(repeating: .init(latencySeconds: 3e-6, bytesPerSecond: 130e9), count: ranks))
        let closed = Self.link(ranks: ranks, nodes: 1).seconds(bytes, by: .ring) - AllReduceTime.baseSeconds
        #expect(abs(explicit / closed - 1) < 1e-9)
    }

    @Test("a ring is as slow as its slowest link, and a slower link never helps")
    func slowestLink() {
        var links = Array(repeating: RingReplay.Link(latencySeconds: 0, bytesPerSecond: 100e9), count: 8)
        let even = RingReplay.seconds(1e9, over: links)
        links[3].bytesPerSecond = 10e9
        let uneven = RingReplay.seconds(1e9, over: links)
        #expect(uneven > even)
        links = links.map { _ in .init(latencySeconds: 0, bytesPerSecond: 10e9) }
        #expect(RingReplay.seconds(1e9, over: links) >= uneven)
    }

    @Test("equal ranks replayed one by one take as long as one that stands for all", arguments: [1, 2, 7, 32])
    func symmetry(ranks: Int) {
        for seed in 0..<10 as Range<UInt64> {
            for (exchange, rate, pace) in [(2e-3, 0.4, 1.0), (2e-2, 0.6, 0.9), (1e-4, 1.0, 1.0)] {
                let plan = Self.segments(seed: seed, exchange: exchange)
                let replay = StepReplay(exchangeRate: rate, computeRate: pace)
                let one = replay.run(plan)
                let all = replay.run(ranks: Array(repeating: plan, count: ranks))
                #expect(abs(one.end - all.end) < 1e-12)
                #expect(abs(one.computeEnd - all.computeEnd) < 1e-12)
            }
        }
    }

    @Test("with an instant network a step is its compute; exchange is never negative nor more than all transfers")
    func bounds() {
        for seed in 0..<20 as Range<UInt64> {
            let free = Self.segments(seed: seed, exchange: 0)
            let compute = free.reduce(0) { $0 + $1.seconds }
            #expect(abs(StepReplay(exchangeRate: 0.5).run(free).end - compute) < 1e-12)
            let busy = Self.segments(seed: seed, exchange: 5e-3)
            let transfers = busy.reduce(0) { $0 + ($1.exchangeSeconds ?? 0) }
            let outcome = StepReplay(exchangeRate: 0.5).run(busy)
            #expect(outcome.exposed >= -1e-12 && outcome.exposed <= transfers + 1e-12)
        }
    }

    @Test("a slower rank makes everyone later, by no more than it is slower")
    func straggler() {
        let plan = Self.segments(seed: 3, exchange: 1e-3)
        var ranks = Array(repeating: plan, count: 4)
        let replay = StepReplay(exchangeRate: 0.5)
        let even = replay.run(ranks: ranks).end
        ranks[2][5].seconds += 4e-3
        let late = replay.run(ranks: ranks).end
        #expect(late > even && late <= even + 4e-3 + 1e-12)
    }

    @Test("the slowest of more devices is slower; without spread it isn't")
    func slowestDevice() {
        #expect(SlowestDevice.factor(count: 1, spread: 0.1) == 1)
        #expect(SlowestDevice.factor(count: 64, spread: 0) == 1)
        let factors = [2, 4, 8, 64, 1024].map { SlowestDevice.factor(count: $0, spread: 0.01) }
        #expect(factors == factors.sorted())
    }

    @Test("a faster network never slows a step, for any stack, machine size and micro-batch")
    func stepIsMonotone() throws {
        let calibration = try StackCatalogue.calibration()
        var profile = try HardwareCatalogue.profile("dgx1-v100-16g")
        for stack in calibration.stacks {
            for nodes in [2, 16, 128] {
                var before = Double.infinity
                for share in [0.1, 0.5, 1.0, 4.0] {
                    guard var machine = profile.cluster else { return }
                    machine.interNodeBusGigabytesPerSecond.value = 48 * share
                    profile.machine = .cluster(machine)
                    let setup = try ClusterSetup(
                        profile: profile,
                        workload: Workload(
                            model: ModelShape(layers: 12, hidden: 768, heads: 12), vocabularySize: 30_522,
                            sequence: 128,
                            maskedPositions: 20, microBatch: 16, optimizer: .lamb),
                        precision: .fp16, nodes: nodes, devicesPerNode: 8, accumulation: 1)
                    let step = ClusterStep(setup, calibration.constants(for: setup, stack: stack))
                    #expect(step.total <= before + 1e-12)
                    before = step.total
                }
            }
        }
    }
}
