import CWire

/// The daemon's answer to a `ClientRequest`.
public enum ClientReply: WireMessage {
    /// Done.
    case accepted
    /// The run that a launch made.
    case launched(runID: String)
    /// The daemon's answer to a ping.
    case pong(version: String, processID: Int, stateDirectory: String)
    /// Not done, and why.
    case refused(code: RefusalCode, message: String)

    /// Why a request was not carried out.
    public enum RefusalCode: UInt32, Hashable, Sendable, CaseIterable {
        /// The request could not be read, or is of another protocol version.
        case badRequest = 1
        /// The job or its options are not valid on this backend.
        case badJob = 2
        /// No run has that id.
        case unknownRun = 3
        /// The run is in a state in which this can't be done.
        case wrongState = 4
        /// The daemon is stopping.
        case stopping = 5
        /// The daemon failed; the message says at what.
        case internalFailure = 6
    }

    public static let maximumBytes = 65_536

    public func encode() -> [UInt8] {
        let arena = PackingArena()
        return arena.pack(
            arena.make(wafermark__client_reply__init) { message in
                message.protocol_version = WireProtocol.version
                switch self {
                case .accepted:
                    message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_ACCEPTED
                    message.accepted = arena.make(wafermark__accepted__init) { _ in }
                case .launched(let runID):
                    message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_LAUNCHED
                    message.launched = arena.make(wafermark__launched__init) { $0.run_id = arena.text(runID) }
                case .pong(let version, let processID, let stateDirectory):
                    message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_PONG
                    message.pong = arena.make(wafermark__pong__init) { pong in
                        pong.version = arena.text(version)
                        pong.pid = UInt32(clamping: processID)
                        pong.state_directory = arena.text(stateDirectory)
                    }
                case .refused(let code, let text):
                    message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_REFUSAL
                    message.refusal = arena.make(wafermark__refusal__init) { refusal in
                        refusal.code = Wafermark__RefusalCode(rawValue: code.rawValue)
                        refusal.message = arena.text(text.cut(toBytes: WireLimits.messageBytes))
                    }
                }
            })
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            bytes, as: "reply", limit: Self.maximumBytes, with: wafermark__client_reply__unpack
        ) { (message) throws(WireError) in
            let checks = FieldChecks(message: "reply")
            try checks.version(message.protocol_version)
            switch message.kind_case {
            case WAFERMARK__CLIENT_REPLY__KIND_ACCEPTED: return .accepted
            case WAFERMARK__CLIENT_REPLY__KIND_LAUNCHED:
                guard let launched = message.launched else { break }
                return .launched(runID: try checks.runID(launched.pointee.run_id))
            case WAFERMARK__CLIENT_REPLY__KIND_PONG:
                guard let pong = message.pong?.pointee else { break }
                return .pong(
                    version: try checks.text(pong.version, "version", maximum: 256),
                    processID: try checks.integer(pong.pid, "pid", in: 1...Int(Int32.max)),
                    stateDirectory: try checks.text(pong.state_directory, "state_directory"))
            case WAFERMARK__CLIENT_REPLY__KIND_REFUSAL:
                guard let refusal = message.refusal?.pointee else { break }
                return .refused(
                    code: try checks.choice(refusal.code.rawValue, "code"),
                    message: try checks.text(
                        refusal.message, "message", maximum: WireLimits.messageBytes, orEmpty: true))
            default: break
            }
            throw .empty(message: "reply")
        }
    }
}
