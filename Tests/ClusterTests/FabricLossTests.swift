import Cluster
import Jobs
import PerformanceModel
import Testing

@Suite("Emulated links that lose frames")
struct FabricLossTests {
    private static let start = MonotonicInstant(nanoseconds: 5_000_000_000)

    private static func link(share: Double, timeout: Double = 0.2, rate: Double = 1_000) -> EmulatedNetwork.Link {
        EmulatedNetwork.Link(
            name: "node0.nic0.out", bytesPerSecond: rate, latencySeconds: 0,
            loss: EmulatedNetwork.Loss(share: share, timeoutSeconds: timeout))
    }

    /// Deliveries of `count` frames of a byte each, a millisecond apart, of one flow.
    private static func deliveries(
        _ queues: inout FabricQueues, count: Int, flow: Int? = 0
    ) -> [(frame: Int, seconds: Double)] {
        for frame in 0..<count {
            queues.send(
                frame, bytes: 1, over: [0], flow: flow,
                at: start.advanced(by: HostSeconds(0.001 * Double(frame))))
        }
        var delivered: [(frame: Int, seconds: Double)] = []
        while let next = queues.next {
            delivered += queues.advance(to: next).map { ($0.frame, $0.due.elapsed(since: start).seconds) }
        }
        return delivered
    }

    @Test("F22: as many frames are lost as were asked for, all arrive in order, and each loss takes the link twice")
    func share() {
        var queues = FabricQueues([Self.link(share: 0.1)], dilation: 1, lossSeed: 3)
        let delivered = Self.deliveries(&queues, count: 2_000)
        #expect(delivered.map(\.frame) == Array(0..<2_000))
        #expect(zip(delivered, delivered.dropFirst()).allSatisfy { $0.seconds <= $1.seconds })
        let load = queues.loads[0]
        // Three standard deviations of a binomial distribution.
        #expect(abs(Double(load.lost) - 0.1 / 0.9 * 2_000) < 3 * (2_000 * 0.1).squareRoot())
        #expect(load.bytes == Double(2_000 + load.lost))
    }

    @Test("F22: a loss costs the time-out, twice that where it is lost again, and D times as much under dilation D")
    func timeout() {
        for dilation in [1.0, 5] {
            // The seed decides which: the first that loses the first frame twice and then no more.
            for seed in 0..<2_000 as Range<UInt64> {
                var queues = FabricQueues([Self.link(share: 0.3)], dilation: dilation, lossSeed: seed)
                let delivered = Self.deliveries(&queues, count: 1)
                guard queues.loads[0].lost == 2 else { continue }
                let expected = (0.001 + 0.2 + 0.001 + 0.4 + 0.001) * dilation
                #expect(abs(delivered[0].seconds - expected) < 1e-6, "\(delivered[0].seconds), \(expected)")
                break
            }
        }
    }

    @Test("F22: a flow waits for what was lost of it, another one does not")
    func headOfLine() {
        var queues = FabricQueues([Self.link(share: 0.2)], dilation: 1, lossSeed: 1)
        let alone = Self.deliveries(&queues, count: 200, flow: nil)
        // Without a flow each frame is delivered when it comes: some before earlier ones.
        #expect(alone.map(\.frame) != Array(0..<200))
        #expect(Set(alone.map(\.frame)).count == 200)
    }

    @Test("F22: the same seed loses the same frames")
    func reproducible() {
        var (first, second) = (
            FabricQueues([Self.link(share: 0.2)], dilation: 1, lossSeed: 8),
            FabricQueues([Self.link(share: 0.2)], dilation: 1, lossSeed: 8)
        )
        let (one, other) = (Self.deliveries(&first, count: 300), Self.deliveries(&second, count: 300))
        #expect(one.map(\.seconds) == other.map(\.seconds))
    }

    @Test("what an observer sees of a link is its rate where the host is on time, and less where it is late")
    func observed() {
        let links = [EmulatedNetwork.Link(name: "a", bytesPerSecond: 100, latencySeconds: 0)]
        func achieved(late: Double) -> Double {
            var queues = FabricQueues(links, dilation: 1)
            for frame in 0..<10 { queues.send(frame, bytes: 100, over: [0], at: Self.start) }
            while let next = queues.next {
                _ = queues.advance(to: next, observed: next.advanced(by: HostSeconds(late)))
            }
            return queues.loads[0].bytes / (queues.loads[0].observed * 1e-9)
        }
        #expect(abs(achieved(late: 0) - 100) < 1e-6)
        // Ten seconds of bytes, and one second by which all of them come late.
        #expect(abs(achieved(late: 1) - 1_000.0 / 11) < 1e-6)
    }
}
