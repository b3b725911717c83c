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
    private static let secondsEach = 0.25

    private struct Shape {
        var width, length, tokens, busy: Int
    }

    /// Rates at every shape, with one lane and with a lane a core.
    func run(cores: Int) throws -> [HostMachine.Rates] {
        try Self.shapes(cores: cores).map { shape in
            try measure(width: shape.width, length: shape.length, tokens: shape.tokens, busy: shape.busy)
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

    /// Each rate at each shape, of rounds over all shapes.
    static func undisturbed(_ rounds: [[HostMachine.Rates]]) -> [HostMachine.Rates] {
        var rates = (rounds.first ?? []).indices.compactMap { place in undisturbed(rounds.map { $0[place] }) }
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

    /// Each rate, of measurements of one shape; nil where there are none.
    private static func undisturbed(_ rates: [HostMachine.Rates]) -> HostMachine.Rates? {
        guard let shape = rates.first else { return nil }
        func rate(_ figure: (HostMachine.Rates) -> Double) -> Double { Undisturbed.rate(rates.map(figure)) }
        func duration(_ figure: (HostMachine.Rates) -> Double) -> Double { Undisturbed.duration(rates.map(figure)) }
        return HostMachine.Rates(
            hidden: shape.hidden, sequence: shape.sequence, tokens: shape.tokens, busy: shape.busy,
            encoderGigaflopsPerSecond: rate(\.encoderGigaflopsPerSecond),
            lastLayerGigaflopsPerSecond: rate(\.lastLayerGigaflopsPerSecond),
            headGigaflopsPerSecond: rate(\.headGigaflopsPerSecond),
            attentionNanoseconds: duration(\.attentionNanoseconds),
            elementwiseGigabytesPerSecond: rate(\.elementwiseGigabytesPerSecond),
            logitNanoseconds: duration(\.logitNanoseconds), embeddingNanoseconds: duration(\.embeddingNanoseconds),
            overhead: Quantiles(rates.map(\.overhead)).median ?? shape.overhead)
    }

    /// Rates of one shape.
    private func measure(width: Int, length: Int, tokens: Int, busy: Int) throws -> HostMachine.Rates {
        let model = ModelShape(layers: Self.layers, hidden: width, heads: width / 64)
        let sequences = tokens / length
        let masked = Int((Double(length) * 0.15).rounded())
        let work = LanePassWork(
            model: model, vocabularySize: Self.vocabulary, sequences: Double(sequences), tokens: Double(tokens),
            masked: Double(sequences * masked))
        // A first guess of 80 GFLOP/s sets the number of steps.
        let guess = work.productFlops / 80e9
        let steps = max(3, min(400, Int(Self.secondsEach / guess)))
        let result = try KernelBench.run(
            BenchSettings(
                model: model, batch: sequences * busy, sequence: length, threads: busy, steps: steps, warmup: 1,
                vocabularySize: Self.vocabulary), measuresLibrary: false)
        func seconds(_ kernels: StepKernel...) -> Double {
            max(1e-9, result.kernels.filter { kernels.contains($0.kernel) }.reduce(0) { $0 + $1.secondsPerStep })
        }
        // What surrounds the passes has rates of its own.
        let around = seconds(.laneSums, .gradientNorm, .optimizer)
        let booked = result.kernels.reduce(0) { $0 + $1.secondsPerStep } - around
        let pass = result.stepSeconds - around
        return HostMachine.Rates(
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
    }
}
