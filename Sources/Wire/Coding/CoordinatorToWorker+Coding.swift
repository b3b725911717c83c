import CWire
import Jobs

extension CoordinatorToWorker {
    /// The most bytes of a message of the coordinator: a job, and its workers.
    public static let byteLimit = 4 << 20

    /// The message's bytes, for a worker of `run` in the membership `epoch`.
    public func encoded(for run: RunID, epoch: Int) -> [UInt8] {
        let arena = PackArena()
        var envelope = Wafermark__CoordinatorToWorker()
        wafermark__coordinator_to_worker__init(&envelope)
        envelope.protocol_version = protocolVersion
        envelope.run_id = arena.string(run.text)
        envelope.epoch = UInt32(clamping: epoch)
        switch self {
        case .assignment(let assignment):
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT
            envelope.assignment = arena.pointer(assignment.packed(in: arena))
        case .commit(let step, let halts):
            var message = Wafermark__Commit()
            wafermark__commit__init(&message)
            message.step = UInt64(clamping: step.index)
            message.halts = halts ? 1 : 0
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_COMMIT
            envelope.commit = arena.pointer(message)
        case .verdict(let verdict):
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT
            envelope.verdict = arena.pointer(verdict.packed)
        case .recorded(let stepsMade):
            var message = Wafermark__Recorded()
            wafermark__recorded__init(&message)
            message.steps_made = UInt64(clamping: stepsMade)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_RECORDED
            envelope.recorded = arena.pointer(message)
        case .halt:
            var message = Wafermark__Halt()
            wafermark__halt__init(&message)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_HALT
            envelope.halt = arena.pointer(message)
        case .save:
            var message = Wafermark__Save()
            wafermark__save__init(&message)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_SAVE
            envelope.save = arena.pointer(message)
        case .alive:
            var message = Wafermark__Alive()
            wafermark__alive__init(&message)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_ALIVE
            envelope.alive = arena.pointer(message)
        case .admitted(let rank, let transport):
            var message = Wafermark__Admitted()
            wafermark__admitted__init(&message)
            message.rank = UInt32(clamping: rank.index)
            message.transport = arena.string(transport.rawValue)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_ADMITTED
            envelope.admitted = arena.pointer(message)
        case .fenced(let reason):
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_FENCED
            envelope.fenced = arena.string(reason)
        case .stop(let reason):
            var message = Wafermark__StopOrder()
            wafermark__stop_order__init(&message)
            message.reason = arena.string(reason)
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_STOP
            envelope.stop = arena.pointer(message)
        case .refused(let reason):
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_REFUSED
            envelope.refused = arena.string(reason)
        }
        return withExtendedLifetime(arena) {
            Wire.packed(
                envelope, size: { wafermark__coordinator_to_worker__get_packed_size($0) },
                pack: { wafermark__coordinator_to_worker__pack($0, $1) })
        }
    }

    /// The message that `bytes` encode, the run, and the membership that is spoken of.
    ///
    /// - Throws: `WireError` where they encode none.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(WireError) -> Decoded {
        try unpacking(
            "coordinator message", bytes, limit: byteLimit, unpack: wafermark__coordinator_to_worker__unpack,
            free: wafermark__coordinator_to_worker__free_unpacked, read: read)
    }

    /// What `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode no such message.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> Decoded {
        try bytes.withBytes(decode)
    }

    /// A message, and whom it concerns.
    public typealias Decoded = (run: RunID, epoch: Int, message: CoordinatorToWorker)

    private static func read(_ envelope: Wafermark__CoordinatorToWorker) throws(WireError) -> Decoded {
        let reader = FieldReader(message: "coordinator message")
        try reader.checkVersion(envelope.protocol_version)
        return (
            try reader.run("run_id", envelope.run_id), try reader.integer("epoch", envelope.epoch),
            try message(of: envelope, reader)
        )
    }

    private static func message(
        of envelope: Wafermark__CoordinatorToWorker, _ reader: FieldReader
    ) throws(WireError) -> CoordinatorToWorker {
        switch envelope.kind_case {
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT:
            return .assignment(try Assignment(try reader.required("assignment", envelope.assignment)))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_COMMIT:
            let commit = try reader.required("commit", envelope.commit)
            return .commit(step: try reader.step("step", commit.step), halts: commit.halts != 0)
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT:
            return .verdict(try Verdict(try reader.required("verdict", envelope.verdict), reader))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_RECORDED:
            let recorded = try reader.required("recorded", envelope.recorded)
            return .recorded(stepsMade: try reader.step("steps_made", recorded.steps_made).index)
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_HALT: return .halt
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_SAVE: return .save
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_ALIVE: return .alive
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_STOP:
            let stop = try reader.required("stop", envelope.stop)
            return .stop(reason: try reader.text("reason", stop.reason))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_REFUSED:
            return .refused(reason: try reader.text("refused", envelope.refused))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_FENCED:
            return .fenced(reason: try reader.text("fenced", envelope.fenced))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_ADMITTED:
            let admitted = try reader.required("admitted", envelope.admitted)
            return .admitted(
                WorkerRank(try reader.integer("rank", admitted.rank, in: 0...4_095)),
                try reader.choice("transport", admitted.transport))
        default: throw reader.error("kind", "\(envelope.kind_case.rawValue)", "a message that the coordinator sends")
        }
    }
}

extension Verdict {
    fileprivate var packed: Wafermark__Verdict {
        var message = Wafermark__Verdict()
        wafermark__verdict__init(&message)
        message.steps_made = UInt64(clamping: stepsMade)
        message.finish = isFinish ? 1 : 0
        message.masked_accuracy = maskedAccuracy
        message.masked_loss = maskedLoss
        message.ended_nanoseconds = endedNanoseconds
        return message
    }

    fileprivate init(_ message: Wafermark__Verdict, _ reader: FieldReader) throws(WireError) {
        self.init(
            stepsMade: try reader.step("steps_made", message.steps_made).index, isFinish: message.finish != 0,
            maskedAccuracy: try reader.finite("masked_accuracy", message.masked_accuracy),
            maskedLoss: try reader.finite("masked_loss", message.masked_loss),
            endedNanoseconds: message.ended_nanoseconds)
    }
}

extension Assignment {
    fileprivate func packed(in arena: PackArena) -> Wafermark__Assignment {
        var message = Wafermark__Assignment()
        wafermark__assignment__init(&message)
        message.epoch = UInt32(clamping: epoch)
        message.rank = UInt32(clamping: rank.index)
        message.n_peers = peers.count
        message.peers = arena.list(
            peers.map { peer in
                var item = Wafermark__Peer()
                wafermark__peer__init(&item)
                item.rank = UInt32(clamping: peer.rank.index)
                item.endpoint = arena.string(peer.endpoint)
                item.first_lane = UInt32(clamping: peer.lanes.lowerBound)
                item.lane_count = UInt32(clamping: peer.lanes.count)
                item.state_endpoint = arena.string(peer.stateEndpoint)
                item.key = arena.bytes(peer.key)
                return item
            })
        message.job = arena.bytes(job)
        message.dataset_directory = arena.string(datasetDirectory)
        message.run_directory = arena.string(runDirectory)
        message.first_step = UInt64(clamping: firstStep.index)
        message.threads = UInt32(clamping: threads)
        message.backend = arena.string(backend.rawValue)
        message.exchange_deadline_seconds = exchangeDeadline.seconds
        message.algorithm = arena.string(algorithm.rawValue)
        message.transport = arena.string(transport.rawValue)
        message.bucket_bytes = UInt64(clamping: bucket.count)
        message.checkpoint = arena.string(checkpoint ?? "")
        message.n_state_receivers = stateReceivers.count
        message.state_receivers = arena.numbers(stateReceivers.map { UInt32(clamping: $0.index) })
        message.state_source = UInt32(clamping: stateSource.index)
        message.target = arena.bytes(target)
        if let verdict { message.verdict = arena.pointer(verdict.packed) }
        message.reconnects = reconnects ? 1 : 0
        message.device = arena.bytes(device)
        return message
    }

    fileprivate init(_ message: Wafermark__Assignment) throws(WireError) {
        let reader = FieldReader(message: "assignment")
        let name = try reader.text("backend", message.backend, limit: 64)
        guard let backend = Backend(rawValue: name) else {
            throw reader.error("backend", "'\(name)'", "cluster or wafer")
        }
        let items = try reader.list("peers", message.n_peers, message.peers, limit: 4_096)
        var peers: [Peer] = []
        for item in items {
            let first = try reader.integer("first_lane", item.first_lane, in: 0...65_535)
            let count = try reader.integer("lane_count", item.lane_count, in: 1...65_536)
            peers.append(
                Peer(
                    rank: WorkerRank(try reader.integer("rank", item.rank, in: 0...4_095)),
                    endpoint: try reader.text("endpoint", item.endpoint, limit: 256), lanes: first..<first + count,
                    stateEndpoint: try reader.text("state_endpoint", item.state_endpoint, limit: 256),
                    key: try reader.key("key", item.key)))
        }
        let rank = try reader.integer("rank", message.rank, in: 0...4_095)
        guard peers.contains(where: { $0.rank.index == rank }) else {
            throw reader.error("rank", "\(rank)", "the rank of one of the \(peers.count) peers")
        }
        let checkpoint = try reader.text("checkpoint", message.checkpoint)
        self.init(
            epoch: try reader.integer("epoch", message.epoch), rank: WorkerRank(rank), peers: peers,
            job: Array(UnsafeBufferPointer(start: message.job.data, count: message.job.len)),
            datasetDirectory: try reader.text("dataset_directory", message.dataset_directory),
            runDirectory: try reader.text("run_directory", message.run_directory),
            firstStep: try reader.step("first_step", message.first_step),
            threads: try reader.integer("threads", message.threads, in: 1...4_096), backend: backend,
            exchangeDeadline: try reader.seconds("exchange_deadline_seconds", message.exchange_deadline_seconds),
            algorithm: try reader.choice("algorithm", message.algorithm),
            transport: try reader.choice("transport", message.transport),
            bucket: Bytes(try reader.integer("bucket_bytes", message.bucket_bytes, in: ExchangeSettings.bucketRange)),
            checkpoint: checkpoint.isEmpty ? nil : checkpoint,
            stateReceivers: try reader.ranks("state_receivers", message.n_state_receivers, message.state_receivers),
            stateSource: WorkerRank(try reader.integer("state_source", message.state_source, in: 0...4_095)),
            target: Array(UnsafeBufferPointer(start: message.target.data, count: message.target.len)),
            verdict: try message.verdict.map { (verdict) throws(WireError) in try Verdict(verdict.pointee, reader) },
            reconnects: message.reconnects != 0, device: message.device.array)
    }
}
