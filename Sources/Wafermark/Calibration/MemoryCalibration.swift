import BERT
import Jobs
import Kernels
import PerformanceModel
import Training

/// Measures what moves weights and gradients: the optimizer, adding gradients, and memory by itself.
struct MemoryCalibration {
    /// What was measured.
    struct Result {
        var adamw: (alone: Double, shared: Double)
        var lamb: (alone: Double, shared: Double)
        var sumNanosecondsPerElement: Double
        var memoryGigabytesPerSecond: Double
        var streams: HostMachine.Streams
    }

    /// Measures with one thread and with a thread a core.
    func run(cores: Int) throws -> Result {
        let streams = try StreamCalibration(cores: cores).run()
        return Result(
            adamw: (try optimizer(.adamw, threads: 1), try optimizer(.adamw, threads: cores)),
            lamb: (try optimizer(.lamb, threads: 1), try optimizer(.lamb, threads: cores)),
            sumNanosecondsPerElement: sum() * 1e9,
            // Two reads and a write of four bytes on each core.
            memoryGigabytesPerSecond: 12 * Double(cores) / streams.add, streams: streams)
    }

    /// Each figure, of measurements that lie apart.
    static func undisturbed(_ first: Result, _ others: [Result]) -> Result {
        var result = first
        for path: WritableKeyPath<Result, Double> in [
            \.adamw.alone, \.adamw.shared, \.lamb.alone, \.lamb.shared, \.sumNanosecondsPerElement,
            \.streams.add, \.streams.peerSum, \.streams.peerCopy, \.streams.square,
        ] {
            result[keyPath: path] = Undisturbed.duration(([first] + others).map { $0[keyPath: path] })
        }
        result.memoryGigabytesPerSecond = Undisturbed.rate(([first] + others).map(\.memoryGigabytesPerSecond))
        return result
    }

    /// Nanoseconds a parameter of clipping and applying a gradient.
    private func optimizer(_ kind: OptimizerSettings.Kind, threads: Int) throws -> Double {
        let result = try TrainingBench.run(
            BenchSettings(
                model: ModelShape(layers: 4, hidden: 512, heads: 8), batch: max(2, threads), sequence: 32,
                threads: threads, optimizer: kind))
        return result.optimizerSecondsMedian * 1e9 / Double(result.parameters)
    }

    private static let elements = 16 << 20
    private static let rounds = 25

    /// Seconds an element of adding one gradient to another, both beyond every cache.
    private func sum() -> Double {
        let (into, from) = (FloatBuffer(count: Self.elements), FloatBuffer(count: Self.elements))
        into.buffer.update(repeating: 1)
        from.buffer.update(repeating: 1)
        let seconds = (0..<Self.rounds).map { _ in
            let start = MonotonicInstant.now()
            Vector.add(into: into.pointer, from: UnsafePointer(from.pointer), count: Self.elements)
            return MonotonicInstant.now().elapsed(since: start).seconds
        }
        return (Quantiles(seconds).median ?? 0) / Double(Self.elements)
    }
}
