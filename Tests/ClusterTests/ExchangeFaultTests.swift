import Cluster
import Foundation
import Jobs
import Messaging
import Testing
import Wire

@Suite("Gradient exchange: faults")
struct ExchangeFaultTests {
    private static let count = 1_000
    private static let shares = [0..<2, 2..<4]

    /// A frame that worker 1 must not send, and a part of the reason that the refusal gives.
    struct Bad: Sendable, CustomTestStringConvertible {
        var name: String
        var reason: String
        var payload = ExchangeFaultTests.count
        var change: @Sendable (inout ExchangeHeader) -> Void = { _ in }
        var bytes: @Sendable ([UInt8]) -> [UInt8] = { $0 }
        var testDescription: String { name }
    }

    static let bad: [Bad] = [
        Bad(
            name: "another protocol version", reason: "protocol version 99",
            bytes: { [$0[0], 99] + $0.dropFirst(2) }),
        Bad(name: "no header", reason: "not such a message", bytes: { _ in [0xff, 0xff, 0xff] }),
        Bad(name: "a huge header", reason: "at most 256", bytes: { _ in Array(repeating: 0, count: 5_000) }),
        Bad(name: "another run", reason: "another run", change: { $0.run = .random() }),
        Bad(name: "an epoch that is over", reason: "epoch 2, which is over", change: { $0.epoch = 2 }),
        Bad(
            name: "a step of the past", reason: "step 4, bucket 0 comes in step 5", change: { $0.step = StepNumber(4) }),
        Bad(name: "a far step", reason: "step 7, bucket 0 comes in step 5", change: { $0.step = StepNumber(7) }),
        Bad(name: "a rank that is none", reason: "worker 7", change: { $0.sender = WorkerRank(7) }),
        Bad(name: "the receiver's own rank", reason: "worker 0", change: { $0.sender = WorkerRank(0) }),
        Bad(name: "a bucket that is none", reason: "no segment", change: { $0.bucket = 1 }),
        Bad(name: "other elements", reason: "no segment", change: { $0.elements = 16..<1_016 }),
        Bad(name: "other lanes", reason: "not awaited from it", change: { $0.lanes = 0..<2 }),
        Bad(name: "lanes that are no node", reason: "not awaited from it", change: { $0.lanes = 1..<3 }),
        Bad(name: "too few numbers", reason: "3996 bytes; 1000 numbers", payload: 999),
        Bad(name: "too many numbers", reason: "4004 bytes; 1000 numbers", payload: 1_001),
        Bad(name: "no numbers", reason: "0 bytes; 1000 numbers", payload: 0),
    ]

    /// Worker 0 is an exchange, worker 1 the test.
    private func withHalfPair<Value>(
        count: Int = Self.count,
        _ body: (ExchangeGroup, PeerExchange, WorkerMemory, HandMadePeer) throws -> Value
    ) throws -> Value {
        let group = try ExchangeGroup(lanes: 4)
        let exchange = try PeerExchange(listeningAt: group.endpoint(0), in: group.context)
        let memory = group.memory(Self.shares[0], count: count)
        try exchange.join(group.setup(0, Self.shares, epoch: 3), memory: memory.memory)
        let peer = try HandMadePeer(1, sendingTo: exchange.endpoint, in: group)
        // Where a test leaves frames on their way, only the end of the exchange gives the memory back.
        return try withExtendedLifetime((memory, peer)) {
            defer { exchange.close() }
            return try body(group, exchange, memory, peer)
        }
    }

    private func header(_ group: ExchangeGroup, step: Int = 5) -> ExchangeHeader {
        ExchangeHeader(
            run: group.run, epoch: 3, step: StepNumber(step), bucket: 0, sender: WorkerRank(1),
            elements: 0..<Self.count, lanes: 2..<4)
    }

    private func numbers(_ values: [Float]) -> [UInt8] { values.withUnsafeBytes { Array($0) } }

    @Test("F22: a frame that has no place is refused with its reason, and the sum is right", arguments: bad)
    func refusal(_ bad: Bad) throws {
        try withHalfPair { group, exchange, memory, peer in
            let plain = PlainSum(tree: group.tree, count: Self.count, step: 5)
            memory.fill([LaneTree.Node(lanes: 0..<2): plain.sum(over: LaneTree.Node(lanes: 0..<2))])
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<Self.count)
            var header = self.header(group)
            bad.change(&header)
            try peer.send([bad.bytes(header.encoded()), numbers(Array(repeating: 1, count: bad.payload))])
            let right = numbers(plain.sum(over: LaneTree.Node(lanes: 2..<4)))
            try peer.send([self.header(group).encoded(), right])
            let result = try exchange.finish(within: HostSeconds(10))
            #expect(result.refusals.count == 1)
            #expect(result.refusals.lastReason.contains(bad.reason), "\(result.refusals)")
            #expect(Array(memory.gradient).bits == plain.sum(over: group.tree.root).bits)
        }
    }

    @Test("a message of one frame, or of three, is refused", arguments: [1, 3])
    func frames(_ count: Int) throws {
        try withHalfPair { group, exchange, memory, peer in
            memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: Self.count)])
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<Self.count)
            let right = [header(group).encoded(), numbers(Array(repeating: 2, count: Self.count))]
            try peer.send(count == 1 ? [right[0]] : right + [[1]])
            try peer.send(right)
            let result = try exchange.finish(within: HostSeconds(10))
            #expect(result.refusals.lastReason.contains("one frame of numbers"), "\(result.refusals)")
            #expect(Array(memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    @Test("F22: a frame that comes twice counts once")
    func replay() throws {
        try withHalfPair { group, exchange, memory, peer in
            for step in 5..<7 {
                memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: Self.count)])
                try exchange.begin(StepNumber(step))
                try exchange.contribute(0..<Self.count)
                let right = [header(group, step: step).encoded(), numbers(Array(repeating: 2, count: Self.count))]
                try peer.send(right)
                try peer.send(right)
                let result = try exchange.finish(within: HostSeconds(10))
                #expect(Array(memory.gradient) == Array(repeating: 3, count: Self.count))
                // The second copy of step 5 has come before the first of step 6.
                if step == 6 { #expect(result.refusals.count >= 1) }
            }
        }
    }

    @Test("a peer that is a step ahead is not lost")
    func ahead() throws {
        try withHalfPair { group, exchange, memory, peer in
            for step in 5..<7 {
                let numbers = self.numbers(Array(repeating: Float(step), count: Self.count))
                try peer.send([header(group, step: step).encoded(), numbers])
            }
            for step in 5..<7 {
                memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: Self.count)])
                try exchange.begin(StepNumber(step))
                try exchange.contribute(0..<Self.count)
                _ = try exchange.finish(within: HostSeconds(10))
                #expect(Array(memory.gradient) == Array(repeating: Float(step + 1), count: Self.count))
            }
        }
    }

    @Test("F22: a silent peer is named when the deadline passes, with what was refused meanwhile")
    func silence() throws {
        try withHalfPair { group, exchange, _, peer in
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<Self.count)
            try peer.send([[1, 2, 3]])
            let error = #expect(throws: ExchangeError.self) { try exchange.finish(within: HostSeconds(0.2)) }
            guard case .deadline(let step, let seconds, let bucket, let ranks, let refusals) = error else {
                Issue.record("\(String(describing: error))")
                return
            }
            #expect(step == StepNumber(5) && seconds == 0.2 && bucket == 0 && ranks == [1] && refusals.count == 1)
            #expect(
                "\(ExchangeError.deadline(step: step, seconds: seconds, bucket: bucket, ranks: ranks, refusals: refusals))"
                    .contains("bucket 0 still awaits worker 1; a frame was refused"))
        }
    }

    @Test("F22: memory is not given back while a peer that reads nothing still needs it")
    func slowReader() throws {
        let count = 4 << 20
        try withHalfPair(count: count) { group, exchange, memory, peer in
            // What worker 1 sends of its own suffices for the sum.
            memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: count)])
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<count)
            let bucket = 1 << 18
            for index in 0..<count / bucket {
                var header = self.header(group)
                header.bucket = index
                header.elements = index * bucket..<(index + 1) * bucket
                try peer.send([header.encoded(), numbers(Array(repeating: 2, count: bucket))])
            }
            #expect(throws: ExchangeError.unsent(step: StepNumber(5), seconds: 2, ranks: [1])) {
                try exchange.finish(within: HostSeconds(2))
            }
        }
    }

    @Test("F24: what was sent before a change of membership still reaches a peer that reads late")
    func lateReader() throws {
        // More frames than the peer's high-water mark, so that some wait in the kernel, whose buffer holds them.
        let (frames, bucket) = (11, 2_048)
        let group = try ExchangeGroup(lanes: 4)
        let exchange = try PeerExchange(listeningAt: group.endpoint(0), in: group.context)
        let memory = group.memory(Self.shares[0], count: frames * bucket)
        let setup = try group.setup(0, Self.shares, bucket: Bytes(bucket * 4), epoch: 3)
        try exchange.join(setup, memory: memory.memory)
        let peer = try HandMadePeer(1, sendingTo: exchange.endpoint, in: group)
        try withExtendedLifetime((memory, peer)) {
            defer { exchange.close() }
            memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: frames * bucket)])
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<frames * bucket)
            for index in 0..<frames {
                var header = self.header(group)
                header.bucket = index
                header.elements = index * bucket..<(index + 1) * bucket
                try peer.send([header.encoded(), numbers(Array(repeating: 2, count: bucket))])
            }
            _ = try exchange.finish(within: HostSeconds(10))
            var next = setup
            next.epoch = 4
            try exchange.join(next, memory: memory.memory)
            #expect(try peer.receive(frames, within: 10) == frames)
        }
    }

    @Test("an interruption ends the wait for sums, and the next membership is not touched by it")
    func interruption() throws {
        try withHalfPair { group, exchange, memory, peer in
            memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: 1, count: Self.count)])
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<Self.count)
            // The exchange's own thread looks at the step a moment later.
            for _ in 0..<5_000 where exchange.monitor.awaited.isEmpty { usleep(1_000) }
            #expect(exchange.monitor.awaited == [WorkerRank(1)])
            exchange.monitor.interrupt()
            #expect(throws: ExchangeError.interrupted) { try exchange.finish(within: HostSeconds(10)) }
            #expect(throws: ExchangeError.interrupted) { try exchange.contribute(0..<Self.count) }
            try exchange.join(group.setup(0, Self.shares, epoch: 4), memory: memory.memory)
            try exchange.begin(StepNumber(5))
            try exchange.contribute(0..<Self.count)
            var header = self.header(group)
            header.epoch = 4
            try peer.send([header.encoded(), numbers(Array(repeating: 2, count: Self.count))])
            _ = try exchange.finish(within: HostSeconds(10))
            #expect(Array(memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    @Test("after a worker is lost the others go on among themselves, with other lanes")
    func rejoin() async throws {
        let group = try ExchangeGroup(lanes: 8)
        let (before, after) = (group.tree.shares(workerCount: 3), group.tree.shares(workerCount: 2))
        let plain = PlainSum(tree: group.tree, count: 1_000_003, step: 0)
        let nodes = Set((before + after).flatMap { group.tree.cover(of: $0) })
        let parts = Dictionary(uniqueKeysWithValues: nodes.map { ($0, plain.sum(over: $0)) })
        let lost = try PeerExchange(listeningAt: group.endpoint(2), in: group.context)
        let end = Rendezvous(of: 2)
        let gradients = try await onThreads(2) { rank in
            let exchange = try PeerExchange(listeningAt: group.endpoint(rank), in: group.context)
            defer { exchange.close() }
            var memory = group.memory(before[rank], count: plain.count)
            try exchange.join(group.setup(rank, before), memory: memory.memory)
            memory.fill(parts)
            try exchange.begin(StepNumber(0))
            try exchange.contribute(0..<plain.count)
            #expect(throws: ExchangeError.self) { try exchange.finish(within: HostSeconds(0.2)) }
            // The other may still be in epoch 0, or already in epoch 1.
            try exchange.leave()
            memory = group.memory(after[rank], count: plain.count)
            try exchange.join(group.setup(rank, after, epoch: 1), memory: memory.memory)
            memory.fill(parts)
            try exchange.begin(StepNumber(0))
            try exchange.contribute(0..<plain.count)
            _ = try exchange.finish(within: HostSeconds(10))
            end.wait()
            return Array(memory.gradient)
        }
        lost.close()
        for gradient in gradients { #expect(gradient.bits == plain.sum(over: group.tree.root).bits) }
    }

    @Test("a setup that contradicts itself is refused")
    func setups() throws {
        let group = try ExchangeGroup(lanes: 4)
        let exchange = try PeerExchange(listeningAt: group.endpoint(0), in: group.context)
        defer { exchange.close() }
        let memory = group.memory(0..<2, count: 10)
        for shares in [
            [0..<2], [0..<2, 2..<3], [0..<2, 3..<4], [0..<2, 2..<2, 2..<4], [0..<3, 3..<4], [2..<4, 0..<2],
        ] {
            #expect(throws: ExchangeError.self) { try exchange.join(group.setup(0, shares), memory: memory.memory) }
        }
        #expect(throws: ExchangeError.self) {
            try exchange.join(group.setup(5, [0..<2, 2..<4]), memory: memory.memory)
        }
        #expect(throws: ExchangeError.self) { try exchange.contribute(0..<10) }
    }
}
