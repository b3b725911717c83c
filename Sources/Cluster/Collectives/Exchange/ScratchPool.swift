import Kernels
import Synchronization

/// Memory for sums that are on their way between peers and belong into nobody's gradient. It is used again and again:
/// fresh pages cost more than what is written to them. Pieces are cut from slabs, so that peers map few files.
final class ScratchPool: Sendable {
    fileprivate struct Piece {
        let slab: FloatBuffer
        let first: Int
    }

    /// Pieces of a slab, if they fit `slabElements`.
    private static let piecesOfSlab = 64
    private static let slabElements = 4 << 20

    private let free = Mutex<[Piece]>([])
    private let pieceSize: Int
    private let isShared: Bool

    /// A pool of pieces of `pieceSize` elements, which peers can read where it `isShared`.
    init(pieceSize: Int, isShared: Bool) {
        self.pieceSize = pieceSize
        self.isShared = isShared
    }

    /// A piece that returns to its pool when nobody holds it any more.
    final class Loan: Sendable {
        /// The memory that the piece is a part of, and its first element there.
        let slab: FloatBuffer
        let first: Int
        private let pool: ScratchPool

        /// The piece's first element.
        var pointer: UnsafeMutablePointer<Float> { slab.pointer + first }

        fileprivate init(_ piece: Piece, of pool: ScratchPool) {
            slab = piece.slab
            first = piece.first
            self.pool = pool
        }

        deinit { pool.free.withLock { $0.append(Piece(slab: slab, first: first)) } }
    }

    /// A piece.
    func take() -> Loan {
        if let known = free.withLock({ $0.popLast() }) { return Loan(known, of: self) }
        let count = max(1, min(Self.piecesOfSlab, Self.slabElements / pieceSize))
        let slab = FloatBuffer(count: count * pieceSize, isShared: isShared)
        free.withLock { free in
            for index in 1..<max(count, 1) { free.append(Piece(slab: slab, first: index * pieceSize)) }
        }
        return Loan(Piece(slab: slab, first: 0), of: self)
    }
}
