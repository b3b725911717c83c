import Cluster
import Foundation
import Jobs
import Kernels
import Messaging
import Synchronization
import Testing
import Wire

/// Sums that stay in the memory of the worker that made them. Worker 0 is an exchange, worker 1 the test.
@Suite("Gradient exchange: loans")
struct ExchangeLoanTests {
    private static let count = 20_000
    private static let shares = [0..<2, 2..<4]

    private struct Pair {
        let group: ExchangeGroup
        let exchange: PeerExchange
        let memory: WorkerMemory
        let peer: HandMadePeer
        let notices: Notices

        /// Says that worker 0's own part is ready.
        func contribute(_ value: Float, step: Int) throws {
            memory.fill([LaneTree.Node(lanes: 0..<2): Array(repeating: value, count: count)])
            try exchange.begin(StepNumber(step))
            try exchange.contribute(0..<count)
        }

        func header(step: Int) -> ExchangeHeader {
            ExchangeHeader(
                run: group.run, epoch: 3, step: StepNumber(step), bucket: 0, sender: WorkerRank(1), elements: 0..<count,
                lanes: 2..<4)
        }

        func say(_ message: LoanMessage) throws { try peer.send([message.encoded()]) }

        /// Waits for what worker 0 lends.
        func loan() throws -> (header: ExchangeHeader, number: UInt64, place: MemoryPlace) {
            let frames = try #require(try peer.message(within: 10))
            guard case .lent(let header, let number, let place) = try LoanMessage(decoding: frames[0]) else {
                throw MessagingError.call("receive", reason: "not a loan")
            }
            return (header, number, place)
        }

        func giveBack(read: [UInt64], unreadable: [UInt64] = [], epoch: Int = 3, sender: Int = 1) throws {
            try say(
                .returned(
                    LoansReturned(
                        run: group.run, epoch: epoch, sender: WorkerRank(sender), read: read, unreadable: unreadable,
                        reason: unreadable.isEmpty ? "" : "no such process")))
        }
    }

    /// What an exchange said to whoever looks at its run.
    private final class Notices: Sendable {
        let texts = Mutex<[String]>([])
    }

    private func withPair(_ body: (Pair) throws -> Void) throws {
        let group = try ExchangeGroup(lanes: 4)
        let exchange = try PeerExchange(listeningAt: group.endpoint(0), in: group.context)
        let memory = group.memory(Self.shares[0], count: Self.count, isShared: true)
        let notices = Notices()
        let setup = try group.setup(0, Self.shares, epoch: 3) { text in notices.texts.withLock { $0.append(text) } }
        try exchange.join(setup, memory: memory.memory)
        let peer = try HandMadePeer(1, sendingTo: exchange.endpoint, in: group)
        try withExtendedLifetime((memory, peer)) {
            defer { exchange.close() }
            try body(Pair(group: group, exchange: exchange, memory: memory, peer: peer, notices: notices))
        }
    }

    private func numbers(_ value: Float) -> [UInt8] {
        Array(repeating: value, count: Self.count).withUnsafeBytes { Array($0) }
    }

    @Test("a sum is read where it lies, and returned")
    func lentToExchange() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            let own = FloatBuffer(count: Self.count + 16, isShared: true)
            own.buffer.update(repeating: 2)
            let place = try place(in: own, first: 16)
            try pair.say(.lent(pair.header(step: 5), number: 77, place))
            let lent = try pair.loan()
            let frames = try #require(try pair.peer.message(within: 10))
            guard case .returned(let loans) = try LoanMessage(decoding: frames[0]) else {
                Issue.record("not a return")
                return
            }
            #expect(loans.read == [77] && loans.unreadable.isEmpty && loans.sender == WorkerRank(0) && loans.epoch == 3)
            try pair.giveBack(read: [lent.number])
            let result = try pair.exchange.finish(within: HostSeconds(10))
            #expect(Array(pair.memory.gradient) == Array(repeating: 3, count: Self.count))
            #expect(result.refusals.count == 0, "\(result.refusals)")
        }
    }

    @Test("memory that was lent holds the sum, and is not given back before it is returned")
    func lentByExchange() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            try pair.peer.send([pair.header(step: 5).encoded(), numbers(2)])
            let lent = try pair.loan()
            let view = try SharedMemoryView(
                opening: SharedMemory(
                    processID: lent.place.processID, descriptor: lent.place.descriptor, nonce: lent.place.nonce,
                    bytes: lent.place.memory.count))
            let numbers = try #require(view.numbers(from: lent.place.firstByte, count: Self.count))
            #expect(UnsafeBufferPointer(start: numbers, count: Self.count).allSatisfy { $0 == 1 })
            #expect(throws: ExchangeError.unsent(step: StepNumber(5), seconds: 0.2, ranks: [1])) {
                try pair.exchange.finish(within: HostSeconds(0.2))
            }
            try pair.giveBack(read: [lent.number])
            _ = try pair.exchange.finish(within: HostSeconds(10))
            #expect(Array(pair.memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    @Test("returns of another worker, another membership or another loan return nothing")
    func wrongReturns() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            try pair.peer.send([pair.header(step: 5).encoded(), numbers(2)])
            let lent = try pair.loan()
            try pair.giveBack(read: [lent.number + 1, 0, .max])
            try pair.giveBack(read: [lent.number], epoch: 2)
            try pair.giveBack(read: [lent.number], sender: 0)
            try pair.giveBack(read: [lent.number], sender: 9)
            #expect(throws: ExchangeError.unsent(step: StepNumber(5), seconds: 0.3, ranks: [1])) {
                try pair.exchange.finish(within: HostSeconds(0.3))
            }
            try pair.giveBack(read: [lent.number, lent.number])
            let result = try pair.exchange.finish(within: HostSeconds(10))
            #expect(result.refusals.count == 1 && result.refusals.lastReason.contains("is no peer"))
        }
    }

    @Test("a peer that can't read this worker's memory gets the numbers, now and from then on, and that is told once")
    func unreadable() throws {
        try withPair { pair in
            for step in 5..<7 {
                try pair.contribute(Float(step), step: step)
                try pair.peer.send([pair.header(step: step).encoded(), numbers(2)])
                if step == 5 { try pair.giveBack(read: [], unreadable: [try pair.loan().number]) }
                let frames = try #require(try pair.peer.message(within: 10))
                #expect(frames.count == 2 && frames.last == numbers(Float(step)))
                _ = try pair.exchange.finish(within: HostSeconds(10))
            }
            let notices = pair.notices.texts.withLock { $0 }
            #expect(
                notices.count == 1
                    && notices[0].contains("worker 1 can't read the memory of worker 0 (no such process)"))
        }
    }

    @Test("memory that can't be mapped is asked for as numbers")
    func askForNumbers() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            let own = FloatBuffer(count: Self.count, isShared: true)
            var place = try place(in: own, first: 0)
            place.nonce ^= 1
            try pair.say(.lent(pair.header(step: 5), number: 9, place))
            let lent = try pair.loan()
            let frames = try #require(try pair.peer.message(within: 10))
            guard case .returned(let loans) = try LoanMessage(decoding: frames[0]) else {
                Issue.record("not a return")
                return
            }
            #expect(loans.unreadable == [9] && loans.read.isEmpty && loans.reason.contains("memfd"))
            try pair.peer.send([pair.header(step: 5).encoded(), numbers(2)])
            try pair.giveBack(read: [lent.number])
            _ = try pair.exchange.finish(within: HostSeconds(10))
            #expect(Array(pair.memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    @Test("a loan of numbers that lie outside the memory, or between two, is refused")
    func outside() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            let own = FloatBuffer(count: Self.count, isShared: true)
            let honest = try place(in: own, first: 0)
            let beyond = honest.memory.count - Self.count * 4 + 4
            for first in [beyond, 2, honest.memory.count, 1 << 43] {
                var place = honest
                place.firstByte = first
                try pair.say(.lent(pair.header(step: 5), number: 1, place))
            }
            try pair.peer.send([pair.header(step: 5).encoded(), numbers(2)])
            try pair.giveBack(read: [try pair.loan().number])
            let result = try pair.exchange.finish(within: HostSeconds(10))
            #expect(result.refusals.count == 4 && result.refusals.lastReason.contains("lends 20000 numbers from byte"))
            #expect(Array(pair.memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    @Test("a reader that dies with a loan holds nothing up once the membership is over")
    func readerDies() throws {
        try withPair { pair in
            try pair.contribute(1, step: 5)
            _ = try pair.loan()
            pair.exchange.monitor.interrupt()
            #expect(throws: ExchangeError.interrupted) { try pair.exchange.finish(within: HostSeconds(10)) }
            try pair.exchange.join(pair.group.setup(0, Self.shares, epoch: 4), memory: pair.memory.memory)
            try pair.contribute(1, step: 5)
            var header = pair.header(step: 5)
            header.epoch = 4
            try pair.peer.send([header.encoded(), numbers(2)])
            // The old loan is over; its return, which comes late, is nobody's.
            try pair.giveBack(read: [1], epoch: 3)
            try pair.giveBack(read: [try pair.loan().number], epoch: 4)
            _ = try pair.exchange.finish(within: HostSeconds(10))
            #expect(Array(pair.memory.gradient) == Array(repeating: 3, count: Self.count))
        }
    }

    private func place(in buffer: FloatBuffer, first: Int) throws -> MemoryPlace {
        let memory = try #require(buffer.shared)
        return MemoryPlace(
            processID: memory.processID, descriptor: memory.descriptor, nonce: memory.nonce,
            memory: Bytes(memory.bytes), firstByte: first * 4)
    }
}
