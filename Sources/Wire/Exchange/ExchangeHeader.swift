import CWire

/// The first frame of a gradient message between two workers; the payload, raw f32 in little-endian order, is the second.
public struct ExchangeHeader: WireMessage {
    /// What a gradient message is.
    public enum Kind: UInt32, Hashable, Sendable, CaseIterable {
        /// The sum over the lanes of one node of the lane tree, for whoever owns the segment.
        case partial = 1
        /// The sum over all lanes, from the segment's owner.
        case sum = 2
        /// The first message on a connection, without payload: who speaks.
        case greeting = 3
    }

    /// The run, the membership epoch and the step.
    public var runID: String
    public var epoch: Int
    public var step: Int
    /// Number of the bucket in the step, ascending over the flat gradient.
    public var bucket: Int
    /// The sender.
    public var fromRank: Int
    /// What the payload is.
    public var kind: Kind
    /// Rank that owns the segment of the bucket.
    public var segment: Int
    /// Elements of the flat gradient that the payload holds.
    public var elements: Range<Int>
    /// Lanes that were summed; all of the job's for `sum`.
    public var lanes: Range<Int>

    /// A header of the given parts.
    public init(
        runID: String, epoch: Int, step: Int, bucket: Int, fromRank: Int, kind: Kind, segment: Int,
        elements: Range<Int>, lanes: Range<Int>
    ) {
        self.runID = runID
        self.epoch = epoch
        self.step = step
        self.bucket = bucket
        self.fromRank = fromRank
        self.kind = kind
        self.segment = segment
        self.elements = elements
        self.lanes = lanes
    }

    public static let maximumBytes = 256

    public func encode() -> [UInt8] {
        let arena = PackingArena()
        return arena.pack(
            arena.make(wafermark__exchange_header__init) { message in
                message.protocol_version = WireProtocol.version
                message.run_id = arena.text(runID)
                message.epoch = UInt32(clamping: epoch)
                message.step = UInt64(clamping: step)
                message.bucket = UInt32(clamping: bucket)
                message.from_rank = UInt32(clamping: fromRank)
                message.kind = Wafermark__ExchangeKind(rawValue: kind.rawValue)
                message.segment = UInt32(clamping: segment)
                message.first_element = UInt64(clamping: elements.lowerBound)
                message.element_count = UInt64(clamping: elements.count)
                message.first_lane = UInt32(clamping: lanes.lowerBound)
                message.lane_count = UInt32(clamping: lanes.count)
            })
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            bytes, as: "exchange header", limit: Self.maximumBytes, with: wafermark__exchange_header__unpack
        ) { (message) throws(WireError) in try ExchangeHeader(reading: message) }
    }

    private init(reading message: Wafermark__ExchangeHeader) throws(WireError) {
        let checks = FieldChecks(message: "exchange header")
        try checks.version(message.protocol_version)
        runID = try checks.runID(message.run_id)
        epoch = try checks.integer(message.epoch, "epoch", in: WireLimits.epochs)
        step = try checks.integer(message.step, "step", in: WireLimits.steps)
        bucket = try checks.integer(message.bucket, "bucket", in: 0...Int(Int32.max))
        fromRank = try checks.integer(message.from_rank, "from_rank", in: 0...(WireLimits.workers.upperBound - 1))
        kind = try checks.choice(message.kind.rawValue, "kind")
        segment = try checks.integer(message.segment, "segment", in: 0...(WireLimits.workers.upperBound - 1))
        let first = try checks.integer(message.first_element, "first_element", in: WireLimits.elements)
        let count = try checks.integer(message.element_count, "element_count", in: WireLimits.elements)
        elements = first..<(first + count)
        let firstLane = try checks.integer(message.first_lane, "first_lane", in: 0...WireLimits.lanes.upperBound)
        let laneCount = try checks.integer(message.lane_count, "lane_count", in: 0...WireLimits.lanes.upperBound)
        lanes = firstLane..<(firstLane + laneCount)
    }
}
