import Kernels

/// Memory of a vector in the arena.
typealias Floats = UnsafeMutablePointer<Float>

/// A row-major matrix in the arena, or some of its columns. Who uses it knows the number of its rows.
///
/// Rows begin 16 floats (a cache line) further apart than they need: rows whose distance is a multiple of 4 KiB fall into
/// the same few sets of the first-level cache, where a product that walks down their columns runs at half its speed. On an
/// AVX2 machine `[1024, 2048] x [2048, 256]` with the first factor transposed in memory went from 93 to 184 GFLOP/s.
struct Matrix {
    let start: Floats
    /// Elements of a row.
    let width: Int
    /// Floats from one row's first element to the next one's.
    let stride: Int

    /// A whole matrix with rows of `width` elements from `start` on.
    init(_ start: Floats, width: Int) {
        self.init(start, width: width, stride: Self.stride(of: width))
    }

    private init(_ start: Floats, width: Int, stride: Int) {
        self.start = start
        self.width = width
        self.stride = stride
    }

    /// Distance between rows of `width` elements: whole cache lines, and one more.
    static func stride(of width: Int) -> Int { (width + 15) / 16 * 16 + 16 }

    /// The first element of a row.
    func row(_ index: Int) -> Floats { start + index * stride }

    /// The rows from `index` on.
    func rows(from index: Int) -> Matrix { Matrix(row(index), width: width, stride: stride) }

    /// Some columns.
    func columns(_ range: Range<Int>) -> Matrix {
        Matrix(start + range.lowerBound, width: range.count, stride: stride)
    }

    /// Copies whole rows: row `index` of `other` becomes row `into` of this.
    func copyRow(_ into: Int, from other: Matrix, _ index: Int) {
        Vector.copy(into: row(into), from: other.row(index), count: width)
    }

    /// Adds row `index` of `other` to row `into` of this.
    func addRow(_ into: Int, from other: Matrix, _ index: Int) {
        Vector.add(into: row(into), from: other.row(index), count: width)
    }
}
