import CWire
import Jobs

extension CoordinatorToWorker {
    /// The most bytes of a message of the coordinator: a job, and its workers.
    public static let byteLimit = 4 << 20

    /// The message's bytes, for a worker of `run`.
    public func encoded(for run: RunID) -> [UInt8] {
        let arena = PackArena()
        var envelope = Wafermark__CoordinatorToWorker()
        wafermark__coordinator_to_worker__init(&envelope)
        envelope.protocol_version = protocolVersion
        envelope.run_id = arena.string(run.text)
        switch self {
        case .assignment(let assignment):
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT
            envelope.assignment = arena.pointer(assignment.packed(in: arena))
        case .verdict(let verdict):
            var message = Wafermark__Verdict()
            wafermark__verdict__init(&message)
            message.steps_made = UInt64(clamping: verdict.stepsMade)
            message.finish = verdict.isFinish ? 1 : 0
            message.masked_accuracy = verdict.maskedAccuracy
            message.masked_loss = verdict.maskedLoss
            envelope.kind_case = WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT
            envelope.verdict = arena.pointer(message)
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

    /// The message and the run that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public static func decode(
        _ bytes: UnsafeRawBufferPointer
    ) throws(WireError) -> (run: RunID, message: CoordinatorToWorker) {
        try unpacking(
            "coordinator message", bytes, limit: byteLimit, unpack: wafermark__coordinator_to_worker__unpack,
            free: wafermark__coordinator_to_worker__free_unpacked, read: read)
    }

    /// The message and the run that `bytes` encode.
    ///
    /// - Throws: `WireError` where they encode none.
    public static func decode(_ bytes: [UInt8]) throws(WireError) -> (run: RunID, message: CoordinatorToWorker) {
        try bytes.withBytes(decode)
    }

    private static func read(
        _ envelope: Wafermark__CoordinatorToWorker
    ) throws(WireError) -> (run: RunID, message: CoordinatorToWorker) {
        let reader = FieldReader(message: "coordinator message")
        try reader.checkVersion(envelope.protocol_version)
        let run = try reader.run("run_id", envelope.run_id)
        switch envelope.kind_case {
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_ASSIGNMENT:
            return (run, .assignment(try Assignment(try reader.required("assignment", envelope.assignment))))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_VERDICT:
            let verdict = try reader.required("verdict", envelope.verdict)
            return (
                run,
                .verdict(
                    Verdict(
                        stepsMade: try reader.step("steps_made", verdict.steps_made).index,
                        isFinish: verdict.finish != 0,
                        maskedAccuracy: try reader.finite("masked_accuracy", verdict.masked_accuracy),
                        maskedLoss: try reader.finite("masked_loss", verdict.masked_loss)))
            )
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_STOP:
            let stop = try reader.required("stop", envelope.stop)
            return (run, .stop(reason: try reader.text("reason", stop.reason)))
        case WAFERMARK__COORDINATOR_TO_WORKER__KIND_REFUSED:
            return (run, .refused(reason: try reader.text("refused", envelope.refused)))
        default: throw reader.error("kind", "\(envelope.kind_case.rawValue)", "a message that the coordinator sends")
        }
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
        message.bucket_bytes = UInt64(clamping: bucket.count)
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
                    endpoint: try reader.text("endpoint", item.endpoint, limit: 256), lanes: first..<first + count))
        }
        let rank = try reader.integer("rank", message.rank, in: 0...4_095)
        guard peers.contains(where: { $0.rank.index == rank }) else {
            throw reader.error("rank", "\(rank)", "the rank of one of the \(peers.count) peers")
        }
        self.init(
            epoch: try reader.integer("epoch", message.epoch), rank: WorkerRank(rank), peers: peers,
            job: Array(UnsafeBufferPointer(start: message.job.data, count: message.job.len)),
            datasetDirectory: try reader.text("dataset_directory", message.dataset_directory),
            runDirectory: try reader.text("run_directory", message.run_directory),
            firstStep: try reader.step("first_step", message.first_step),
            threads: try reader.integer("threads", message.threads, in: 1...4_096), backend: backend,
            exchangeDeadline: try reader.seconds("exchange_deadline_seconds", message.exchange_deadline_seconds),
            algorithm: try reader.algorithm("algorithm", message.algorithm),
            bucket: Bytes(try reader.integer("bucket_bytes", message.bucket_bytes, in: 64...(1 << 40))))
    }
}
