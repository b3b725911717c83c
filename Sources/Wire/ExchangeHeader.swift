import CWire
import Jobs

/// What the frame of gradient after it holds: a sum over some lanes, on its way to whoever adds it to others, or the sum
/// over all lanes on its way to whoever applies it.
public struct ExchangeHeader: Hashable, Sendable {
    /// The run, its membership's epoch, and the step.
    public var run: RunID
    public var epoch: Int
    public var step: StepNumber
    /// The bucket, and who sends.
    public var bucket: Int
    public var sender: WorkerRank
    /// The elements of the flat gradient that follow, as f32.
    public var elements: Range<Int>
    /// The lanes that they are summed over: a node of the lane tree.
    public var lanes: Range<Int>
    /// When the frame was handed to the network; once it has passed an emulated fabric, when that network would have
    /// delivered it.
    public var instant: MonotonicInstant

    /// A header of the given parts.
    public init(
        run: RunID, epoch: Int, step: StepNumber, bucket: Int, sender: WorkerRank, elements: Range<Int>,
        lanes: Range<Int>, instant: MonotonicInstant = MonotonicInstant(nanoseconds: 0)
    ) {
        self.run = run
        self.epoch = epoch
        self.step = step
        self.bucket = bucket
        self.sender = sender
        self.elements = elements
        self.lanes = lanes
        self.instant = instant
    }

    /// The most bytes of a header.
    public static let byteLimit = 256

    /// The header's bytes.
    public func encoded() -> [UInt8] {
        let arena = PackArena()
        return withExtendedLifetime(arena) {
            Wire.packed(
                packed(in: arena), size: { wafermark__exchange_header__get_packed_size($0) },
                pack: { wafermark__exchange_header__pack($0, $1) })
        }
    }

    func packed(in arena: PackArena) -> Wafermark__ExchangeHeader {
        var message = Wafermark__ExchangeHeader()
        wafermark__exchange_header__init(&message)
        message.protocol_version = protocolVersion
        message.run_id = arena.string(run.text)
        message.epoch = UInt32(clamping: epoch)
        message.step = UInt64(clamping: step.index)
        message.bucket = UInt32(clamping: bucket)
        message.from_rank = UInt32(clamping: sender.index)
        message.first_element = UInt64(clamping: elements.lowerBound)
        message.element_count = UInt64(clamping: elements.count)
        message.first_lane = UInt32(clamping: lanes.lowerBound)
        message.lane_count = UInt32(clamping: lanes.count)
        message.instant_nanoseconds = instant.nanoseconds
        return message
    }

    /// The header that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            "gradient frame", bytes, limit: Self.byteLimit, unpack: wafermark__exchange_header__unpack,
            free: wafermark__exchange_header__free_unpacked,
            read: { (message) throws(WireError) in try ExchangeHeader(message) })
    }

    init(_ message: Wafermark__ExchangeHeader) throws(WireError) {
        let reader = FieldReader(message: "gradient frame")
        try reader.checkVersion(message.protocol_version)
        let first = try reader.integer("first_element", message.first_element, in: 0...(1 << 40))
        let count = try reader.integer("element_count", message.element_count, in: 0...(1 << 40))
        let firstLane = try reader.integer("first_lane", message.first_lane, in: 0...65_535)
        let laneCount = try reader.integer("lane_count", message.lane_count, in: 0...65_536)
        self.init(
            run: try reader.run("run_id", message.run_id), epoch: try reader.integer("epoch", message.epoch),
            step: try reader.step("step", message.step),
            bucket: try reader.integer("bucket", message.bucket),
            sender: WorkerRank(try reader.integer("from_rank", message.from_rank, in: 0...4_095)),
            elements: first..<first + count, lanes: firstLane..<firstLane + laneCount,
            instant: MonotonicInstant(nanoseconds: message.instant_nanoseconds))
    }
}
