import CWire
import Jobs

/// What a client asks of the daemon.
public enum ClientRequest: Hashable, Sendable {
    /// Whether the daemon is there.
    case ping
    /// To train a job.
    case launch(LaunchRequest)
    /// To end a run.
    case cancel(RunID)
    /// To remove a run that has ended.
    case delete(RunID)
    /// To go on with a run that ended before it was complete, by `workers` workers, or as many as before.
    case resume(RunID, workers: Int?)
}

/// To train a job on a backend.
public struct LaunchRequest: Hashable, Sendable {
    /// The job file's text.
    public var job: String
    /// What trains it, by how many workers, standing for which hardware.
    public var backend: Backend
    public var workers: Int
    public var hardware: String?
    /// How the workers of a cluster share lanes and exchange gradients.
    public var exchange: ExchangeSettings
    /// How the hardware is emulated, as JSON; empty for a native run.
    public var emulation: [UInt8]

    /// A request of the given parts.
    public init(
        job: String, backend: Backend, workers: Int, hardware: String?,
        exchange: ExchangeSettings = ExchangeSettings(), emulation: [UInt8] = []
    ) {
        self.job = job
        self.backend = backend
        self.workers = workers
        self.hardware = hardware
        self.exchange = exchange
        self.emulation = emulation
    }
}

/// What the daemon answers.
public enum ClientReply: Hashable, Sendable {
    /// To a ping: who it is.
    case pong(processID: Int32, state: String)
    /// To a launch: the new run.
    case launched(RunID)
    /// What was asked for is done.
    case done
    /// It won't be done.
    case refused(reason: String)
}

extension ClientRequest {
    /// The most bytes of a request: a job file of 1 MiB, and room.
    public static let byteLimit = (1 << 20) + 4_096

    /// The request's bytes.
    public func encoded() -> [UInt8] {
        let arena = PackArena()
        var message = Wafermark__ClientRequest()
        wafermark__client_request__init(&message)
        message.protocol_version = protocolVersion
        func reference(_ id: RunID) -> UnsafeMutablePointer<Wafermark__RunReference> {
            var reference = Wafermark__RunReference()
            wafermark__run_reference__init(&reference)
            reference.run_id = arena.string(id.text)
            return arena.pointer(reference)
        }
        switch self {
        case .ping:
            var ping = Wafermark__Ping()
            wafermark__ping__init(&ping)
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_PING
            message.ping = arena.pointer(ping)
        case .launch(let request):
            var launch = Wafermark__Launch()
            wafermark__launch__init(&launch)
            launch.job = arena.string(request.job)
            launch.backend = arena.string(request.backend.rawValue)
            launch.workers = UInt32(clamping: request.workers)
            launch.hardware = arena.string(request.hardware ?? "")
            launch.algorithm = arena.string(request.exchange.algorithm.rawValue)
            launch.transport = arena.string(request.exchange.transport.rawValue)
            launch.even_lanes = request.exchange.laneShares == .even ? 1 : 0
            launch.bucket_bytes = UInt64(clamping: request.exchange.bucket.count)
            launch.emulation = arena.bytes(request.emulation)
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_LAUNCH
            message.launch = arena.pointer(launch)
        case .cancel(let id):
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_CANCEL
            message.cancel = reference(id)
        case .delete(let id):
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_DELETE
            message.delete_ = reference(id)
        case .resume(let id, let workers):
            var resume = Wafermark__Resume()
            wafermark__resume__init(&resume)
            resume.run_id = arena.string(id.text)
            resume.workers = UInt32(clamping: workers ?? 0)
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_RESUME
            message.resume = arena.pointer(resume)
        }
        return withExtendedLifetime(arena) {
            packed(
                message, size: { wafermark__client_request__get_packed_size($0) },
                pack: { wafermark__client_request__pack($0, $1) })
        }
    }

    /// The request that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            "request", bytes, limit: Self.byteLimit, unpack: wafermark__client_request__unpack,
            free: wafermark__client_request__free_unpacked, read: Self.read)
    }

    /// What `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode no such message.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self = try bytes.withBytes { (bytes) throws(WireError) in try ClientRequest(decoding: bytes) }
    }

    private static func read(_ message: Wafermark__ClientRequest) throws(WireError) -> ClientRequest {
        let reader = FieldReader(message: "request")
        try reader.checkVersion(message.protocol_version)
        switch message.kind_case {
        case WAFERMARK__CLIENT_REQUEST__KIND_PING: return .ping
        case WAFERMARK__CLIENT_REQUEST__KIND_LAUNCH:
            let launch = try reader.required("launch", message.launch)
            let name = try reader.text("backend", launch.backend)
            guard let backend = Backend(rawValue: name) else {
                throw reader.error("backend", "'\(name)'", "cluster or wafer")
            }
            let hardware = try reader.text("hardware", launch.hardware, limit: 256)
            return .launch(
                LaunchRequest(
                    job: try reader.text("job", launch.job, limit: 1 << 20), backend: backend,
                    workers: try reader.integer("workers", launch.workers, in: 1...4_096),
                    hardware: hardware.isEmpty ? nil : hardware, exchange: try exchange(of: launch, reader),
                    emulation: launch.emulation.array))
        case WAFERMARK__CLIENT_REQUEST__KIND_CANCEL:
            return .cancel(try reader.run("run_id", try reader.required("cancel", message.cancel).run_id))
        case WAFERMARK__CLIENT_REQUEST__KIND_DELETE:
            return .delete(try reader.run("run_id", try reader.required("delete", message.delete_).run_id))
        case WAFERMARK__CLIENT_REQUEST__KIND_RESUME:
            let resume = try reader.required("resume", message.resume)
            let workers = try reader.integer("workers", resume.workers, in: 0...4_096)
            return .resume(try reader.run("run_id", resume.run_id), workers: workers == 0 ? nil : workers)
        default: throw reader.error("kind", "\(message.kind_case.rawValue)", "ping, launch, cancel, delete or resume")
        }
    }
}

extension ClientRequest {
    private static func exchange(
        of launch: Wafermark__Launch, _ reader: FieldReader
    ) throws(WireError) -> ExchangeSettings {
        let (algorithm, transport): (CollectiveAlgorithm, Transport) = (
            try reader.choice("algorithm", launch.algorithm), try reader.choice("transport", launch.transport)
        )
        let laneShares = launch.even_lanes != 0 ? LaneShareRule.even : .speed
        // A client that says nothing means the usual.
        if launch.bucket_bytes == 0 {
            return ExchangeSettings(algorithm: algorithm, transport: transport, laneShares: laneShares)
        }
        let range = ExchangeSettings.bucketRange
        do throws(ExchangeSettings.Violation) {
            return try ExchangeSettings(
                algorithm: algorithm, transport: transport, laneShares: laneShares,
                bucket: Bytes(Int(clamping: launch.bucket_bytes)))
        } catch {
            throw reader.error(
                "bucket_bytes", "\(launch.bucket_bytes)", "\(range.lowerBound) to \(range.upperBound)")
        }
    }
}

extension ClientReply {
    /// The most bytes of a reply.
    public static let byteLimit = 1 << 20

    /// The reply's bytes.
    public func encoded() -> [UInt8] {
        let arena = PackArena()
        var message = Wafermark__ClientReply()
        wafermark__client_reply__init(&message)
        message.protocol_version = protocolVersion
        switch self {
        case .pong(let processID, let state):
            var pong = Wafermark__Pong()
            wafermark__pong__init(&pong)
            pong.process_id = processID
            pong.state_directory = arena.string(state)
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_PONG
            message.pong = arena.pointer(pong)
        case .launched(let id):
            var reference = Wafermark__RunReference()
            wafermark__run_reference__init(&reference)
            reference.run_id = arena.string(id.text)
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_LAUNCHED
            message.launched = arena.pointer(reference)
        case .done:
            var done = Wafermark__Done()
            wafermark__done__init(&done)
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_DONE
            message.done = arena.pointer(done)
        case .refused(let reason):
            var refusal = Wafermark__Refusal()
            wafermark__refusal__init(&refusal)
            refusal.reason = arena.string(reason)
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_REFUSED
            message.refused = arena.pointer(refusal)
        }
        return withExtendedLifetime(arena) {
            packed(
                message, size: { wafermark__client_reply__get_packed_size($0) },
                pack: { wafermark__client_reply__pack($0, $1) })
        }
    }

    /// The reply that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            "reply", bytes, limit: Self.byteLimit, unpack: wafermark__client_reply__unpack,
            free: wafermark__client_reply__free_unpacked, read: Self.read)
    }

    /// What `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode no such message.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self = try bytes.withBytes { (bytes) throws(WireError) in try ClientReply(decoding: bytes) }
    }

    private static func read(_ message: Wafermark__ClientReply) throws(WireError) -> ClientReply {
        let reader = FieldReader(message: "reply")
        try reader.checkVersion(message.protocol_version)
        switch message.kind_case {
        case WAFERMARK__CLIENT_REPLY__KIND_PONG:
            let pong = try reader.required("pong", message.pong)
            return .pong(processID: pong.process_id, state: try reader.text("state_directory", pong.state_directory))
        case WAFERMARK__CLIENT_REPLY__KIND_LAUNCHED:
            return .launched(try reader.run("run_id", try reader.required("launched", message.launched).run_id))
        case WAFERMARK__CLIENT_REPLY__KIND_DONE: return .done
        case WAFERMARK__CLIENT_REPLY__KIND_REFUSED:
            let refusal = try reader.required("refused", message.refused)
            return .refused(reason: try reader.text("reason", refusal.reason, limit: 64 << 10))
        default: throw reader.error("kind", "\(message.kind_case.rawValue)", "pong, launched, done or refused")
        }
    }
}
