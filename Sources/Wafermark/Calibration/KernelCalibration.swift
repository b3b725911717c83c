import BERT
import Jobs
import PerformanceModel
import Training

/// Measures what the engine's kernels reach on this machine, by width, sequence length and lanes side by side.
struct KernelCalibration {
    /// Widths of the named sizes up to base, and the two lengths of BERT's phases.
    private static let widths = [128, 256, 512, 768]
    private static let lengths = [128, 512]
    /// Tokens of a lane's pass: a lone sequence, as many as fill the products, and, where that does not take long, so many
    /// that a layer's activations fit no core's cache any more.
    private static func tokens(width: Int, length: Int) -> [Int] {
        (length < 512 ? [length, 512] : [length]) + (width <= 256 ? [2_048] : [])
    }
    /// Layers: one as all but the last are, and the last.
    private static let layers = 2
    /// Entries of the vocabulary; the heads' rates hardly depend on it, since they go through it in tiles.
    private static let vocabulary = 8192

    /// Host seconds that the rates of one shape are measured for, about.
    private static let secondsEach = 0.5

    private struct Shape: Sendable {
        var width, length, tokens, busy: Int
    }

    /// One shape's rates, and what its kernels took together in a step, on the mean thread.
    private struct Measurement: Sendable {
        var rates: HostMachine.Rates
        var kernelSeconds: Double
    }

    private let shapes: [Shape]
    /// What was measured of each shape.
    private var measured: [[Measurement]]

    /// Nothing measured yet, of a machine with `cores`.
    init(cores: Int) {
        shapes = Self.shapes(cores: cores)
        measured = shapes.map { _ in [] }
    }

    /// Whether every shape was measured often enough.
    var isEnough: Bool { measured.allSatisfy(Self.isEnough) }

    private static func isEnough(_ measurements: [Measurement]) -> Bool {
        Repetition.isEnough(measurements.map(\.kernelSeconds))
    }

    /// How much longer than in its quickest round a shape's kernels took in the median one: the mean over shapes.
    var excess: Double {
        measured.reduce(0) { $0 + Repetition.excess($1.map(\.kernelSeconds)) } / Double(max(1, measured.count))
    }

    /// Measures once more every shape that was not measured often enough. Cancelling the task ends it after the shape that
    /// is being measured.
    mutating func round() async throws {
        for (place, shape) in shapes.enumerated() where !Self.isEnough(measured[place]) {
            try Task.checkCancellation()
            measured[place].append(try await OwnThread.run { try Self.measure(shape) })
        }
    }

    private static func shapes(cores: Int) -> [Shape] {
        Set([1, cores]).sorted().flatMap { busy in
            widths.flatMap { width in
                lengths.flatMap { length in
                    tokens(width: width, length: length).map {
                        Shape(width: width, length: length, tokens: $0, busy: busy)
                    }
                }
            }
        }
    }

    /// The rates at each shape, all of its quickest round: kernels that were measured one after the other belong together.
    var rates: [HostMachine.Rates] {
        var rates = measured.compactMap { $0.min { $0.kernelSeconds < $1.kernelSeconds }?.rates }
        // What lanes side by side take beyond their kernels is mostly waiting for each other, which no pass contains.
        let alone = rates.filter { $0.busy == 1 }
        for index in rates.indices {
            let lane = alone.first {
                ($0.hidden, $0.sequence, $0.tokens)
                    == (rates[index].hidden, rates[index].sequence, rates[index].tokens)
            }
            rates[index].overhead = lane?.overhead ?? rates[index].overhead
        }
        return rates
    }

    private static func measure(_ shape: Shape) throws -> Measurement {
        let (width, length, tokens, busy) = (shape.width, shape.length, shape.tokens, shape.busy)
        let model = ModelShape(layers: layers, hidden: width, heads: width / 64)
        let sequences = tokens / length
        let masked = Int((Double(length) * 0.15).rounded())
        let work = LanePassWork(
            model: model, vocabularySize: vocabulary, sequences: Double(sequences), tokens: Double(tokens),
            masked: Double(sequences * masked))
        // A first guess of 80 GFLOP/s sets the number of steps.
        let guess = work.productFlops / 80e9
        let steps = max(3, min(400, Int(secondsEach / guess)))
        let result = try KernelBench.run(
            BenchSettings(
                model: model, batch: sequences * busy, sequence: length, threads: busy, steps: steps, warmup: 1,
                vocabularySize: vocabulary), measuresLibrary: false)
        func seconds(_ kernels: StepKernel...) -> Double {
            max(1e-9, result.kernels.filter { kernels.contains($0.kernel) }.reduce(0) { $0 + $1.secondsPerStep })
        }
        // What surrounds the passes has rates of its own.
        let around = seconds(.laneSums, .gradientNorm, .optimizer)
        let booked = result.kernels.reduce(0) { $0 + $1.secondsPerStep } - around
        let pass = result.stepSeconds - around
        let rates = HostMachine.Rates(
            hidden: width, sequence: length, tokens: tokens, busy: busy,
            encoderGigaflopsPerSecond: work.encoderFlops / seconds(.encoderProducts) * 1e-9,
            lastLayerGigaflopsPerSecond: work.lastLayerFlops / seconds(.lastLayerProducts) * 1e-9,
            headGigaflopsPerSecond: work.headFlops / seconds(.headProducts) * 1e-9,
            attentionNanoseconds: seconds(.attention, .attentionBackward) * 1e9 / work.attentionUnits,
            elementwiseGigabytesPerSecond: work.elementwiseBytes
                / seconds(.residualNorm, .residualNormBackward, .gelu, .geluBackward) * 1e-9,
            logitNanoseconds: seconds(.crossEntropy, .crossEntropyBackward) * 1e9 / work.logits,
            embeddingNanoseconds: seconds(.embedding, .embeddingBackward) * 1e9 / work.embeddingElements,
            overhead: max(0.5, pass / booked))
        return Measurement(rates: rates, kernelSeconds: booked)
    }
}
