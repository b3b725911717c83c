import Cluster
import Jobs
import Testing

@Suite("Gradient exchange: instants of an emulated machine")
struct ExchangeInstantTests {
    static let cases = CollectiveAlgorithm.allCases.flatMap { algorithm in [2, 4, 5].map { (algorithm, $0) } }

    /// Long past, so that whatever the host takes would show.
    private static let base = MonotonicInstant.now().advanced(by: HostSeconds(-10))

    private static func contributed(_ half: Int, by rank: Int) -> MonotonicInstant {
        base.advanced(by: HostSeconds(Double(half) + 0.01 * Double(rank)))
    }

    @Test("a sum is there when its last part was, however late the host is", arguments: cases)
    func emulated(algorithm: CollectiveAlgorithm, workers: Int) async throws {
        for (result, _) in try await exchange(algorithm, workers, isEmulated: true) {
            #expect(result.completed == Self.contributed(1, by: workers - 1))
            #expect(result.lateness > HostSeconds(8), "it is told all the same")
        }
    }

    @Test("where nothing is emulated, sums bear the moment of their sending")
    func native() async throws {
        for (result, _) in try await exchange(.direct, 4, isEmulated: false) {
            #expect(result.completed == nil)
            #expect(result.lateness < HostSeconds(8))
        }
    }

    @Test("nothing passes a worker that has not begun the step", arguments: [4, 5])
    func begun(workers: Int) async throws {
        let late = 2
        let begun = Self.base.advanced(by: HostSeconds(5))
        let ends = try await exchange(.ring, workers, isEmulated: true, begun: [late: begun])
        // The worker behind it hears from nobody else.
        #expect(ends[late + 1].result.lateness < ends[late + 1].at.elapsed(since: begun))
        #expect(ends[late].result.lateness > HostSeconds(8))
    }

    @Test("what waits behind another sum leaves no sooner than that one")
    func heldUp() async throws {
        // One segment, which worker 3 sums: worker 2 hands on the sum over 0 and 1, and then its own, which it has had for long.
        let late = Self.base.advanced(by: HostSeconds(5))
        let ends = try await exchange(.ring, 4, isEmulated: true, count: 16, begun: [0: late])
        #expect(ends[3].result.lateness < ends[3].at.elapsed(since: late))
    }

    private func exchange(
        _ algorithm: CollectiveAlgorithm, _ workers: Int, isEmulated: Bool, count: Int = 1_000,
        begun: [Int: MonotonicInstant] = [:]
    ) async throws -> [(result: ExchangeResult, at: MonotonicInstant)] {
        let group = try ExchangeGroup(lanes: workers)
        let shares = group.tree.shares(workerCount: workers)
        let end = Rendezvous(of: workers)
        return try await onThreads(workers) { rank in
            let exchange = try PeerExchange(listeningAt: group.endpoint(rank), in: group.context)
            defer { exchange.close() }
            var setup = try group.setup(rank, shares, algorithm: algorithm, bucket: Bytes(1_024))
            setup.isEmulated = isEmulated
            try exchange.join(setup, memory: group.memory(shares[rank], count: count).memory)
            let start = begun[rank] ?? Self.base
            try exchange.begin(StepNumber(0), at: start)
            try exchange.contribute(0..<count / 2, at: max(start, Self.contributed(0, by: rank)))
            try exchange.contribute(count / 2..<count, at: max(start, Self.contributed(1, by: rank)))
            let result = try exchange.finish(within: HostSeconds(60))
            let ended = MonotonicInstant.now()
            end.wait()
            return (result, ended)
        }
    }
}

@Suite("The clock of an emulated device")
struct EmulatedClockTests {
    @Test("a step begins as long after the one before on every device, however late its process is")
    func pause() {
        let clock = EmulatedClock()
        let ended = MonotonicInstant.now()
        clock.end(at: ended)
        let start = clock.start { true }
        #expect(start == ended.advanced(by: EmulatedClock.pause))
        #expect(MonotonicInstant.now() >= start)
        clock.end(at: ended.advanced(by: HostSeconds(-60)))
        #expect(clock.start { true } == ended.advanced(by: HostSeconds(-60) + EmulatedClock.pause))
    }

    @Test("after an evaluation all devices begin at once, and never as of a time to come")
    func evaluation() {
        let clock = EmulatedClock()
        let ended = MonotonicInstant.now()
        clock.end(at: ended.advanced(by: HostSeconds(-60)))
        clock.stand(until: ended)
        #expect(clock.start { true } == ended.advanced(by: EmulatedClock.pause))
        clock.stand(until: ended.advanced(by: HostSeconds(3_600)))
        #expect(clock.start { true } < ended.advanced(by: HostSeconds(3_000)))
    }

    @Test("the first step begins at once, and so does one that nobody wants to wait for")
    func unwanted() {
        let clock = EmulatedClock()
        let before = MonotonicInstant.now()
        #expect(clock.start { true } >= before)
        clock.end(at: before.advanced(by: HostSeconds(3_600)))
        #expect(clock.start { false } < before.advanced(by: HostSeconds(3_000)))
    }
}
