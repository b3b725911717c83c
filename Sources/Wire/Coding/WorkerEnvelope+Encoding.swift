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
        switch message {
        case .hello(let hello):
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HELLO
            envelope.hello = arena.pointer(hello.packed(in: arena))
        case .heartbeat(let heartbeat):
            var message = Wafermark__Heartbeat()
            wafermark__heartbeat__init(&message)
            message.epoch = UInt32(clamping: heartbeat.epoch)
            message.step = UInt64(clamping: heartbeat.step.index)
            message.phase = Wafermark__Phase(rawValue: heartbeat.phase.rawValue)
            envelope.kind_case = WAFERMARK__WORKER_TO_COORDINATOR__KIND_HEARTBEAT
            envelope.heartbeat = arena.pointer(message)
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
        message.instruction_set = arena.string(instructionSet)
        message.onednn_version = arena.string(oneDNNVersion)
        message.zeromq_version = arena.string(zeroMQVersion)
        message.wafermark_version = arena.string(wafermarkVersion)
        return message
    }
}

extension StepReport {
    fileprivate func packed(in arena: PackArena) -> Wafermark__StepReport {
        var message = Wafermark__StepReport()
        wafermark__step_report__init(&message)
        message.step = UInt64(clamping: step.index)
        message.epoch = UInt32(clamping: epoch)
        message.n_lanes = lanes.count
        message.lanes = arena.list(
            lanes.map { lane in
                var item = Wafermark__LaneReport()
                wafermark__lane_report__init(&item)
                item.lane = UInt32(clamping: lane.lane)
                item.masked_loss_sum = lane.maskedLossSum
                item.masked_count = UInt32(clamping: lane.maskedCount)
                item.masked_correct = UInt32(clamping: lane.maskedCorrect)
                item.next_sentence_loss_sum = lane.nextSentenceLossSum
                item.next_sentence_correct = UInt32(clamping: lane.nextSentenceCorrect)
                item.sequences = UInt32(clamping: lane.sequences)
                item.tokens = UInt64(clamping: lane.tokens)
                return item
            })
        message.learning_rate = learningRate
        message.gradient_norm = gradientNorm
        message.input_seconds = timings.input.seconds
        message.compute_seconds = timings.compute.seconds
        message.exposed_communication_seconds = timings.exposedCommunication.seconds
        message.waiting_seconds = timings.waiting.seconds
        message.optimizer_seconds = timings.optimizer.seconds
        message.started_nanoseconds = startedNanoseconds
        message.ended_nanoseconds = endedNanoseconds
        message.sent_bytes = UInt64(clamping: sent.count)
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
