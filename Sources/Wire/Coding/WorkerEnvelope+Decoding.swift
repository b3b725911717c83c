import CWire
import Jobs

extension WorkerEnvelope {
    /// The most bytes of a worker's message.
    public static let byteLimit = 4 << 20

    /// The message that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public init(decoding bytes: UnsafeRawBufferPointer) throws(WireError) {
        self = try unpacking(
            "worker message", bytes, limit: Self.byteLimit, unpack: wafermark__worker_to_coordinator__unpack,
            free: wafermark__worker_to_coordinator__free_unpacked, read: Self.read)
    }

    /// What `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode no such message.
    public init(decoding bytes: [UInt8]) throws(WireError) {
        self = try bytes.withBytes { (bytes) throws(WireError) in try WorkerEnvelope(decoding: bytes) }
    }

    private static func read(_ envelope: Wafermark__WorkerToCoordinator) throws(WireError) -> WorkerEnvelope {
        let reader = FieldReader(message: "worker message")
        try reader.checkVersion(envelope.protocol_version)
        return WorkerEnvelope(
            run: try reader.run("run_id", envelope.run_id),
            rank: WorkerRank(try reader.integer("rank", envelope.rank, in: 0...4_095)),
            epoch: try reader.integer("epoch", envelope.epoch), message: try message(of: envelope, reader))
    }

    private static func message(
        of envelope: Wafermark__WorkerToCoordinator, _ reader: FieldReader
    ) throws(WireError) -> WorkerToCoordinator {
        switch envelope.kind_case {
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_HELLO:
            return .hello(try WorkerHello(try reader.required("hello", envelope.hello)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_HEARTBEAT:
            return .heartbeat(try Heartbeat(try reader.required("heartbeat", envelope.heartbeat)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_JOIN_REQUEST:
            let request = try reader.required("join_request", envelope.join_request)
            return .joinRequest(token: try reader.text("token", request.token, limit: 256))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_LANE_RESULTS:
            let results = try reader.required("lane_results", envelope.lane_results)
            var lanes: [LaneReport] = []
            for item in try reader.list("lanes", results.n_lanes, results.lanes, limit: 65_536) {
                lanes.append(try LaneReport(item))
            }
            return .laneResults(step: try reader.step("step", results.step), lanes)
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_HALTED:
            let halted = try reader.required("halted", envelope.halted)
            return .halted(stepsMade: try reader.step("steps_made", halted.steps_made).index)
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_DISTURBED:
            return .disturbed(reason: try reader.text("disturbed", envelope.disturbed))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_STEP_REPORT:
            return .stepReport(try StepReport(try reader.required("step_report", envelope.step_report)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_EVALUATION_REPORT:
            return .evaluationReport(
                try EvaluationReport(try reader.required("evaluation_report", envelope.evaluation_report)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_CHECKPOINT_REPORT:
            return .checkpointReport(
                try CheckpointReport(try reader.required("checkpoint_report", envelope.checkpoint_report)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_FAILURE:
            return .failure(try WorkerFailure(try reader.required("failure", envelope.failure)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_FINISHED:
            return .finished(try WorkerFinished(try reader.required("finished", envelope.finished)))
        case WAFERMARK__WORKER_TO_COORDINATOR__KIND_NOTICE:
            let notice = try reader.required("notice", envelope.notice)
            return .notice(try reader.text("message", notice.message))
        default: throw reader.error("kind", "\(envelope.kind_case.rawValue)", "a message that a worker sends")
        }
    }
}

extension WorkerHello {
    fileprivate init(_ message: Wafermark__WorkerHello) throws(WireError) {
        let reader = FieldReader(message: "hello")
        self.init(
            token: try reader.text("token", message.token, limit: 256), processID: message.process_id,
            dataEndpoint: try reader.text("data_endpoint", message.data_endpoint, limit: 256),
            stateEndpoint: try reader.text("state_endpoint", message.state_endpoint, limit: 256),
            instructionSet: try reader.text("instruction_set", message.instruction_set, limit: 64),
            oneDNNVersion: try reader.text("onednn_version", message.onednn_version, limit: 64),
            zeroMQVersion: try reader.text("zeromq_version", message.zeromq_version, limit: 64),
            wafermarkVersion: try reader.text("wafermark_version", message.wafermark_version, limit: 64),
            key: try reader.key("key", message.key))
    }
}

extension FieldReader {
    /// A squared norm; 0 stands for one that was not measured.
    fileprivate func squaredNorm(_ field: String, _ value: Double) throws(WireError) -> Double? {
        guard value.isFinite, value >= 0 else { throw error(field, "\(value)", "a finite number, 0 or more") }
        return value == 0 ? nil : value
    }

    fileprivate func phase(_ value: Wafermark__Phase) throws(WireError) -> WorkerPhase {
        guard let phase = WorkerPhase(rawValue: value.rawValue) else {
            throw error("phase", "\(value.rawValue)", "0 to \(WorkerPhase.halted.rawValue)")
        }
        return phase
    }
}

extension Heartbeat {
    fileprivate init(_ message: Wafermark__Heartbeat) throws(WireError) {
        let reader = FieldReader(message: "heartbeat")
        self.init(
            step: try reader.step("step", message.step), phase: try reader.phase(message.phase),
            awaiting: try reader.ranks("awaiting", message.n_awaiting, message.awaiting))
    }
}

extension StepReport {
    fileprivate init(_ message: Wafermark__StepReport) throws(WireError) {
        let reader = FieldReader(message: "step_report")
        self.init(
            step: try reader.step("step", message.step),
            learningRate: try reader.finite("learning_rate", message.learning_rate),
            gradientNorm: try reader.finite("gradient_norm", message.gradient_norm),
            timings: Timings(
                input: try reader.seconds("input_seconds", message.input_seconds),
                compute: try reader.seconds("compute_seconds", message.compute_seconds),
                exposedCommunication: try reader.seconds(
                    "exposed_communication_seconds", message.exposed_communication_seconds),
                waiting: try reader.seconds("waiting_seconds", message.waiting_seconds),
                optimizer: try reader.seconds("optimizer_seconds", message.optimizer_seconds)),
            starts: try PartStarts(message, reader),
            startedNanoseconds: message.started_nanoseconds, endedNanoseconds: message.ended_nanoseconds,
            sent: Bytes(try reader.integer("sent_bytes", message.sent_bytes, in: 0...(1 << 50))),
            uncompressed: Bytes(
                try reader.integer("uncompressed_bytes", message.uncompressed_bytes, in: 0...(1 << 50))),
            emulated: try message.emulated.map { (emulated) throws(WireError) in
                try EmulatedStepReport(emulated.pointee)
            })
    }
}

extension EmulatedStepReport {
    fileprivate init(_ message: Wafermark__EmulatedStep) throws(WireError) {
        let reader = FieldReader(message: "emulated step")
        self.init(
            dilation: try reader.seconds("dilation", message.dilation).seconds,
            dilated: try reader.seconds("dilated_seconds", message.dilated_seconds),
            compute: try reader.seconds("compute_seconds", message.compute_seconds),
            optimizer: try reader.seconds("optimizer_seconds", message.optimizer_seconds),
            lateness: try reader.seconds("lateness_seconds", message.lateness_seconds))
    }
}

extension PartStarts {
    fileprivate init(_ message: Wafermark__StepReport, _ reader: FieldReader) throws(WireError) {
        self.init(
            compute: try reader.seconds("compute_start_seconds", message.compute_start_seconds),
            waiting: try reader.seconds("waiting_start_seconds", message.waiting_start_seconds),
            exposedCommunication: try reader.seconds(
                "exposed_communication_start_seconds", message.exposed_communication_start_seconds),
            commit: try reader.seconds("commit_start_seconds", message.commit_start_seconds),
            optimizer: try reader.seconds("optimizer_start_seconds", message.optimizer_start_seconds))
        guard areInOrder else {
            throw reader.error(
                "optimizer_start_seconds", "starts at \(all.map(\.seconds)) s",
                "none before that of the part in front of it")
        }
    }
}

extension LaneReport {
    fileprivate init(_ message: Wafermark__LaneReport) throws(WireError) {
        let reader = FieldReader(message: "lane report")
        self.init(
            lane: try reader.integer("lane", message.lane, in: 0...65_535),
            maskedLossSum: try reader.finite("masked_loss_sum", message.masked_loss_sum),
            maskedCount: try reader.integer("masked_count", message.masked_count),
            maskedCorrect: try reader.integer("masked_correct", message.masked_correct),
            nextSentenceLossSum: try reader.finite("next_sentence_loss_sum", message.next_sentence_loss_sum),
            nextSentenceCorrect: try reader.integer("next_sentence_correct", message.next_sentence_correct),
            sequences: try reader.integer("sequences", message.sequences),
            tokens: try reader.integer("tokens", message.tokens, in: 0...(1 << 40)),
            examplesChecksum: message.examples_checksum,
            gradientSquaredNorm: try reader.squaredNorm("gradient_squared_norm", message.gradient_squared_norm),
            countedActivations: try reader.integer(
                "counted_activations", message.counted_activations, in: 0...(1 << 50)),
            zeroActivations: try reader.integer("zero_activations", message.zero_activations, in: 0...(1 << 50)),
            skippedActivations: try reader.integer(
                "skipped_activations", message.skipped_activations, in: 0...(1 << 50)))
    }
}

extension EvaluationReport {
    fileprivate init(_ message: Wafermark__EvaluationReport) throws(WireError) {
        let reader = FieldReader(message: "evaluation_report")
        let items = try reader.list("chunks", message.n_chunks, message.chunks, limit: 65_536)
        var chunks: [Chunk] = []
        for item in items { chunks.append(try Chunk(item)) }
        self.init(
            stepsMade: try reader.step("steps_made", message.steps_made).index, chunks: chunks,
            endedNanoseconds: message.ended_nanoseconds)
    }
}

extension EvaluationReport.Chunk {
    fileprivate init(_ message: Wafermark__EvaluationChunkReport) throws(WireError) {
        let reader = FieldReader(message: "evaluation chunk")
        self.init(
            index: try reader.integer("index", message.index, in: 0...65_535),
            maskedLossSum: try reader.finite("masked_loss_sum", message.masked_loss_sum),
            maskedCount: try reader.integer("masked_count", message.masked_count),
            maskedCorrect: try reader.integer("masked_correct", message.masked_correct),
            nextSentenceCorrect: try reader.integer("next_sentence_correct", message.next_sentence_correct),
            sequences: try reader.integer("sequences", message.sequences))
    }
}

extension CheckpointReport {
    fileprivate init(_ message: Wafermark__CheckpointReport) throws(WireError) {
        let reader = FieldReader(message: "checkpoint_report")
        self.init(
            stepsMade: try reader.step("steps_made", message.steps_made).index,
            path: try reader.text("path", message.path), duration: try reader.seconds("seconds", message.seconds))
    }
}

extension WorkerFailure {
    fileprivate init(_ message: Wafermark__WorkerFailure) throws(WireError) {
        let reader = FieldReader(message: "failure")
        self.init(
            step: try reader.step("step", message.step), phase: try reader.phase(message.phase),
            message: try reader.text("message", message.message, limit: 64 << 10),
            isLocal: message.is_local != 0)
    }
}

extension WorkerFinished {
    fileprivate init(_ message: Wafermark__WorkerFinished) throws(WireError) {
        let reader = FieldReader(message: "finished")
        let directory = try reader.text("model_directory", message.model_directory)
        self.init(
            steps: try reader.step("steps", message.steps).index,
            weightsDigest: try reader.text("weights_digest", message.weights_digest, limit: 128),
            modelDirectory: directory.isEmpty ? nil : directory)
    }
}
