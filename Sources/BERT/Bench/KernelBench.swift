import Glibc
import Kernels
import Synchronization

/// Measures forward and backward passes on random tokens, kernel by kernel: what a step's compute time consists of.
public enum KernelBench {
    /// What is measured.
    public struct Settings: Hashable, Sendable {
        /// The model.
        public var configuration: BERTConfiguration
        /// Sequences of each thread's lane, all of them full.
        public var sequences: Int
        /// Tokens of a sequence, and how many of them are masked.
        public var sequenceLength: Int
        /// Masked tokens of a sequence.
        public var maskedPositions: Int
        /// Threads, each with an engine and a lane of its own.
        public var threads: Int
        /// Passes measured, after one that is not.
        public var steps: Int

        /// Settings; 15 % of the tokens are masked unless given.
        public init(
            configuration: BERTConfiguration, sequences: Int, sequenceLength: Int, maskedPositions: Int? = nil,
            threads: Int, steps: Int = 5
        ) {
            self.configuration = configuration
            self.sequences = sequences
            self.sequenceLength = sequenceLength
            self.maskedPositions =
                maskedPositions ?? max(1, Int((Double(sequenceLength) * 0.15).rounded(.toNearestOrEven)))
            self.threads = threads
            self.steps = steps
        }
    }

    /// Host time of a pass, and each kernel's share in thread 0.
    public struct Result: Sendable {
        /// Seconds of each measured pass of all threads side by side.
        public var passSeconds: [Double]
        /// Each kernel's work in one pass of one lane: a mean over the measured passes.
        public var kernels: [KernelRow]
        /// Each product shape's work in one pass of one lane.
        public var products: [ProductRow]
        /// Operations of all matrix products of one pass of one lane, attention's included.
        public var operations: Int
        /// Bytes of one engine's arena.
        public var arenaBytes: Int
    }

    /// A kernel's work in one pass.
    public struct KernelRow: Hashable, Sendable, Codable {
        /// The kernel's name.
        public var kernel: EngineKernel
        /// Calls.
        public var calls: Int
        /// Seconds.
        public var seconds: Double
        /// Bytes that must move, a second.
        public var bytesPerSecond: Double
        /// Floating-point operations of products, a second.
        public var flopPerSecond: Double
    }

    /// A product shape's work in one pass.
    public struct ProductRow: Hashable, Sendable, Codable {
        /// Rows, columns, depth.
        public var m: Int, n: Int, k: Int
        /// Calls.
        public var calls: Int
        /// Seconds.
        public var seconds: Double
        /// Floating-point operations a second.
        public var flopPerSecond: Double
    }

    /// Runs the passes; throws `BERTError` for a model or batch that no engine could compute.
    public static func run(_ settings: Settings) throws -> Result {
        let layout = try ParameterLayout(configuration: settings.configuration)
        let lanes = try (0..<settings.threads).map { try Lane(settings, layout, index: $0) }
        let parameters = FloatBuffer(count: layout.elementCount)
        fillParameters(parameters, layout)
        let crew = ThreadCrew(count: settings.threads)
        var seconds: [Double] = []
        for step in 0...settings.steps {
            if step == 1 { for lane in lanes { lane.engine.profile = KernelProfile() } }
            let start = hostSeconds()
            try crew.run { thread in try lanes[thread].pass(step: step, parameters: parameters.pointer) }
            if step > 0 { seconds.append(hostSeconds() - start) }
        }
        let profile = lanes[0].engine.profile ?? KernelProfile()
        let steps = max(settings.steps, 1)
        let kernels = EngineKernel.allCases.compactMap { kernel in
            profile.kernels[kernel].map { work in
                let seconds = Double(max(work.nanoseconds, 1)) * 1e-9
                return KernelRow(
                    kernel: kernel, calls: work.calls / steps, seconds: seconds / Double(steps),
                    bytesPerSecond: Double(work.bytes) / seconds, flopPerSecond: Double(work.operations) / seconds)
            }
        }
        let products = profile.products.map { shape, work in
            let seconds = Double(max(work.nanoseconds, 1)) * 1e-9
            return ProductRow(
                m: shape.m, n: shape.n, k: shape.k, calls: work.calls / steps, seconds: seconds / Double(steps),
                flopPerSecond: Double(work.operations) / seconds)
        }
        return Result(
            passSeconds: seconds, kernels: kernels.sorted { $0.seconds > $1.seconds },
            products: products.sorted { $0.seconds > $1.seconds },
            operations: profile.kernels.values.reduce(0) { $0 + $1.operations } / steps,
            arenaBytes: lanes[0].engine.arenaBytes)
    }

    private static func fillParameters(_ parameters: FloatBuffer, _ layout: ParameterLayout) {
        var numbers = TestNumbers(seed: 1)
        for tensor in layout.tensors {
            let centre: Float = tensor.name.hasSuffix("LayerNorm.weight") ? 1 : 0
            for index in tensor.range { parameters.buffer[index] = centre + 0.04 * numbers.unit() }
        }
    }

    private static func hostSeconds() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
    }
}

/// One thread's engine, batch and gradients. `@unchecked Sendable`: only its thread touches it while a pass runs.
private final class Lane: @unchecked Sendable {
    let engine: LaneEngine
    private let batch: TokenBatch
    private let gradients: FloatBuffer
    private let firstExample: UInt32

    init(_ settings: KernelBench.Settings, _ layout: ParameterLayout, index: Int) throws {
        engine = try LaneEngine(
            layout: layout,
            capacity: LaneCapacity(
                sequences: settings.sequences, sequenceLength: settings.sequenceLength,
                maskedPositionsEach: settings.maskedPositions))
        gradients = FloatBuffer(count: layout.elementCount)
        firstExample = UInt32(index * settings.sequences)
        var numbers = TestNumbers(seed: UInt64(index) + 2)
        let length = settings.sequenceLength
        let vocabulary = settings.configuration.vocabularySize
        let room = settings.sequences * length
        var positions: [Int32] = []
        for sequence in 0..<settings.sequences {
            var chosen: Set<Int> = []
            while chosen.count < min(settings.maskedPositions, length) { chosen.insert(numbers.below(length)) }
            positions += chosen.sorted().map { Int32(sequence * length + $0) }
        }
        batch = TokenBatch(
            sequences: settings.sequences, sequenceLength: length,
            inputIDs: (0..<room).map { _ in Int32(numbers.below(vocabulary)) },
            tokenTypes: [UInt8](repeating: 0, count: room),
            lengths: [Int32](repeating: Int32(length), count: settings.sequences), maskedPositions: positions,
            maskedLabels: positions.map { _ in Int32(numbers.below(vocabulary)) },
            nextSentenceLabels: settings.configuration.nextSentence
                ? (0..<settings.sequences).map { Int32($0 % 2) } : [])
    }

    func pass(step: Int, parameters: UnsafePointer<Float>) throws {
        _ = try engine.forwardBackward(
            batch: batch, parameters: parameters, gradients: gradients.pointer,
            dropout: DropoutKey(key: SIMD2(1, 2), step: UInt64(step), laneFirstExample: firstExample))
    }
}

/// Reproducible numbers for measuring; nothing is trained with them.
private struct TestNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    private mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }

    mutating func unit() -> Float { Float(next() >> 40) * 0x1p-23 - 1 }
    mutating func below(_ bound: Int) -> Int { Int(next() >> 33) % bound }
}
