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

    /// Nanoseconds a parameter of clipping and applying a gradient.
    private func optimizer(_ kind: OptimizerSettings.Kind, threads: Int) throws -> Double {
        let result = try TrainingBench.run(
            BenchSettings(
                model: ModelShape(layers: 4, hidden: 512, heads: 8), batch: max(2, threads), sequence: 32,
                threads: threads, optimizer: kind))
        return result.optimizerSecondsMedian * 1e9 / Double(result.parameters)
    }

    private static let elements = 16 << 20

    /// Seconds an element of adding one gradient to another, both beyond every cache.
    func sum() -> Double {
        let (into, from) = (FloatBuffer(count: Self.elements), FloatBuffer(count: Self.elements))
        into.buffer.update(repeating: 1)
        from.buffer.update(repeating: 1)
        return best(of: 8) {
            Vector.add(into: into.pointer, from: UnsafePointer(from.pointer), count: Self.elements)
        } / Double(Self.elements)
    }

    private func best(of rounds: Int, _ body: () -> Void) -> Double {
        (0..<rounds).reduce(Double.infinity) { least, _ in
            let start = MonotonicInstant.now()
            body()
            return min(least, MonotonicInstant.now().elapsed(since: start).seconds)
        }
    }
}
