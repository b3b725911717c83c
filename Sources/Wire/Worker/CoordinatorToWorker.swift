import CWire

/// What the coordinator tells a worker.
public enum CoordinatorToWorker: WireMessage {
    /// The worker's share of a membership epoch.
    case assignment(Assignment)
    /// The judgement after the evaluation that followed `stepsMade` steps.
    case verdict(stepsMade: Int, Outcome)
    /// End: with a final checkpoint where `graceful`, else at once.
    case stop(graceful: Bool, reason: String)
    /// The worker is not, or no longer, a member; it exits.
    case refused(reason: String)

    /// Whether training goes on.
    public enum Outcome: Hashable, Sendable {
        case goOn
        case finish(reason: String)
    }

    public static let maximumBytes = 2 << 20

    public func encode() -> [UInt8] {
        let arena = PackingArena()
        return arena.pack(
            arena.make(wafermark__coordinator_to_worker__init) { message in
                message.protocol_version = WireProtocol.version
                switch self {
                case .assignment(let assignment):
                    message.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT
                    message.assignment = assignment.place(in: arena)
                case .verdict(let stepsMade, let outcome):
                    message.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT
                    message.verdict = arena.make(wafermark__verdict__init) { verdict in
                        verdict.steps_made = UInt64(clamping: stepsMade)
                        switch outcome {
                        case .goOn: verdict.finish = 0
                        case .finish(let reason):
                            verdict.finish = 1
                            verdict.reason = arena.text(reason.cut(toBytes: WireLimits.messageBytes))
                        }
                    }
                case .stop(let graceful, let reason):
                    message.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_STOP
                    message.stop = arena.make(wafermark__stop__init) { stop in
                        stop.graceful = graceful ? 1 : 0
                        stop.reason = arena.text(reason.cut(toBytes: WireLimits.messageBytes))
                    }
                case .refused(let reason):
                    message.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_REFUSED
                    message.refused = arena.make(wafermark__refused__init) { refused in
                        refused.reason = arena.text(reason.cut(toBytes: WireLimits.messageBytes))
                    }
                }
            })
    }

    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            bytes, as: "coordinator message", limit: Self.maximumBytes,
            with: wafermark__coordinator_to_worker__unpack
        ) { (message) throws(WireError) in
            let checks = FieldChecks(message: "coordinator message")
            try checks.version(message.protocol_version)
            switch message.kind_case {
            case WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT:
                guard let assignment = message.assignment else { break }
                return .assignment(try Assignment(reading: assignment.pointee))
            case WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT:
                guard let verdict = message.verdict?.pointee else { break }
                let stepsMade = try checks.integer(verdict.steps_made, "steps_made", in: WireLimits.steps)
                let reason = try checks.reason(verdict.reason)
                return .verdict(stepsMade: stepsMade, verdict.finish != 0 ? .finish(reason: reason) : .goOn)
            case WAFERMARK__COORDINATOR_TO_WORKER__KIND_STOP:
                guard let stop = message.stop?.pointee else { break }
                return .stop(graceful: stop.graceful != 0, reason: try checks.reason(stop.reason))
            case WAFERMARK__COORDINATOR_TO_WORKER__KIND_REFUSED:
                guard let refused = message.refused?.pointee else { break }
                return .refused(reason: try checks.reason(refused.reason))
            default: break
            }
            throw .empty(message: "coordinator message")
        }
    }
}

extension FieldChecks {
    fileprivate func reason(_ pointer: UnsafePointer<CChar>?) throws(WireError) -> String {
        try text(pointer, "reason", maximum: WireLimits.messageBytes, orEmpty: true)
    }
}
