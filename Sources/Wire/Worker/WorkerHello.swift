import CWire

/// A worker's introduction.
public struct WorkerHello: Hashable, Sendable {
    /// The run that it was started for.
    public var runID: String
    /// The secret that its launcher put into its environment: who can't name it was not started by the daemon.
    public var token: String
    /// The rank that its launcher gave it.
    public var rank: Int
    /// Its process id.
    public var processID: Int
    /// Where peers reach it.
    public var dataEndpoint: String
    /// The kernels that its processor chooses.
    public var instructionSet: String
    /// Versions of what it computes and talks with.
    public var oneDNNVersion: String
    public var zeroMQVersion: String
    public var wafermarkVersion: String

    /// An introduction of the given parts.
    public init(
        runID: String, token: String, rank: Int, processID: Int, dataEndpoint: String, instructionSet: String,
        oneDNNVersion: String, zeroMQVersion: String, wafermarkVersion: String
    ) {
        self.runID = runID
        self.token = token
        self.rank = rank
        self.processID = processID
        self.dataEndpoint = dataEndpoint
        self.instructionSet = instructionSet
        self.oneDNNVersion = oneDNNVersion
        self.zeroMQVersion = zeroMQVersion
        self.wafermarkVersion = wafermarkVersion
    }

    func place(in arena: PackingArena) -> UnsafeMutablePointer<Wafermark__Hello> {
        arena.make(wafermark__hello__init) { message in
            message.run_id = arena.text(runID)
            message.token = arena.text(token)
            message.rank = UInt32(clamping: rank)
            message.pid = UInt32(clamping: processID)
            message.data_endpoint = arena.text(dataEndpoint)
            message.instruction_set = arena.text(instructionSet)
            message.onednn_version = arena.text(oneDNNVersion)
            message.zeromq_version = arena.text(zeroMQVersion)
            message.wafermark_version = arena.text(wafermarkVersion)
        }
    }

    init(reading message: Wafermark__Hello) throws(WireError) {
        let checks = FieldChecks(message: "hello")
        runID = try checks.runID(message.run_id)
        token = try checks.text(message.token, "token", maximum: 256)
        rank = try checks.integer(message.rank, "rank", in: 0...(WireLimits.workers.upperBound - 1))
        processID = try checks.integer(message.pid, "pid", in: 1...Int(Int32.max))
        dataEndpoint = try checks.text(message.data_endpoint, "data_endpoint", maximum: 512)
        instructionSet = try checks.text(message.instruction_set, "instruction_set", maximum: 256)
        oneDNNVersion = try checks.text(message.onednn_version, "onednn_version", maximum: 256)
        zeroMQVersion = try checks.text(message.zeromq_version, "zeromq_version", maximum: 256)
        wafermarkVersion = try checks.text(message.wafermark_version, "wafermark_version", maximum: 256)
    }
}
