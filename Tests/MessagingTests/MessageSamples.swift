import Jobs
import Wire

/// One message of every kind, with values at and near the ends of their ranges.
enum MessageSamples {
    static func run() throws -> RunID { try required(RunID("0123wxyz")) }

    static let requests: [ClientRequest] = {
        guard let run = RunID("0123wxyz"),
            let exchange = try? ExchangeSettings(
                algorithm: .ring, transport: .tcp, laneShares: .even, bucket: Bytes(65_536))
        else { return [] }
        return [
            .ping,
            .launch(
                LaunchRequest(
                    job: "seed: 1\n# Größe\n", backend: .cluster, workers: 4, hardware: "dgx1-v100-16g",
                    exchange: exchange,
                    terms: SubmissionTerms(priority: -100, after: [run, run], key: String(repeating: "k", count: 128)),
                    emulation: Array(#"{"dilation":20}"#.utf8))),
            .launch(
                LaunchRequest(job: String(repeating: "x", count: 1 << 20), backend: .wafer, workers: 1, hardware: nil)),
            .cancel(run),
            .delete(run),
            .resume(run, workers: nil),
            .resume(run, workers: 4_096),
            .document(.list), .document(.show("0123")), .document(.events("0123wxyz")), .work,
        ]
    }()

    static let replies: [ClientReply] = {
        guard let run = RunID("zzzzzzzz") else { return [] }
        return [
            .pong(processID: 1, state: "/var/lib/wafermark"), .launched(run), .done,
            .refused(reason: "the queue is full — try later"),
            .document(Array(#"{"runs":[]}"#.utf8)), .document([]),
            .work(WorkOrder(run: run, token: "a secret", rank: WorkerRank(4_095), transport: .tcp, port: 65_535)),
            .work(WorkOrder(run: run, token: "a secret", rank: nil, transport: .tcp, port: 1)),
        ]
    }()

    static let workerMessages: [WorkerToCoordinator] = [
        .hello(
            WorkerHello(
                token: "a secret", processID: 4711, dataEndpoint: "ipc:///tmp/w0", stateEndpoint: "ipc:///tmp/w0-state",
                instructionSet: "avx512f", oneDNNVersion: "2.6.0", zeroMQVersion: "4.3.4", wafermarkVersion: "0.1.0")),
        .hello(
            WorkerHello(
                token: "a secret", processID: 1, dataEndpoint: "tcp://10.0.0.1:1", stateEndpoint: "tcp://10.0.0.1:2",
                instructionSet: "avx2", oneDNNVersion: "2.6.0", zeroMQVersion: "4.3.4", wafermarkVersion: "0.1.0",
                key: Array(0..<32))),
        .joinRequest(token: "a secret"),
        .notice("worker 1 can't read the memory of worker 0"),
        .heartbeat(Heartbeat(step: StepNumber(0), phase: .starting)),
        .heartbeat(Heartbeat(step: StepNumber(1 << 30), phase: .halted, awaiting: [WorkerRank(0), WorkerRank(4_095)])),
        .laneResults(
            step: StepNumber(12),
            (0..<3).map { lane in
                LaneReport(
                    lane: lane, maskedLossSum: 123.456 + Double(lane), maskedCount: 19, maskedCorrect: lane,
                    nextSentenceLossSum: 0.1 + 0.2, nextSentenceCorrect: 1, sequences: 2, tokens: 255,
                    examplesChecksum: .max - UInt64(lane), gradientSquaredNorm: lane == 0 ? nil : 1e-9 * Double(lane),
                    countedActivations: 1 << 50, zeroActivations: lane << 40,
                    skippedActivations: lane)
            }),
        .laneResults(step: StepNumber(0), []),
        .halted(stepsMade: 17),
        .disturbed(reason: "weights and optimizer state were not passed on: worker 1 sent nothing for 10 s"),
        .stepReport(
            StepReport(
                step: StepNumber(12), learningRate: 1e-4, gradientNorm: .greatestFiniteMagnitude,
                timings: StepReport.Timings(
                    input: HostSeconds(0), compute: HostSeconds(0.25), exposedCommunication: HostSeconds(1e-9),
                    waiting: HostSeconds(0.5), optimizer: HostSeconds(0.125)),
                starts: PartStarts(
                    compute: HostSeconds(0.25), waiting: HostSeconds(0.5), exposedCommunication: HostSeconds(0.75),
                    commit: HostSeconds(0.75), optimizer: HostSeconds(1e9)),
                startedNanoseconds: 1, endedNanoseconds: .max, sent: Bytes(1 << 40),
                uncompressed: Bytes(1 << 41),
                emulated: EmulatedStepReport(
                    dilation: 20, dilated: HostSeconds(4), compute: HostSeconds(0.5), optimizer: HostSeconds(0.25),
                    lateness: HostSeconds(1e-6)))),
        .stepReport(
            StepReport(
                step: StepNumber(0), learningRate: 0, gradientNorm: 0,
                timings: StepReport.Timings(
                    input: .zero, compute: .zero, exposedCommunication: .zero, waiting: .zero, optimizer: .zero),
                startedNanoseconds: 0, endedNanoseconds: 0, sent: Bytes(0))),
        .evaluationReport(
            EvaluationReport(
                stepsMade: 50,
                chunks: [
                    EvaluationReport.Chunk(
                        index: 7, maskedLossSum: 77.7, maskedCount: 20, maskedCorrect: 9, nextSentenceCorrect: 2,
                        sequences: 4)
                ], endedNanoseconds: 99)),
        .checkpointReport(CheckpointReport(stepsMade: 100, path: "/runs/x/step-100", duration: HostSeconds(0.75))),
        .failure(WorkerFailure(step: StepNumber(3), phase: .exchanging, message: "worker 1 sent\nnothing 🙁")),
        .failure(WorkerFailure(step: StepNumber(3), phase: .exchanging, message: "", isLocal: true)),
        .finished(
            WorkerFinished(
                steps: 300, weightsDigest: String(repeating: "0f", count: 32), modelDirectory: "/runs/x/model")),
        .finished(WorkerFinished(steps: 300, weightsDigest: String(repeating: "0f", count: 32), modelDirectory: nil)),
    ]

    static let coordinatorMessages: [CoordinatorToWorker] = [
        .assignment(
            Assignment(
                epoch: 3, rank: WorkerRank(1),
                peers: [
                    Assignment.Peer(rank: WorkerRank(0), endpoint: "ipc:///tmp/w0", lanes: 0..<3),
                    Assignment.Peer(rank: WorkerRank(1), endpoint: "tcp://[::1]:4000", lanes: 3..<5),
                ],
                job: Array(#"{"seed":1}"#.utf8), datasetDirectory: "/cache/ab", runDirectory: "/runs/x",
                firstStep: StepNumber(17), threads: 2, backend: .cluster, exchangeDeadline: HostSeconds(10),
                algorithm: .tree, transport: .sharedMemory, bucket: Bytes.mebibytes(4))),
        .assignment(
            Assignment(
                epoch: 4, rank: WorkerRank(5),
                peers: [
                    Assignment.Peer(
                        rank: WorkerRank(5), endpoint: "ipc:///tmp/w5", lanes: 0..<8,
                        stateEndpoint: "ipc:///tmp/w5-state", key: Array(repeating: 0xFF, count: 32))
                ],
                job: [], datasetDirectory: "/cache/ab", runDirectory: "/runs/x", firstStep: StepNumber(18), threads: 2,
                backend: .cluster, exchangeDeadline: HostSeconds(10), algorithm: .star, transport: .tcp,
                bucket: Bytes.mebibytes(4),
                checkpoint: "/runs/x/checkpoints/step-00000018", stateReceivers: [WorkerRank(5), WorkerRank(9)],
                stateSource: WorkerRank(3), target: Array("{}".utf8),
                verdict: Verdict(stepsMade: 18, isFinish: false, maskedAccuracy: 0.5, maskedLoss: 2), reconnects: true,
                device: Array(#"{"jitter":0}"#.utf8))),
        .commit(step: StepNumber(1 << 30), halts: true), .commit(step: StepNumber(0), halts: false),
        .recorded(stepsMade: 40), .halt, .save, .alive, .fenced(reason: "worker 2 was silent for 11 s"),
        .admitted(WorkerRank(4_095), .tcp),
        .verdict(Verdict(stepsMade: 100, isFinish: false, maskedAccuracy: 0.25, maskedLoss: 4.5)),
        .verdict(
            Verdict(
                stepsMade: 300, isFinish: true, maskedAccuracy: 0.25, maskedLoss: 4.5, endedNanoseconds: 1 << 60)),
        .stop(reason: "cancelled by the user"),
        .refused(reason: "epoch 1 is over"),
    ]

    static let headers: [ExchangeHeader] = {
        guard let run = RunID("0123wxyz") else { return [] }
        return [
            ExchangeHeader(
                run: run, epoch: 0, step: StepNumber(0), bucket: 0, sender: WorkerRank(0),
                elements: 0..<16, lanes: 0..<1),
            ExchangeHeader(
                run: run, epoch: 7, step: StepNumber(1 << 30), bucket: 80, sender: WorkerRank(4_095),
                elements: 335_544_320..<336_000_000, lanes: 4..<8),
            ExchangeHeader(
                run: run, epoch: 7, step: StepNumber(5), bucket: 1, sender: WorkerRank(2),
                elements: 16..<48, lanes: 0..<8, instant: MonotonicInstant(nanoseconds: .max)),
        ]
    }()

    static let loans: [LoanMessage] =
        headers.map { header in
            .lent(
                header, number: .max,
                MemoryPlace(
                    processID: .max, descriptor: 0, nonce: .max - 1, memory: Bytes(1 << 40), firstByte: 1 << 30))
        }
        + headers.map { header in
            .returned(
                LoansReturned(
                    run: header.run, epoch: header.epoch, sender: header.sender, read: [0, 1, .max], unreadable: [2],
                    reason: "no such file"))
        }

    /// Every sample's bytes, with the decoder that takes them.
    static func encoded() throws -> [(name: String, bytes: [UInt8], decode: ([UInt8]) throws -> Void)] {
        let run = try run()
        return requests.map { ("request", $0.encoded(), { _ = try decodeRequest($0) }) }
            + replies.map { ("reply", $0.encoded(), { _ = try decodeReply($0) }) }
            + workerMessages.map {
                (
                    "worker message", WorkerEnvelope(run: run, rank: WorkerRank(1), epoch: 1, message: $0).encoded(),
                    { _ = try decodeWorkerEnvelope($0) }
                )
            }
            + coordinatorMessages.map {
                ("coordinator message", $0.encoded(for: run, epoch: 1), { _ = try decodeCoordinatorMessage($0) })
            }
            + headers.map { ("header", $0.encoded(), { _ = try decodeHeader($0) }) }
            + loans.map { ("loan", $0.encoded(), { _ = try LoanMessage(decoding: $0) }) }
    }
}

func decodeRequest(_ bytes: [UInt8]) throws -> ClientRequest {
    try bytes.withUnsafeBytes { try ClientRequest(decoding: $0) }
}

func decodeReply(_ bytes: [UInt8]) throws -> ClientReply {
    try bytes.withUnsafeBytes { try ClientReply(decoding: $0) }
}

func decodeWorkerEnvelope(_ bytes: [UInt8]) throws -> WorkerEnvelope {
    try bytes.withUnsafeBytes { try WorkerEnvelope(decoding: $0) }
}

func decodeCoordinatorMessage(_ bytes: [UInt8]) throws -> CoordinatorToWorker.Decoded {
    try bytes.withUnsafeBytes { try CoordinatorToWorker.decode($0) }
}

func decodeHeader(_ bytes: [UInt8]) throws -> ExchangeHeader {
    try bytes.withUnsafeBytes { try ExchangeHeader(decoding: $0) }
}

/// A sample that could not be made.
struct NoSample: Error {}

func required<Value>(_ value: Value?) throws -> Value {
    guard let value else { throw NoSample() }
    return value
}
