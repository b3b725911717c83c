import Cluster
import Jobs
import Testing

@Suite("F22: a line over connections that lose, repeat and reorder")
struct SequencedLineTests {
    /// Two ends and what is on its way between them, which a seed loses, repeats and reorders.
    private struct Conversation {
        var ends = [SequencedLine(), SequencedLine()]
        var onWay: [[[[UInt8]]]] = [[], []]
        var heard: [[Int]] = [[], []]
        var said = [0, 0]
        var now = MonotonicInstant(nanoseconds: 1_000_000_000)

        mutating func say(_ end: Int) {
            said[end] += 1
            onWay[end].append(ends[end].send(Array("\(said[end])".utf8), now: now))
        }

        /// A second passes: a sign of life from each end, and what must be said again.
        mutating func beat() {
            now = now.advanced(by: HostSeconds(1))
            for end in 0..<2 {
                onWay[end] += ends[end].repeats(now: now)
                onWay[end].append(ends[end].sendOnce([]))
            }
        }

        mutating func deliver(from end: Int, at place: Int) throws {
            let frames = onWay[end].remove(at: place)
            let header = try #require(SequencedLine.Header(decoding: frames[0]))
            guard ends[1 - end].take(header), !frames[1].isEmpty else { return }
            heard[1 - end].append(try #require(Int(String(decoding: frames[1], as: UTF8.self))))
        }
    }

    @Test("every message is heard once and in order, whatever the connection does", arguments: 0..<200)
    func anyConnection(seed: UInt64) throws {
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 0)
        var talk = Conversation()
        for _ in 0..<400 {
            let end = random.nextIndex(below: 2)
            switch random.nextIndex(below: 10) {
            case 0..<3: talk.say(end)
            case 3: talk.beat()
            case 4: talk.onWay[end] = []  // the connection is cut
            case 5:
                if let frames = talk.onWay[end].first { talk.onWay[end].append(frames) }
            default:
                if !talk.onWay[end].isEmpty {
                    let place = random.nextIndex(below: 4) == 0 ? random.nextIndex(below: talk.onWay[end].count) : 0
                    try talk.deliver(from: end, at: place)
                }
            }
        }
        // Then it is sound for long enough.
        for _ in 0..<6 {
            talk.beat()
            for end in 0..<2 { while !talk.onWay[end].isEmpty { try talk.deliver(from: end, at: 0) } }
        }
        for end in 0..<2 {
            #expect(talk.heard[1 - end] == Array(1...max(1, talk.said[end])).filter { $0 <= talk.said[end] })
            #expect(talk.ends[end].unacknowledged == 0)
        }
    }

    @Test("nothing is sent again on a sound connection, and nothing into one where nobody is to be heard")
    func repeats() throws {
        var talk = Conversation()
        talk.say(0)
        try talk.deliver(from: 0, at: 0)
        talk.beat()
        #expect(talk.onWay[0].count == 1, "a sign of life alone: the other end has not been heard")
        for end in 0..<2 { while !talk.onWay[end].isEmpty { try talk.deliver(from: end, at: 0) } }
        talk.beat()
        #expect(talk.onWay[0].count == 1, "the message was acknowledged")

        var deaf = Conversation()
        for _ in 0..<3 { deaf.say(0) }
        for _ in 0..<60 { deaf.beat() }
        #expect(deaf.onWay[0].count == 63)
    }

    @Test("a header of another length, or of an end that claims what was never said, changes nothing")
    func hostile() throws {
        for count in [0, 15, 17, 1_000] {
            #expect(SequencedLine.Header(decoding: Array(repeating: 1, count: count)) == nil)
        }
        var line = SequencedLine()
        _ = line.send([1], now: MonotonicInstant(nanoseconds: 1))
        let isClaimHeard = line.take(SequencedLine.Header(sequence: .max, acknowledged: .max))
        #expect(!isClaimHeard)
        #expect(line.unacknowledged == 1)
        let isAnswerHeard = line.take(SequencedLine.Header(sequence: 1, acknowledged: 1))
        #expect(isAnswerHeard)
        #expect(line.unacknowledged == 0)
    }
}
