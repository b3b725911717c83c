import CWire

/// What a worker is doing.
public enum WorkerPhase: UInt32, Hashable, Sendable, CaseIterable {
    case starting = 1
    case loading = 2
    case forwardBackward = 3
    case exchanging = 4
    case waiting = 5
    case applying = 6
    case evaluating = 7
    case checkpointing = 8
    case idle = 9
}

/// A sign of life.
public struct Heartbeat: Hashable, Sendable {
    /// The run and the membership epoch that the worker believes in.
    public var runID: String
    public var epoch: Int
    /// The step that it is at.
    public var step: Int
    /// What it is doing.
    public var phase: WorkerPhase

    /// A sign of life of the given parts.
    public init(runID: String, epoch: Int, step: Int, phase: WorkerPhase) {
        self.runID = runID
        self.epoch = epoch
        self.step = step
        self.phase = phase
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Heartbeat> {
        arena.make(wafermark__heartbeat__init) { message in
            message.run_id = arena.text(runID)
            message.epoch = UInt32(clamping: epoch)
            message.step = UInt64(clamping: step)
            message.phase = Wafermark__WorkerPhase(rawValue: phase.rawValue)
        }
    }

    init(reading message: Wafermark__Heartbeat) throws(WireError) {
        let checks = FieldChecks(message: "heartbeat")
        runID = try checks.runID(message.run_id)
        epoch = try checks.integer(message.epoch, "epoch", in: WireLimits.epochs)
        step = try checks.integer(message.step, "step", in: WireLimits.steps)
        phase = try checks.choice(message.phase.rawValue, "phase")
    }
}
