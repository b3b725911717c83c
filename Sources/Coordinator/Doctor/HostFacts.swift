import Jobs

/// What a machine shows of itself, gathered by `HostProbe` and judged by `Doctor`.
public struct HostFacts: Hashable, Sendable {
    /// A library's version, as the library itself says it.
    public struct Version: Hashable, Sendable, Comparable, CustomStringConvertible {
        /// The parts, most significant first.
        public var parts: [Int]

        /// A version of the given parts.
        public init(_ parts: Int...) { self.parts = parts }

        /// The version that `text` starts with, such as `2.7.2` of `2.7.2 (commit 1b9a…)`; nil where there is none.
        public init?(_ text: String) {
            let parts = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }.split(separator: ".").map { Int($0) }
            guard !parts.isEmpty, !parts.contains(nil) else { return nil }
            self.parts = parts.compactMap { $0 }
        }

        public var description: String { parts.map(String.init).joined(separator: ".") }
        public static func < (left: Self, right: Self) -> Bool { left.parts.lexicographicallyPrecedes(right.parts) }
    }

    /// What is known of the state directory.
    public struct State: Hashable, Sendable {
        /// Its absolute path.
        public var path: String
        /// Why it can't be written, or nil where it can.
        public var problem: String?
        /// The longest socket path that a daemon there would make, in bytes.
        public var longestSocketPath: Int
        /// Free bytes of its file system, for this user; nil where unknown.
        public var free: Bytes?
        /// The daemon that holds it, if one runs.
        public var daemon: Int32?

        /// What is known of the directory.
        public init(path: String, problem: String?, longestSocketPath: Int, free: Bytes?, daemon: Int32?) {
            self.path = path
            self.problem = problem
            self.longestSocketPath = longestSocketPath
            self.free = free
            self.daemon = daemon
        }
    }

    /// The operating system's name and release.
    public var operatingSystem: String
    /// The processor's model name.
    public var processor: String
    /// Cores that this process may use, and cores' worth of time that its control group grants (nil for no limit).
    public var cores: Int
    public var coreQuota: Double?
    /// The widest vector instructions that the fused kernels use here: `avx512f`, `avx2` or `default`.
    public var instructionSet: String
    /// Installed memory, and what its control group grants (nil for no limit).
    public var memory: Bytes
    public var memoryLimit: Bytes?
    /// Library versions; nil where the library did not say.
    public var oneDNN: Version?
    public var zeroMQ: Version?
    public var protobufC: Version?
    /// Free bytes of `/dev/shm`; nil where there is none that can be written.
    public var sharedMemory: Bytes?
    /// The soft limit of open files.
    public var openFiles: Int
    /// Why no TCP port of the loopback interface can be had; nil where one can.
    public var portProblem: String?
    /// The state directory.
    public var state: State

    /// Facts of the given parts.
    public init(
        operatingSystem: String, processor: String, cores: Int, coreQuota: Double?, instructionSet: String,
        memory: Bytes, memoryLimit: Bytes?, oneDNN: Version?, zeroMQ: Version?, protobufC: Version?,
        sharedMemory: Bytes?, openFiles: Int, portProblem: String?, state: State
    ) {
        self.operatingSystem = operatingSystem
        self.processor = processor
        self.cores = cores
        self.coreQuota = coreQuota
        self.instructionSet = instructionSet
        self.memory = memory
        self.memoryLimit = memoryLimit
        self.oneDNN = oneDNN
        self.zeroMQ = zeroMQ
        self.protobufC = protobufC
        self.sharedMemory = sharedMemory
        self.openFiles = openFiles
        self.portProblem = portProblem
        self.state = state
    }
}
