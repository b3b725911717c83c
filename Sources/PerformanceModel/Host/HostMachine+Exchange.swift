import Jobs

extension HostMachine {
    /// What exchanging gradients between two workers costs by one transport, besides summing them.
    public struct Link: Hashable, Sendable, Codable {
        /// From the last number of a small gradient to its sum: threads woken, a message each way, in microseconds.
        public var latencyMicroseconds: Double
        /// What a message costs the processes at its two ends together, in microseconds of a core.
        public var messageMicroseconds: Double
        /// What it costs the threads of both ends together, and the kernel for them, to carry an element from one worker to
        /// the other, in nanoseconds of a core; 0 where nothing is carried.
        public var carryNanosecondsPerElement: Double

        /// A link of the given parts.
        public init(latencyMicroseconds: Double, messageMicroseconds: Double, carryNanosecondsPerElement: Double) {
            self.latencyMicroseconds = latencyMicroseconds
            self.messageMicroseconds = messageMicroseconds
            self.carryNanosecondsPerElement = carryNanosecondsPerElement
        }
    }

    /// The links by transport.
    public struct Links: Hashable, Sendable, Codable {
        /// Gradients that peers read where they are.
        public var sharedMemory: Link
        /// Unix sockets.
        public var ipc: Link
        /// TCP over the loopback interface.
        public var tcp: Link

        /// Links of the given parts.
        public init(sharedMemory: Link, ipc: Link, tcp: Link) {
            self.sharedMemory = sharedMemory
            self.ipc = ipc
            self.tcp = tcp
        }

        enum CodingKeys: String, CodingKey {
            case sharedMemory = "shm"
            case ipc, tcp
        }

        /// The link of `transport`.
        public subscript(transport: Transport) -> Link {
            switch transport {
            case .sharedMemory: sharedMemory
            case .ipc: ipc
            case .tcp: tcp
            }
        }
    }

    /// What all processes together carry between each other by `transport`, every core at it: reading each other's memory,
    /// or both ends of sockets.
    public func linkBytesPerSecond(by transport: Transport) -> Double {
        let bytes = Double(MemoryLayout<Float>.stride)
        let carrying = links[transport].carryNanosecondsPerElement
        return carrying > 0
            ? bytes / carrying * Double(cores) * 1e9 : bytes / streams.peerCopy * Double(cores) * 1e9
    }

    /// What goes through memory, in nanoseconds an element on each thread, with every core at it.
    public struct Streams: Hashable, Sendable, Codable {
        /// Writing the sum of a worker's own and a peer's gradient, both in memory that processes share.
        public var peerSum: Double
        /// Copying a gradient out of a peer's memory, likewise.
        public var peerCopy: Double

        /// Streams of the given parts.
        public init(peerSum: Double, peerCopy: Double) {
            self.peerSum = peerSum
            self.peerCopy = peerCopy
        }

        /// Reading an element of a sum's parts: a sum of two reads one more than a copy does.
        var read: Double { max(0, min(peerCopy, peerSum - peerCopy)) }
        /// Writing an element of a sum.
        var write: Double { peerCopy - read }
    }
}

extension HostMachine.Streams: KeyedFigures {
    static let zero = Self(peerSum: 0, peerCopy: 0)
    static let allowed = 1e-9...1e9
    static var keys: [(String, WritableKeyPath<Self, Double>)] {
        [
            ("peer_sum_nanoseconds_per_element", \.peerSum), ("peer_copy_nanoseconds_per_element", \.peerCopy),
        ]
    }
}

extension HostMachine.Link {
    /// Processors' time of rounds of `direct` between two workers, all threads of both together: of a gradient of one page;
    /// of one of some size in buckets of the usual size, and in small ones; of a large one in buckets of the usual size.
    public struct ProcessorSeconds: Hashable, Sendable {
        public var page: Double
        public var usual: Double
        public var small: Double
        public var large: Double

        /// The given times.
        public init(page: Double, usual: Double, small: Double, large: Double) {
            self.page = page
            self.usual = usual
            self.small = small
            self.large = large
        }
    }

    /// What rounds of `direct` between two workers tell: everybody sends its own gradient to the other, and sums both,
    /// bucket by bucket. By processors' time, because beside a backward pass nobody waits for an exchange, but computing
    /// and exchanging share the cores.
    ///
    /// - Parameters:
    ///   - latency: seconds from begin to end of a round of one page.
    ///   - sizes: those of the gradients of some size, and of large ones.
    ///   - smallBucket: what a small bucket holds.
    ///   - streams: what summing costs, which is no part of the link.
    public init(
        latency: Double, processor: ProcessorSeconds, sizes: (some: Bytes, many: Bytes), smallBucket: Bytes,
        streams: HostMachine.Streams
    ) {
        let usualBucket = ExchangeSettings.usualBucket
        func buckets(_ size: Bytes, _ bucket: Bytes) -> Double {
            Double((size.count + bucket.count - 1) / bucket.count)
        }
        // Each worker sends one message for a bucket.
        let more = 2 * (buckets(sizes.some, smallBucket) - buckets(sizes.some, usualBucket))
        let message = max(0, processor.small - processor.usual) / more
        let elements = 2 * Double(sizes.many.count / MemoryLayout<Float>.stride)
        let known =
            processor.page + 2 * buckets(sizes.many, usualBucket) * message
            + elements * (2 * streams.read + streams.write) * 1e-9
        self.init(
            latencyMicroseconds: latency * 1e6, messageMicroseconds: message * 1e6,
            carryNanosecondsPerElement: max(0, processor.large - known) / elements * 1e9)
    }
}

extension HostMachine.Link: KeyedFigures {
    static let zero = Self(latencyMicroseconds: 0, messageMicroseconds: 0, carryNanosecondsPerElement: 0)
    static let allowed = 0...1e9
    static var keys: [(String, WritableKeyPath<Self, Double>)] {
        [
            ("latency_microseconds", \.latencyMicroseconds), ("message_microseconds", \.messageMicroseconds),
            ("carry_nanoseconds_per_element", \.carryNanosecondsPerElement),
        ]
    }

    /// All of them in one line.
    var line: String { "{ " + lines.joined(separator: ", ") + " }" }
}

extension HostMachine.Links {
    init(reading entry: CheckedMapping) throws(PerformanceModelError) {
        try entry.allow(Transport.allCases.map(\.rawValue))
        func link(_ transport: Transport) throws(PerformanceModelError) -> HostMachine.Link {
            try HostMachine.Link(reading: entry.mapping(transport.rawValue))
        }
        self.init(sharedMemory: try link(.sharedMemory), ipc: try link(.ipc), tcp: try link(.tcp))
    }

    var lines: [String] { Transport.allCases.map { "\($0.rawValue): \(self[$0].line)" } }
}
