import Cluster
import Jobs
import PerformanceModel
import Testing

@Suite("Emulated links as queues")
struct FabricQueuesTests {
    private static let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    /// Links of so many bytes a second, each with a latency in seconds.
    private static func links(_ links: [(rate: Double, latency: Double)]) -> [EmulatedNetwork.Link] {
        links.enumerated().map {
            EmulatedNetwork.Link(name: "link \($0)", bytesPerSecond: $1.rate, latencySeconds: $1.latency)
        }
    }

    /// When each frame is delivered, in seconds after the start.
    private func times(
        _ queues: FabricQueues, _ frames: [(bytes: Double, route: [Int], at: Double)]
    ) -> [Int: Double] {
        var queues = queues
        for (index, frame) in frames.enumerated() {
            queues.send(
                index, bytes: frame.bytes, over: frame.route, at: Self.start.advanced(by: HostSeconds(frame.at)))
        }
        let deliveries = queues.advance(to: Self.start.advanced(by: HostSeconds(1e6)))
        return Dictionary(
            uniqueKeysWithValues: deliveries.map { ($0.frame, $0.due.elapsed(since: Self.start).seconds) })
    }

    private func isClose(_ value: Double?, _ expected: Double) -> Bool {
        value.map { abs($0 - expected) < 1e-6 } ?? false
    }

    @Test("a frame takes its path's slowest link and all latencies, whichever link is the slow one")
    func idlePath() {
        let fastLast = FabricQueues(Self.links([(100, 0.5), (1_000, 0.25)]), dilation: 1)
        #expect(isClose(times(fastLast, [(200, [0, 1], 0)])[0], 2 + 0.75))
        let slowLast = FabricQueues(Self.links([(1_000, 0.5), (100, 0.25)]), dilation: 1)
        #expect(isClose(times(slowLast, [(200, [0, 1], 0)])[0], 0.5 + 2 + 0.25))
    }

    @Test("frames of one sender wait for each other, and those of two senders at the receiver's link")
    func queueing() {
        let queues = FabricQueues(Self.links([(100, 0), (100, 0), (100, 0)]), dilation: 1)
        let line = times(queues, [(100, [0, 2], 0), (100, [0, 2], 0)])
        #expect(isClose(line[0], 1) && isClose(line[1], 2))
        let incast = times(queues, [(100, [0, 2], 0), (100, [1, 2], 0.25)])
        #expect(isClose(incast[0], 1) && isClose(incast[1], 2))
    }

    @Test("a frame that waits at its own link keeps nobody from a link further on that is idle")
    func laterHopsAreFree() {
        let queues = FabricQueues(Self.links([(100, 0), (100, 0), (100, 0)]), dilation: 1)
        // The second frame reaches link 2 after ten seconds; the third finds it idle before that.
        let done = times(queues, [(1_000, [0, 1], 0), (100, [0, 2], 0), (100, [1, 2], 11)])
        #expect(isClose(done[1], 11) && isClose(done[2], 12))
        let early = times(queues, [(1_000, [0, 1], 0), (100, [0, 2], 0), (100, [2], 3)])
        #expect(isClose(early[2], 4))
    }

    @Test("every time grows with the dilation, and with none nothing takes any", arguments: [1.0, 3, 250])
    func dilation(_ factor: Double) {
        let links = Self.links([(100, 0.5), (300, 0.1)])
        let frames = [(bytes: 120.0, route: [0, 1], at: 0.0), (bytes: 60, route: [0, 1], at: 0)]
        let plain = times(FabricQueues(links, dilation: 1), frames)
        let slowed = times(FabricQueues(links, dilation: factor), frames)
        for frame in 0..<2 { #expect(isClose(slowed[frame], (plain[frame] ?? 0) * factor)) }
        #expect(times(FabricQueues(links, dilation: 0), frames) == [0: 0, 1: 0])
    }

    @Test(
        "frames of a pair keep their order, none is lost, and no link carries two at once",
        arguments: 0..<20 as Range<UInt64>)
    func order(seed: UInt64) {
        var random = CounterRandom(seed: seed, purpose: .statistics)
        var queues = FabricQueues(
            Self.links((0..<6).map { _ in (1 + Double(random.nextUnit()) * 1_000, Double(random.nextUnit())) }),
            dilation: 1)
        var routes: [[Int]] = []
        var time = 0.0
        var total = 0.0
        for frame in 0..<200 {
            let route = [random.nextIndex(below: 3), 3 + random.nextIndex(below: 3)]
            time += Double(random.nextUnit()) * 0.2
            let bytes = 1 + Double(random.nextIndex(below: 500))
            total += bytes
            routes.append(route)
            queues.send(frame, bytes: bytes, over: route, at: Self.start.advanced(by: HostSeconds(time)))
        }
        var delivered: [FabricQueues.Delivery] = []
        var now = Self.start
        while let next = queues.next {
            now = max(next, now)
            delivered += queues.advance(to: now)
        }
        #expect(delivered.count == 200)
        for route in Set(routes) {
            let own = delivered.map(\.frame).filter { routes[$0] == route }
            #expect(own == own.sorted())
        }
        #expect(abs(queues.loads.prefix(3).reduce(0) { $0 + $1.bytes } - total) < 1e-6)
        let last = delivered.map { $0.due.elapsed(since: Self.start).seconds }.max() ?? 0
        for load in queues.loads { #expect(load.busy * 1e-9 <= last) }
    }

    @Test("a frame that is handed in late counts from when it was sent")
    func past() {
        var queues = FabricQueues(Self.links([(100, 0)]), dilation: 1)
        _ = queues.advance(to: Self.start)
        queues.send(0, bytes: 100, over: [0], at: Self.start.advanced(by: HostSeconds(2)))
        let deliveries = queues.advance(to: Self.start.advanced(by: HostSeconds(9)))
        #expect(deliveries.map { $0.due.elapsed(since: Self.start).seconds.rounded() } == [3])
    }

    @Test("the deepest queue is counted")
    func depth() {
        var queues = FabricQueues(Self.links([(100, 0)]), dilation: 1)
        for frame in 0..<5 { queues.send(frame, bytes: 100, over: [0], at: Self.start) }
        _ = queues.advance(to: Self.start.advanced(by: HostSeconds(60)))
        #expect(queues.loads[0].deepestQueue == 5)
    }
}
