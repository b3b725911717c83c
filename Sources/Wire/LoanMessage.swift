import CWire
import Jobs

/// What workers say of gradients that stay in the memory of the one that made them.
public enum LoanMessage: Hashable, Sendable {
    /// The numbers that the header names lie at `place`, until they are returned.
    case lent(ExchangeHeader, number: UInt64, MemoryPlace)
    /// Loans of the receiver are not read any more.
    case returned(LoansReturned)
}

/// A place in the memory of a process, for other processes of its host.
public struct MemoryPlace: Hashable, Sendable {
    /// The process, the descriptor of an anonymous file there, and the nonce in the file's name.
    public var processID: Int32
    public var descriptor: Int32
    public var nonce: UInt64
    /// The file's size.
    public var memory: Bytes
    /// The first byte of what is meant.
    public var firstByte: Int

    /// A place of the given parts.
    public init(processID: Int32, descriptor: Int32, nonce: UInt64, memory: Bytes, firstByte: Int) {
        self.processID = processID
        self.descriptor = descriptor
        self.nonce = nonce
        self.memory = memory
        self.firstByte = firstByte
    }
}

/// Loans that a worker returns to the one that it speaks to.
public struct LoansReturned: Hashable, Sendable {
    /// The run, its membership's epoch, and who returns.
    public var run: RunID
    public var epoch: Int
    public var sender: WorkerRank
    /// Loans that were read.
    public var read: [UInt64]
    /// Loans that can't be read, so that their numbers must be sent, and why.
    public var unreadable: [UInt64]
    public var reason: String

    /// Loans of the given parts.
    public init(
        run: RunID, epoch: Int, sender: WorkerRank, read: [UInt64], unreadable: [UInt64] = [], reason: String = ""
    ) {
        self.run = run
        self.epoch = epoch
        self.sender = sender
        self.read = read
        self.unreadable = unreadable
        self.reason = reason
    }
}

extension LoanMessage {
    /// The most bytes of a message: some hundred thousand loans returned at once.
    public static let byteLimit = 1 << 20

    /// The message's bytes.
    public func encoded() -> [UInt8] {
        let arena = PackArena()
        var envelope = Wafermark__LoanMessage()
        wafermark__loan_message__init(&envelope)
        envelope.protocol_version = protocolVersion
        switch self {
        case .lent(let header, let number, let place):
            var message = Wafermark__Loan()
            wafermark__loan__init(&message)
            message.header = arena.pointer(header.packed(in: arena))
            message.number = number
            message.process_id = place.processID
            message.descriptor = place.descriptor
            message.nonce = place.nonce
            message.memory_bytes = UInt64(clamping: place.memory.count)
            message.first_byte = UInt64(clamping: place.firstByte)
            envelope.kind_case = WAFERMARK__LOAN_MESSAGE__KIND_LENT
            envelope.lent = arena.pointer(message)
        case .returned(let loans):
            var message = Wafermark__LoansReturned()
            wafermark__loans_returned__init(&message)
            message.run_id = arena.string(loans.run.text)
            message.epoch = UInt32(clamping: loans.epoch)
            message.from_rank = UInt32(clamping: loans.sender.index)
            message.n_read = loans.read.count
            message.read = arena.numbers(loans.read)
            message.n_unreadable = loans.unreadable.count
            message.unreadable = arena.numbers(loans.unreadable)
            message.reason = arena.string(loans.reason)
            envelope.kind_case = WAFERMARK__LOAN_MESSAGE__KIND_RETURNED
            envelope.returned = arena.pointer(message)
        }
        return withExtendedLifetime(arena) {
            Wire.packed(
                envelope, size: { wafermark__loan_message__get_packed_size($0) },
                pack: { wafermark__loan_message__pack($0, $1) })
        }
    }

    /// The message that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            "loan of gradient", bytes, limit: Self.byteLimit, unpack: wafermark__loan_message__unpack,
            free: wafermark__loan_message__free_unpacked, read: Self.read)
    }

    /// What `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode no such message.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self = try bytes.withBytes { (bytes) throws(WireError) in try LoanMessage(decoding: bytes) }
    }

    private static func read(_ envelope: Wafermark__LoanMessage) throws(WireError) -> LoanMessage {
        let reader = FieldReader(message: "loan of gradient")
        try reader.checkVersion(envelope.protocol_version)
        switch envelope.kind_case {
        case WAFERMARK__LOAN_MESSAGE__KIND_LENT:
            let loan = try reader.required("lent", envelope.lent)
            return .lent(
                try ExchangeHeader(try reader.required("header", loan.header)), number: loan.number,
                MemoryPlace(
                    processID: Int32(try reader.integer("process_id", loan.process_id, in: 1...Int(Int32.max))),
                    descriptor: Int32(try reader.integer("descriptor", loan.descriptor, in: 0...Int(Int32.max))),
                    nonce: loan.nonce,
                    memory: Bytes(try reader.integer("memory_bytes", loan.memory_bytes, in: 1...(1 << 44))),
                    firstByte: try reader.integer("first_byte", loan.first_byte, in: 0...(1 << 44))))
        case WAFERMARK__LOAN_MESSAGE__KIND_RETURNED:
            return .returned(try LoansReturned(try reader.required("returned", envelope.returned)))
        default: throw reader.error("kind", "\(envelope.kind_case.rawValue)", "lent or returned")
        }
    }
}

extension LoansReturned {
    fileprivate init(_ message: Wafermark__LoansReturned) throws(WireError) {
        let reader = FieldReader(message: "loans returned")
        self.init(
            run: try reader.run("run_id", message.run_id), epoch: try reader.integer("epoch", message.epoch),
            sender: WorkerRank(try reader.integer("from_rank", message.from_rank, in: 0...4_095)),
            read: Array(UnsafeBufferPointer(start: message.read, count: message.n_read)),
            unreadable: Array(UnsafeBufferPointer(start: message.unreadable, count: message.n_unreadable)),
            reason: try reader.text("reason", message.reason))
    }
}
