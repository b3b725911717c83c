import CWire

/// What a worker tells the coordinator.
public enum WorkerToCoordinator: WireMessage {
    /// The first message: who is there.
    case hello(WorkerHello)
    /// Still alive, and at what.
    case heartbeat(Heartbeat)
    /// A step is done.
    case stepReport(StepReport)
    /// This worker's chunks of an evaluation.
    case evaluationReport(EvaluationReport)
    /// A checkpoint is on disk.
    case checkpointReport(CheckpointReport)
    /// The worker can't go on.
    case failure(WorkerFailure)
    /// Training is over on this worker.
    case finished(WorkerFinished)
    /// The last message.
    case goodbye

    public static let maximumBytes = 1 << 20

    public func encode() -> [UInt8] {
        let arena = PackingArena()
        return arena.pack(
            arena.make(wafermark__worker_to_coordinator__init) { message in
                message.protocol_version = WireProtocol.version
                switch self {
                case .hello(let hello):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HELLO
                    message.hello = hello.place(in: arena)
                case .heartbeat(let heartbeat):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HEARTBEAT
                    message.heartbeat = heartbeat.place(in: arena)
                case .stepReport(let report):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_STEP_REPORT
                    message.step_report = report.place(in: arena)
                case .evaluationReport(let report):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_EVALUATION_REPORT
                    message.evaluation_report = report.place(in: arena)
                case .checkpointReport(let report):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_CHECKPOINT_REPORT
                    message.checkpoint_report = report.place(in: arena)
                case .failure(let failure):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_FAILURE
                    message.failure = failure.place(in: arena)
                case .finished(let finished):
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_FINISHED
                    message.finished = finished.place(in: arena)
                case .goodbye:
                    message.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_GOODBYE
                    message.goodbye = arena.make(wafermark__goodbye__init) { _ in }
                }
            })
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            bytes, as: "worker message", limit: Self.maximumBytes, with: wafermark__worker_to_coordinator__unpack
        ) { (message) throws(WireError) in
            try FieldChecks(message: "worker message").version(message.protocol_version)
            switch message.kind_case {
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_HELLO:
                if let hello = message.hello { return .hello(try WorkerHello(reading: hello.pointee)) }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_HEARTBEAT:
                if let heartbeat = message.heartbeat { return .heartbeat(try Heartbeat(reading: heartbeat.pointee)) }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_STEP_REPORT:
                if let report = message.step_report { return .stepReport(try StepReport(reading: report.pointee)) }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_EVALUATION_REPORT:
                if let report = message.evaluation_report {
                    return .evaluationReport(try EvaluationReport(reading: report.pointee))
                }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_CHECKPOINT_REPORT:
                if let report = message.checkpoint_report {
                    return .checkpointReport(try CheckpointReport(reading: report.pointee))
                }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_FAILURE:
                if let failure = message.failure { return .failure(try WorkerFailure(reading: failure.pointee)) }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_FINISHED:
                if let finished = message.finished { return .finished(try WorkerFinished(reading: finished.pointee)) }
            case WAFERMARK__WORKER_TO_COORDINATOR__KIND_GOODBYE: return .goodbye
            default: break
            }
            throw .empty(message: "worker message")
        }
    }
}
