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
    }

    /// Measures with one thread and with a thread a core.
    func run(cores: Int) throws -> Result {
        Result(
            adamw: (try optimizer(.adamw, threads: 1), try optimizer(.adamw, threads: cores)),
            lamb: (try optimizer(.lamb, threads: 1), try optimizer(.lamb, threads: cores)),
            sumNanosecondsPerElement: sum() * 1e9, memoryGigabytesPerSecond: try memory(cores: cores))
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

    /// GB/s of all cores adding at once: two reads and a write of each element.
    private func memory(cores: Int) throws -> Double {
        let crew = ThreadCrew(count: cores)
        let buffers = (0..<cores).map { _ in (FloatBuffer(count: Self.elements), FloatBuffer(count: Self.elements)) }
        for (into, from) in buffers {
            into.buffer.update(repeating: 1)
            from.buffer.update(repeating: 1)
        }
        var least = Double.infinity
        for _ in 0..<8 {
            let start = MonotonicInstant.now()
            try crew.run { thread in
                let (into, from) = buffers[thread]
                Vector.add(into: into.pointer, from: UnsafePointer(from.pointer), count: Self.elements)
            }
            least = min(least, MonotonicInstant.now().elapsed(since: start).seconds)
        }
        return Double(cores * Self.elements * 12) / least * 1e-9
    }

    private func best(of rounds: Int, _ body: () -> Void) -> Double {
        (0..<rounds).reduce(Double.infinity) { least, _ in
            let start = MonotonicInstant.now()
            body()
            return min(least, MonotonicInstant.now().elapsed(since: start).seconds)
        }
    }
}
