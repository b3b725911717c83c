import Jobs
import Testing
import Wire

/// B13, B17: bytes that no honest peer sends end in an error, never in a trap.
@Suite("Hostile bytes are refused")
struct HostileBytesTests {
    @Test("ten thousand seeded mutations of valid messages decode or are refused")
    func mutations() throws {
        var random = SeededRandom(seed: 20_261_124)
        // The 1 MiB job is left out: mutating its text alone tests little and takes long.
        let samples = try MessageSamples.encoded().filter { $0.bytes.count < 4_096 }
        var refused = 0
        for number in 0..<10_000 {
            let sample = samples[number % samples.count]
            let bytes = mutated(sample.bytes, using: &random)
            do {
                try sample.decode(bytes)
            } catch is WireError {
                refused += 1
            }
        }
        #expect(refused > 1_000, "mutations that change nothing test nothing")
    }

    @Test("random bytes decode or are refused, by every decoder")
    func noise() throws {
        var random = SeededRandom(seed: 7)
        let decoders = try MessageSamples.encoded().map(\.decode)
        for number in 0..<5_000 {
            let bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            do {
                try decoders[number % decoders.count](bytes)
            } catch is WireError {
                continue
            }
        }
    }

    @Test("a message cut at any byte is refused or still whole")
    func truncated() throws {
        for sample in try MessageSamples.encoded() where sample.bytes.count < 4_096 {
            for count in 0..<sample.bytes.count {
                do {
                    try sample.decode(Array(sample.bytes.prefix(count)))
                } catch is WireError {
                    continue
                }
            }
        }
    }

    @Test("bytes beyond a message's limit are refused before they are unpacked")
    func tooLarge() {
        let bytes = [UInt8](repeating: 0, count: ExchangeHeader.byteLimit + 1)
        #expect(throws: WireError.tooLarge(message: "gradient frame", bytes: 257, limit: 256)) {
            try decodeHeader(bytes)
        }
    }

    @Test("another protocol version is refused, naming both")
    func version() throws {
        // Field 1, the version, is the first of every message: tag 0x08, then the number.
        for sample in try MessageSamples.encoded() where sample.bytes.count < 4_096 {
            var bytes = sample.bytes
            #expect(bytes[0] == 0x08)
            bytes[1] = 99
            #expect(throws: WireError.version(found: 99, supported: protocolVersion)) { try sample.decode(bytes) }
        }
    }

    @Test("numbers that are not finite are refused", arguments: [Double.nan, .infinity, -.infinity])
    func notFinite(_ value: Double) throws {
        let report = StepReport(
            step: StepNumber(1), learningRate: 0.1, gradientNorm: value,
            timings: StepReport.Timings(
                input: .zero, compute: .zero, exposedCommunication: .zero, waiting: .zero, optimizer: .zero),
            startedNanoseconds: 0, endedNanoseconds: 0, sent: Bytes(0))
        let envelope = WorkerEnvelope(
            run: try MessageSamples.run(), rank: WorkerRank(0), epoch: 0, message: .stepReport(report))
        #expect(throws: WireError.self) { try decodeWorkerEnvelope(envelope.encoded()) }
    }

    @Test("B9: parts of a step that begin before the one in front of them are refused, and those that never begin")
    func startsInOrder() throws {
        let wrong = [
            PartStarts(compute: HostSeconds(0.2), waiting: HostSeconds(0.1), optimizer: HostSeconds(1)),
            PartStarts(optimizer: HostSeconds(.infinity)), PartStarts(compute: HostSeconds(-1)),
        ]
        for starts in wrong {
            let report = StepReport(
                step: StepNumber(1), learningRate: 0.1, gradientNorm: 1,
                timings: StepReport.Timings(
                    input: .zero, compute: .zero, exposedCommunication: .zero, waiting: .zero, optimizer: .zero),
                starts: starts, startedNanoseconds: 0, endedNanoseconds: 0, sent: Bytes(0))
            let envelope = WorkerEnvelope(
                run: try MessageSamples.run(), rank: WorkerRank(0), epoch: 0, message: .stepReport(report))
            #expect(throws: WireError.self) { try decodeWorkerEnvelope(envelope.encoded()) }
        }
    }

    @Test("a rank that is none of the peers is refused")
    func foreignRank() throws {
        let assignment = Assignment(
            epoch: 0, rank: WorkerRank(2),
            peers: [Assignment.Peer(rank: WorkerRank(0), endpoint: "ipc:///x", lanes: 0..<1)],
            job: [], datasetDirectory: "/d", runDirectory: "/r", firstStep: StepNumber(0), threads: 1,
            backend: .cluster,
            exchangeDeadline: HostSeconds(1), algorithm: .direct, transport: .ipc, bucket: Bytes(1 << 20))
        let bytes = CoordinatorToWorker.assignment(assignment).encoded(for: try MessageSamples.run(), epoch: 0)
        #expect(throws: WireError.self) { try decodeCoordinatorMessage(bytes) }
    }

    /// One to four small injuries: a bit, a byte, a stretch removed, repeated or overwritten with extremes.
    private func mutated(_ original: [UInt8], using random: inout SeededRandom) -> [UInt8] {
        var bytes = original
        for _ in 0..<Int.random(in: 1...4, using: &random) {
            guard !bytes.isEmpty else { return bytes }
            let place = Int.random(in: 0..<bytes.count, using: &random)
            switch Int.random(in: 0..<6, using: &random) {
            case 0: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
            case 1: bytes[place] = UInt8.random(in: 0...255, using: &random)
            case 2: bytes.removeSubrange(place..<min(bytes.count, place + Int.random(in: 1...8, using: &random)))
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 16)], at: place)
            case 4: bytes[place] = 0xff
            default: bytes.insert(contentsOf: [0xff, 0xff, 0xff, 0xff, 0x0f], at: place)
            }
        }
        return bytes
    }
}

/// SplitMix64 (Steele et al. 2014): a test that failed fails again.
struct SeededRandom: RandomNumberGenerator {
    private var state: UInt64
    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
