import CWire

/// What trains a job.
public enum Backend: UInt32, Hashable, Sendable, CaseIterable {
    case cluster = 1
    case wafer = 2
}

/// What a command asks of the coordinator daemon.
public enum ClientRequest: WireMessage {
    /// Is the daemon there?
    case ping
    /// Queue a run.
    case launch(Launch)
    /// Stop a run that is queued or running; its id, or the first characters of it.
    case cancel(runID: String)
    /// Remove an ended run and its files; its id, or the first characters of it.
    case delete(runID: String)
    /// Stop the daemon.
    case shutdown

    /// A run to be queued.
    public struct Launch: Hashable, Sendable {
        /// The checked job, as JSON of the value type `Job`.
        public var jobJSON: String
        /// What trains it.
        public var backend: Backend
        /// Worker processes; 1 for the wafer.
        public var workers: Int
        /// The hardware profile's name.
        public var hardware: String?
        /// Names this request: the daemon answers a repeated key with the run that it made the first time.
        public var clientKey: String?

        /// A launch of the given parts.
        public init(
            jobJSON: String, backend: Backend, workers: Int, hardware: String? = nil, clientKey: String? = nil
        ) {
            self.jobJSON = jobJSON
            self.backend = backend
            self.workers = workers
            self.hardware = hardware
            self.clientKey = clientKey
        }
    }

    public static let maximumBytes = WireLimits.jobBytes + 65_536

    public func encode() -> [UInt8] {
        let arena = PackingArena()
        return arena.pack(
            arena.make(wafermark__client_request__init) { message in
                message.protocol_version = WireProtocol.version
                switch self {
                case .ping:
                    message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_PING
                    message.ping = arena.make(wafermark__ping__init) { _ in }
                case .launch(let launch):
                    message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_LAUNCH
                    message.launch = launch.place(in: arena)
                case .cancel(let runID):
                    message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_CANCEL
                    message.cancel = arena.make(wafermark__cancel__init) { $0.run_id = arena.text(runID) }
                case .delete(let runID):
                    message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_DELETE
                    message.delete_ = arena.make(wafermark__delete__init) { $0.run_id = arena.text(runID) }
                case .shutdown:
                    message.kind_case = WAFERMARK__CLIENT_REQUEST__KIND_SHUTDOWN
                    message.shutdown = arena.make(wafermark__shutdown__init) { _ in }
                }
            })
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            bytes, as: "client request", limit: Self.maximumBytes, with: wafermark__client_request__unpack
        ) { (message) throws(WireError) in
            let checks = FieldChecks(message: "client request")
            try checks.version(message.protocol_version)
            switch message.kind_case {
            case WAFERMARK__CLIENT_REQUEST__KIND_PING: return .ping
            case WAFERMARK__CLIENT_REQUEST__KIND_LAUNCH:
                guard let launch = message.launch else { break }
                return .launch(try Launch(reading: launch.pointee))
            case WAFERMARK__CLIENT_REQUEST__KIND_CANCEL:
                guard let cancel = message.cancel else { break }
                let checks = FieldChecks(message: "cancel request")
                return .cancel(runID: try checks.runID(cancel.pointee.run_id, prefix: true))
            case WAFERMARK__CLIENT_REQUEST__KIND_DELETE:
                guard let delete = message.delete_ else { break }
                let checks = FieldChecks(message: "delete request")
                return .delete(runID: try checks.runID(delete.pointee.run_id, prefix: true))
            case WAFERMARK__CLIENT_REQUEST__KIND_SHUTDOWN: return .shutdown
            default: break
            }
            throw .empty(message: "client request")
        }
    }
}

extension ClientRequest.Launch {
    fileprivate func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Launch> {
        arena.make(wafermark__launch__init) { message in
            message.job_json = arena.text(jobJSON)
            message.backend = Wafermark__Backend(rawValue: backend.rawValue)
            message.workers = UInt32(clamping: workers)
            message.hardware = arena.text(hardware ?? "")
            message.client_key = arena.text(clientKey ?? "")
        }
    }

    fileprivate init(reading message: Wafermark__Launch) throws(WireError) {
        let checks = FieldChecks(message: "launch request")
        self.init(
            jobJSON: try checks.text(message.job_json, "job_json", maximum: WireLimits.jobBytes),
            backend: try checks.choice(message.backend.rawValue, "backend"),
            workers: try checks.integer(message.workers, "workers", in: WireLimits.workers),
            hardware: try checks.optionalText(message.hardware, "hardware", maximum: 256),
            clientKey: try checks.optionalText(message.client_key, "client_key", maximum: 256))
    }
}
