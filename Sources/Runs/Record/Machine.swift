import Jobs

/// The machine and the libraries that a run's host times were measured with.
public struct Machine: Hashable, Sendable, Codable {
    /// The processor's model name.
    public var processor: String
    /// Cores that this process may use.
    public var cores: Int
    /// The widest vector instructions that the kernels use: `avx512f`, `avx2` or `default`.
    public var instructionSet: String
    /// Installed memory.
    public var memory: Bytes
    /// The kernel's name and release.
    public var operatingSystem: String
    /// Library versions.
    public var oneDNN: String
    /// ZeroMQ's version.
    public var zeroMQ: String
    /// This package's version.
    public var wafermark: String

    /// A machine of the given parts.
    public init(
        processor: String, cores: Int, instructionSet: String, memory: Bytes, operatingSystem: String, oneDNN: String,
        zeroMQ: String, wafermark: String
    ) {
        self.processor = processor
        self.cores = cores
        self.instructionSet = instructionSet
        self.memory = memory
        self.operatingSystem = operatingSystem
        self.oneDNN = oneDNN
        self.zeroMQ = zeroMQ
        self.wafermark = wafermark
    }
}
