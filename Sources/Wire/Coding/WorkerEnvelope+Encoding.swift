import CWire
import Jobs

extension WorkerEnvelope {
    /// The message's bytes.
    public func encoded() -> [UInt8] {
        let arena = PackArena()
        var envelope = Wafermark__WorkerToCoordinator()
        wafermark__worker_to_coordinator__init(&envelope)
        envelope.protocol_version = protocolVersion
        envelope.run_id = arena.string(run.text)
        envelope.rank = UInt32(clamping: rank.index)
        envelope.epoch = UInt32(clamping: epoch)
        switch message {
        case .joinRequest(let token):
            var message = Wafermark__JoinRequest()
            wafermark__join_request__init(&message)
            message.token = arena.string(token)
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_JOIN_REQUEST
            envelope.join_request = arena.pointer(message)
        case .hello(let hello):
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HELLO
            envelope.hello = arena.pointer(hello.packed(in: arena))
        case .heartbeat(let heartbeat):
            var message = Wafermark__Heartbeat()
            wafermark__heartbeat__init(&message)
            message.step = UInt64(clamping: heartbeat.step.index)
            message.phase = Wafermark__Phase(rawValue: heartbeat.phase.rawValue)
            message.n_awaiting = heartbeat.awaiting.count
            message.awaiting = arena.numbers(heartbeat.awaiting.map { UInt32(clamping: $0.index) })
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HEARTBEAT
            envelope.heartbeat = arena.pointer(message)
        case .laneResults(let step, let lanes):
            var message = Wafermark__LaneResults()
            wafermark__lane_results__init(&message)
            message.step = UInt64(clamping: step.index)
            message.n_lanes = lanes.count
            message.lanes = arena.list(lanes.map(\.packed))
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_LANE_RESULTS
            envelope.lane_results = arena.pointer(message)
        case .halted(let stepsMade):
            var message = Wafermark__Halted()
            wafermark__halted__init(&message)
            message.steps_made = UInt64(clamping: stepsMade)
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HALTED
            envelope.halted = arena.pointer(message)
        case .disturbed(let reason):
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_DISTURBED
            envelope.disturbed = arena.string(reason)
        case .stepReport(let report):
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_STEP_REPORT
            envelope.step_report = arena.pointer(report.packed(in: arena))
        case .evaluationReport(let report):
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_EVALUATION_REPORT
            envelope.evaluation_report = arena.pointer(report.packed(in: arena))
        case .checkpointReport(let report):
            var message = Wafermark__CheckpointReport()
            wafermark__checkpoint_report__init(&message)
            message.steps_made = UInt64(clamping: report.stepsMade)
            message.path = arena.string(report.path)
            message.seconds = report.duration.seconds
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_CHECKPOINT_REPORT
            envelope.checkpoint_report = arena.pointer(message)
        case .failure(let failure):
            var message = Wafermark__WorkerFailure()
            wafermark__worker_failure__init(&message)
            message.step = UInt64(clamping: failure.step.index)
            message.phase = Wafermark__Phase(rawValue: failure.phase.rawValue)
            message.message = arena.string(failure.message)
            message.is_local = failure.isLocal ? 1 : 0
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_FAILURE
            envelope.failure = arena.pointer(message)
        case .finished(let finished):
            var message = Wafermark__WorkerFinished()
            wafermark__worker_finished__init(&message)
            message.steps = UInt64(clamping: finished.steps)
            message.weights_digest = arena.string(finished.weightsDigest)
            message.model_directory = arena.string(finished.modelDirectory ?? "")
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_FINISHED
            envelope.finished = arena.pointer(message)
        case .notice(let text):
            var message = Wafermark__WorkerNotice()
            wafermark__worker_notice__init(&message)
            message.message = arena.string(text)
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_NOTICE
            envelope.notice = arena.pointer(message)
        }
        return withExtendedLifetime(arena) {
            Wire.packed(
                envelope, size: { wafermark__worker_to_coordinator__get_packed_size($0) },
                pack: { wafermark__worker_to_coordinator__pack($0, $1) })
        }
    }
}

extension WorkerHello {
    fileprivate func packed(in arena: PackArena) -> Wafermark__WorkerHello {
        var message = Wafermark__WorkerHello()
        wafermark__worker_hello__init(&message)
        message.token = arena.string(token)
        message.process_id = processID
        message.data_endpoint = arena.string(dataEndpoint)
        message.state_endpoint = arena.string(stateEndpoint)
        message.instruction_set = arena.string(instructionSet)
        message.onednn_version = arena.string(oneDNNVersion)
        message.zeromq_version = arena.string(zeroMQVersion)
        message.wafermark_version = arena.string(wafermarkVersion)
        message.key = arena.bytes(key)
        return message
    }
}

extension StepReport {
    fileprivate func packed(in arena: PackArena) -> Wafermark__StepReport {
        var message = Wafermark__StepReport()
        wafermark__step_report__init(&message)
        message.step = UInt64(clamping: step.index)
        message.learning_rate = learningRate
        message.gradient_norm = gradientNorm
        message.input_seconds = timings.input.seconds
        message.compute_seconds = timings.compute.seconds
        message.exposed_communication_seconds = timings.exposedCommunication.seconds
        message.waiting_seconds = timings.waiting.seconds
        message.optimizer_seconds = timings.optimizer.seconds
        message.compute_start_seconds = starts.compute.seconds
        message.waiting_start_seconds = starts.waiting.seconds
        message.exposed_communication_start_seconds = starts.exposedCommunication.seconds
        message.commit_start_seconds = starts.commit.seconds
        message.optimizer_start_seconds = starts.optimizer.seconds
        message.started_nanoseconds = startedNanoseconds
        message.ended_nanoseconds = endedNanoseconds
        message.sent_bytes = UInt64(clamping: sent.count)
        message.uncompressed_bytes = UInt64(clamping: uncompressed.count)
        if let emulated { message.emulated = arena.pointer(emulated.packed) }
        return message
    }
}

extension EmulatedStepReport {
    fileprivate var packed: Wafermark__EmulatedStep {
        var message = Wafermark__EmulatedStep()
        wafermark__emulated_step__init(&message)
        message.dilation = dilation
        message.dilated_seconds = dilated.seconds
        message.compute_seconds = compute.seconds
        message.optimizer_seconds = optimizer.seconds
        message.lateness_seconds = lateness.seconds
        return message
    }
}

extension LaneReport {
    fileprivate var packed: Wafermark__LaneReport {
        var message = Wafermark__LaneReport()
        wafermark__lane_report__init(&message)
        message.lane = UInt32(clamping: lane)
        message.masked_loss_sum = maskedLossSum
        message.masked_count = UInt32(clamping: maskedCount)
        message.masked_correct = UInt32(clamping: maskedCorrect)
        message.next_sentence_loss_sum = nextSentenceLossSum
        message.next_sentence_correct = UInt32(clamping: nextSentenceCorrect)
        message.sequences = UInt32(clamping: sequences)
        message.tokens = UInt64(clamping: tokens)
        message.examples_checksum = examplesChecksum
        message.gradient_squared_norm = gradientSquaredNorm ?? 0
        message.counted_activations = UInt64(clamping: countedActivations)
        message.zero_activations = UInt64(clamping: zeroActivations)
        message.skipped_activations = UInt64(clamping: skippedActivations)
        return message
    }
}

extension EvaluationReport {
    fileprivate func packed(in arena: PackArena) -> Wafermark__EvaluationReport {
        var message = Wafermark__EvaluationReport()
        wafermark__evaluation_report__init(&message)
        message.steps_made = UInt64(clamping: stepsMade)
        message.n_chunks = chunks.count
        message.chunks = arena.list(
            chunks.map { chunk in
                var item = Wafermark__EvaluationChunkReport()
                wafermark__evaluation_chunk_report__init(&item)
                item.index = UInt32(clamping: chunk.index)
                item.masked_loss_sum = chunk.maskedLossSum
                item.masked_count = UInt32(clamping: chunk.maskedCount)
                item.masked_correct = UInt32(clamping: chunk.maskedCorrect)
                item.next_sentence_correct = UInt32(clamping: chunk.nextSentenceCorrect)
                item.sequences = UInt32(clamping: chunk.sequences)
                return item
            })
        message.ended_nanoseconds = endedNanoseconds
        return message
    }
}
