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
    /// For a document about the runs on record.
    case document(DocumentRequest)
    /// What a worker of another host could do.
    case work
}

/// Which document about the runs on record.
public enum DocumentRequest: Hashable, Sendable {
    /// All runs.
    case list
    /// The figures, or the events, of the run whose id begins with a text.
    case show(String)
    case events(String)
}

/// What a worker of another host needs to join a run.
public struct WorkOrder: Hashable, Sendable {
    /// The run, and its secret.
    public var run: RunID
    public var token: String
    /// The worker's number, where it has one already; else it asks for one.
    public var rank: WorkerRank?
    /// How gradients travel.
    public var transport: Transport
    /// The TCP port of the daemon's host at which the run's workers are taken.
    public var port: Int

    /// An order of the given parts.
    public init(run: RunID, token: String, rank: WorkerRank?, transport: Transport, port: Int) {
        self.run = run
        self.token = token
        self.rank = rank
        self.transport = transport
        self.port = port
    }
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
    /// When its turn comes, and by what it is known again.
    public var terms: SubmissionTerms
    /// How the hardware is emulated, as JSON; empty for a native run.
    public var emulation: [UInt8]
    /// What the run may take at most.
    public var limits: RunLimits

    /// A request of the given parts.
    public init(
        job: String, backend: Backend, workers: Int, hardware: String?,
        exchange: ExchangeSettings = ExchangeSettings(), terms: SubmissionTerms = SubmissionTerms(),
        emulation: [UInt8] = [], limits: RunLimits = RunLimits()
    ) {
        self.job = job
        self.backend = backend
        self.workers = workers
        self.hardware = hardware
        self.exchange = exchange
        self.terms = terms
        self.emulation = emulation
        self.limits = limits
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
    /// The document that was asked for, as JSON.
    case document([UInt8])
    /// What there is to do.
    case work(WorkOrder)
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
            launch.priority = Int32(clamping: request.terms.priority)
            launch.n_after = request.terms.after.count
            launch.after = arena.strings(request.terms.after.map(\.text))
            launch.submission_key = arena.string(request.terms.key ?? "")
            launch.emulation = arena.bytes(request.emulation)
            launch.memory_limit_bytes = UInt64(clamping: request.limits.memory?.count ?? 0)
            launch.disk_limit_bytes = UInt64(clamping: request.limits.disk?.count ?? 0)
            launch.time_limit_host_seconds = request.limits.time?.seconds ?? 0
            launch.worker_limit = UInt32(clamping: request.limits.workers ?? 0)
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
        case .document(let request):
            var document = Wafermark__DocumentRequest()
            wafermark__document_request__init(&document)
            document.kind = arena.string(request.kind)
            document.run = arena.string(request.run)
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_DOCUMENT
            message.document = arena.pointer(document)
        case .work:
            var work = Wafermark__WorkRequest()
            wafermark__work_request__init(&work)
            message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_WORK
            message.work = arena.pointer(work)
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
                    terms: try terms(of: launch, reader),
                    emulation: launch.emulation.array, limits: try limits(of: launch, reader)))
        case WAFERMARK__CLIENT_REQUEST__KIND_CANCEL:
            return .cancel(try reader.run("run_id", try reader.required("cancel", message.cancel).run_id))
        case WAFERMARK__CLIENT_REQUEST__KIND_DELETE:
            return .delete(try reader.run("run_id", try reader.required("delete", message.delete_).run_id))
        case WAFERMARK__CLIENT_REQUEST__KIND_RESUME:
            let resume = try reader.required("resume", message.resume)
            let workers = try reader.integer("workers", resume.workers, in: 0...4_096)
            return .resume(try reader.run("run_id", resume.run_id), workers: workers == 0 ? nil : workers)
        case WAFERMARK__CLIENT_REQUEST__KIND_DOCUMENT:
            let document = try reader.required("document", message.document)
            let run = try reader.text("run", document.run, limit: 64)
            switch try reader.text("kind", document.kind, limit: 64) {
            case "list": return .document(.list)
            case "show": return .document(.show(run))
            case "events": return .document(.events(run))
            case let other: throw reader.error("kind", "'\(other)'", "list, show or events")
            }
        case WAFERMARK__CLIENT_REQUEST__KIND_WORK: return .work
        default:
            throw reader.error(
                "kind", "\(message.kind_case.rawValue)", "ping, launch, cancel, delete, resume, document or work")
        }
    }
}

extension ClientRequest {
    private static func terms(
        of launch: Wafermark__Launch, _ reader: FieldReader
    ) throws(WireError) -> SubmissionTerms {
        guard launch.n_after <= SubmissionTerms.afterLimit else {
            throw reader.error("after", "\(launch.n_after) runs", "at most \(SubmissionTerms.afterLimit)")
        }
        var after: [RunID] = []
        for item in UnsafeBufferPointer(start: launch.after, count: launch.after == nil ? 0 : launch.n_after) {
            after.append(try reader.run("after", item))
        }
        let key = try reader.text("submission_key", launch.submission_key, limit: SubmissionTerms.keyLimit)
        let terms = SubmissionTerms(priority: Int(launch.priority), after: after, key: key.isEmpty ? nil : key)
        if let problem = terms.problem { throw reader.error("priority, after or submission_key", "others", problem) }
        return terms
    }

    /// The limits of a launch; 0 stands for none.
    private static func limits(of launch: Wafermark__Launch, _ reader: FieldReader) throws(WireError) -> RunLimits {
        func bytes(_ count: UInt64) -> Bytes? { count == 0 ? nil : Bytes(Int(clamping: count)) }
        let time = try reader.seconds("time_limit_host_seconds", launch.time_limit_host_seconds)
        let workers = try reader.integer("worker_limit", launch.worker_limit, in: 0...4_096)
        return RunLimits(
            memory: bytes(launch.memory_limit_bytes), disk: bytes(launch.disk_limit_bytes),
            time: time == .zero ? nil : time, workers: workers == 0 ? nil : workers)
    }

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

extension DocumentRequest {
    fileprivate var kind: String {
        switch self {
        case .list: "list"
        case .show: "show"
        case .events: "events"
        }
    }

    fileprivate var run: String {
        switch self {
        case .list: ""
        case .show(let run), .events(let run): run
        }
    }
}

extension ClientReply {
    /// The most bytes of a reply: a document of a run of many steps.
    public static let byteLimit = 64 << 20

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
        case .document(let document):
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_DOCUMENT
            message.document = arena.bytes(document)
        case .work(let order):
            var work = Wafermark__WorkOrder()
            wafermark__work_order__init(&work)
            work.run_id = arena.string(order.run.text)
            work.token = arena.string(order.token)
            work.is_numbered = order.rank == nil ? 0 : 1
            work.rank = UInt32(clamping: order.rank?.index ?? 0)
            work.transport = arena.string(order.transport.rawValue)
            work.port = UInt32(clamping: order.port)
            message.kind_case = WAFERMARK__CLIENT_REPLY__KIND_WORK
            message.work = arena.pointer(work)
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
        case WAFERMARK__CLIENT_REPLY__KIND_DOCUMENT:
            return .document(Array(UnsafeBufferPointer(start: message.document.data, count: message.document.len)))
        case WAFERMARK__CLIENT_REPLY__KIND_WORK:
            let work = try reader.required("work", message.work)
            let rank = WorkerRank(try reader.integer("rank", work.rank, in: 0...4_095))
            return .work(
                WorkOrder(
                    run: try reader.run("run_id", work.run_id), token: try reader.text("token", work.token, limit: 256),
                    rank: work.is_numbered != 0 ? rank : nil, transport: try reader.choice("transport", work.transport),
                    port: try reader.integer("port", work.port, in: 1...65_535)))
        default:
            throw reader.error(
                "kind", "\(message.kind_case.rawValue)", "pong, launched, done, refused, document or work")
        }
    }
}
