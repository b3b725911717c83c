import Jobs
import Kernels
import PerformanceModel

/// Measures what goes through memory with every core at it, as an exchange has it: each thread adds, sums and copies
/// gradients beyond its core's caches.
struct StreamCalibration {
    /// Cores, and threads.
    var cores: Int
    /// Elements of a gradient: each thread has four.
    private static let elements = 4 << 20
    /// Times that each is measured; the median counts.
    private static let rounds = 15

    /// Gradients of one thread. Those that processes share have another kind of pages.
    private struct Gradients {
        let sum = Self.filled(isShared: false)
        let part = Self.filled(isShared: false)
        let sharedSum = Self.filled(isShared: true)
        let sharedPart = Self.filled(isShared: true)

        private static func filled(isShared: Bool) -> FloatBuffer {
            let buffer = FloatBuffer(count: StreamCalibration.elements, isShared: isShared)
            buffer.buffer.update(repeating: 1)
            return buffer
        }
    }

    /// Measures each by itself: adding a private gradient to another, and what goes between peers; in nanoseconds an element.
    func run() throws -> (add: Double, betweenPeers: HostMachine.Streams) {
        let crew = ThreadCrew(count: cores)
        let gradients = (0..<cores).map { _ in Gradients() }
        let count = Self.elements
        let add = try nanoseconds(crew) { thread in
            Vector.add(into: gradients[thread].sum.pointer, from: Self.read(gradients[thread].part), count: count)
        }
        // A thread's peer is the next one; nobody writes what others read.
        let peerSum = try nanoseconds(crew) { thread in
            Vector.sum(
                into: gradients[thread].sharedSum.pointer, left: Self.read(gradients[thread].sharedPart),
                right: Self.read(gradients[(thread + 1) % gradients.count].sharedPart), count: count)
        }
        let peerCopy = try nanoseconds(crew) { thread in
            Vector.copy(
                into: gradients[thread].sharedSum.pointer,
                from: Self.read(gradients[(thread + 1) % gradients.count].sharedPart), count: count)
        }
        return (add, HostMachine.Streams(peerSum: peerSum, peerCopy: peerCopy))
    }

    private static func read(_ buffer: FloatBuffer) -> UnsafePointer<Float> { UnsafePointer(buffer.pointer) }

    /// The median nanoseconds an element of `body` on all threads at once.
    private func nanoseconds(_ crew: ThreadCrew, _ body: @Sendable (Int) -> Void) throws -> Double {
        let seconds = try (0..<Self.rounds).map { _ in
            let start = MonotonicInstant.now()
            try crew.run { body($0) }
            return MonotonicInstant.now().elapsed(since: start).seconds
        }
        return (Quantiles(seconds).median ?? 0) * 1e9 / Double(Self.elements)
    }
}
