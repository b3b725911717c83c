import Kernels
import Synchronization

/// Memory for sums that are on their way between peers and belong into nobody's gradient. It is used again and again:
/// fresh pages cost more than what is written to them.
final class ScratchPool: Sendable {
    private let free = Mutex<[FloatBuffer]>([])

    /// Memory that returns to its pool when nobody holds it any more.
    final class Loan: Sendable {
        /// The memory.
        let elements: FloatBuffer
        private let pool: ScratchPool

        fileprivate init(_ elements: FloatBuffer, of pool: ScratchPool) {
            self.elements = elements
            self.pool = pool
        }

        deinit { pool.free.withLock { $0.append(elements) } }
    }

    /// Memory for at least `count` elements.
    func take(_ count: Int) -> Loan {
        let known = free.withLock { free in
            free.firstIndex { $0.count >= count }.map { free.remove(at: $0) }
        }
        return Loan(known ?? FloatBuffer(count: count), of: self)
    }
}
