import CWire

/// A checkpoint that a worker wrote whole.
public struct CheckpointReport: Hashable, Sendable {
    /// Steps made when it was taken.
    public var step: Int
    /// Where it lies.
    public var path: String
    /// Host seconds that writing took.
    public var seconds: Double

    /// A report of the given parts.
    public init(step: Int, path: String, seconds: Double) {
        self.step = step
        self.path = path
        self.seconds = seconds
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__CheckpointReport> {
        arena.make(wafermark__checkpoint_report__init) { message in
            message.step = UInt64(clamping: step)
            message.path = arena.text(path)
            message.seconds = seconds
        }
    }

    init(reading message: Wafermark__CheckpointReport) throws(WireError) {
        let checks = FieldChecks(message: "checkpoint report")
        step = try checks.integer(message.step, "step", in: WireLimits.steps)
        path = try checks.text(message.path, "path")
        seconds = try checks.finite(message.seconds, "seconds", in: WireLimits.seconds)
    }
}

/// Why a worker can't go on.
public struct WorkerFailure: Hashable, Sendable {
    /// The step that it was at, and its rank.
    public var step: Int
    public var rank: Int
    /// What it was doing.
    public var phase: WorkerPhase
    /// The error's text; cut to `WireLimits.messageBytes` on sending.
    public var message: String

    /// A failure of the given parts.
    public init(step: Int, rank: Int, phase: WorkerPhase, message: String) {
        self.step = step
        self.rank = rank
        self.phase = phase
        self.message = message
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__WorkerFailure> {
        arena.make(wafermark__worker_failure__init) { failure in
            failure.step = UInt64(clamping: step)
            failure.rank = UInt32(clamping: rank)
            failure.phase = Wafermark__WorkerPhase(rawValue: phase.rawValue)
            failure.message = arena.text(message.cut(toBytes: WireLimits.messageBytes))
        }
    }

    init(reading failure: Wafermark__WorkerFailure) throws(WireError) {
        let checks = FieldChecks(message: "worker failure")
        step = try checks.integer(failure.step, "step", in: WireLimits.steps)
        rank = try checks.integer(failure.rank, "rank", in: 0...(WireLimits.workers.upperBound - 1))
        phase = try checks.choice(failure.phase.rawValue, "phase")
        message = try checks.text(failure.message, "message", maximum: WireLimits.messageBytes, orEmpty: true)
    }
}

/// Training is over on a worker.
public struct WorkerFinished: Hashable, Sendable {
    /// Steps made.
    public var steps: Int
    /// SHA-256 over names, shapes and values of all tensors, 64 hex digits in lower case.
    public var weightsDigest: String
    /// The exported model's folder; nil where this worker wrote none.
    public var modelDirectory: String?

    /// An end of the given parts.
    public init(steps: Int, weightsDigest: String, modelDirectory: String? = nil) {
        self.steps = steps
        self.weightsDigest = weightsDigest
        self.modelDirectory = modelDirectory
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Finished> {
        arena.make(wafermark__finished__init) { message in
            message.steps = UInt64(clamping: steps)
            message.weights_digest = arena.text(weightsDigest)
            message.model_directory = arena.text(modelDirectory ?? "")
        }
    }

    init(reading message: Wafermark__Finished) throws(WireError) {
        let checks = FieldChecks(message: "finished")
        steps = try checks.integer(message.steps, "steps", in: WireLimits.steps)
        weightsDigest = try checks.text(message.weights_digest, "weights_digest", maximum: 64)
        let digits = weightsDigest.utf8.allSatisfy {
            (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains($0)
        }
        guard digits, weightsDigest.utf8.count == 64 else {
            throw .invalid(
                message: "finished", field: "weights_digest", found: "'\(weightsDigest)'",
                allowed: "64 hex digits in lower case")
        }
        modelDirectory = try checks.optionalText(message.model_directory, "model_directory")
    }
}
