import BERT
import Jobs
import PerformanceModel
import Training

/// A pass whose kernels can be measured on this machine: a small network of its width, on as many lanes side by side.
struct KernelShape: Hashable, Sendable {
    /// The width.
    var hidden: Int
    /// Tokens of a sequence.
    var sequence: Int
    /// Tokens of a lane's pass.
    var tokens: Int
    /// Lanes side by side, one thread each.
    var busy: Int

    /// The rates that the shape reached, with all of attention booked by pairs of tokens, and what its kernels took together
    /// in a step, on the mean lane and on each.
    struct Measurement: Sendable {
        var rates: HostMachine.Rates
        var kernelSeconds: Double
        var laneKernelSeconds: [Double]
    }

    /// Host seconds that `reference` is measured for at a time, about: shorter than most of what disturbs a machine.
    static let referenceSeconds = 0.25
    /// The shape that others are measured beside, with `busy` lanes side by side: one like the passes of small jobs.
    static func reference(busy: Int) -> Self { Self(hidden: 256, sequence: 128, tokens: 512, busy: busy) }

    /// Layers: one as all but the last are, and the last.
    private static let layers = 2
    /// Entries of the vocabulary; the heads' rates hardly depend on it, since they go through it in tiles.
    private static let vocabulary = 8192

    private var model: ModelShape { ModelShape(layers: Self.layers, hidden: hidden, heads: hidden / 64) }
    private var sequences: Int { tokens / sequence }

    /// What a lane's pass computes.
    var work: LanePassWork {
        let masked = Int((Double(sequence) * 0.15).rounded())
        return LanePassWork(
            model: model, vocabularySize: Self.vocabulary, sequences: Double(sequences), tokens: Double(tokens),
            masked: Double(sequences * masked))
    }

    /// Trains the network for as many steps as take `seconds` at 80 GFLOP/s, three at least, on a thread of its own. A
    /// cancelled task measures nothing.
    func measure(seconds: Double) async throws -> Measurement {
        try Task.checkCancellation()
        return try await OwnThread.run { try train(seconds: seconds) }
    }

    /// Blocks.
    private func train(seconds budget: Double) throws -> Measurement {
        let work = work
        let guess = work.productFlops / 80e9
        let steps = max(3, min(400, Int(budget / guess)))
        let result = try KernelBench.run(
            BenchSettings(
                model: model, batch: sequences * busy, sequence: sequence, threads: busy, steps: steps, warmup: 1,
                vocabularySize: Self.vocabulary), measuresLibrary: false)
        func seconds(_ kernels: StepKernel...) -> Double {
            max(1e-9, result.kernels.filter { kernels.contains($0.kernel) }.reduce(0) { $0 + $1.secondsPerStep })
        }
        // What surrounds the passes has rates of its own.
        let around = seconds(.laneSums, .gradientNorm, .optimizer)
        let booked = result.kernels.reduce(0) { $0 + $1.secondsPerStep } - around
        let pass = result.stepSeconds - around
        let rates = HostMachine.Rates(
            hidden: hidden, sequence: sequence, tokens: tokens, busy: busy,
            encoderGigaflopsPerSecond: work.encoderFlops / seconds(.encoderProducts) * 1e-9,
            lastLayerGigaflopsPerSecond: work.lastLayerFlops / seconds(.lastLayerProducts) * 1e-9,
            headGigaflopsPerSecond: work.headFlops / seconds(.headProducts) * 1e-9,
            attentionNanoseconds: seconds(.attention, .attentionBackward) * 1e9 / work.attentionUnits,
            attentionElementNanoseconds: 0,
            elementwiseGigabytesPerSecond: work.elementwiseBytes
                / seconds(.residualNorm, .residualNormBackward, .gelu, .geluBackward) * 1e-9,
            logitNanoseconds: seconds(.crossEntropy, .crossEntropyBackward) * 1e9 / work.logits,
            embeddingNanoseconds: seconds(.embedding, .embeddingBackward) * 1e9 / work.embeddingElements,
            overhead: max(0.5, pass / booked))
        return Measurement(
            rates: rates, kernelSeconds: booked, laneKernelSeconds: result.passSeconds)
    }

    /// What the kernels take in a step by `rates`, in host seconds.
    func kernelSeconds(at rates: HostMachine.Rates) -> Double { work.seconds(rates) / rates.overhead }
}

extension KernelShape {
    /// The shape that `rates` are of.
    init(of rates: HostMachine.Rates) {
        self.init(hidden: rates.hidden, sequence: rates.sequence, tokens: rates.tokens, busy: rates.busy)
    }
}
