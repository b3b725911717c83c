import Kernels
import Testing

@Suite("Vectors, buffers, products and crews")
struct VectorTests {
    @Test("sums, scales and norms at odd counts", arguments: [0, 1, 15, 16, 17, 1000])
    func arithmetic(count: Int) {
        var numbers = Numbers(1)
        let (a, b) = (numbers.row(count), numbers.row(count))
        var sum = a
        Vector.add(into: &sum, from: b, count: count)
        var other = a
        Vector.sum(into: &other, left: a, right: b, count: count)
        #expect(sum == zip(a, b).map { $0 + $1 } && other == sum)
        Vector.scale(&sum, by: 3, count: count)
        #expect(sum == other.map { $0 * 3 })
        let exact = a.reduce(0.0) { $0 + Double($1) * Double($1) }
        #expect(abs(a.withUnsafeBufferPointer(Vector.squaredNorm(_:)) - exact) <= 1e-12 * max(exact, 1))
    }

    @Test("a norm is the sum of its blocks' norms, to the bit")
    func blocks() {
        var numbers = Numbers(2)
        let values = numbers.row(3 * Vector.normBlock + 5)
        values.withUnsafeBufferPointer { values in
            var total = 0.0
            for start in stride(from: 0, to: values.count, by: Vector.normBlock) {
                let end = min(start + Vector.normBlock, values.count)
                total += Vector.squaredNorm(block: UnsafeBufferPointer(rebasing: values[start..<end]))
            }
            #expect(total == Vector.squaredNorm(values))
        }
    }

    @Test("buffers begin as zeros at a cache line", arguments: [0, 1, 1000, 1 << 20])
    func buffers(count: Int) {
        let buffer = FloatBuffer(count: count)
        #expect(buffer.buffer.allSatisfy { $0 == 0 } && buffer.count == count)
        #expect(Int(bitPattern: buffer.pointer) % 64 == 0)
    }

    @Test("products in all four orientations, with alpha and beta")
    func products() throws {
        let (m, n, k) = (5, 7, 9)
        var numbers = Numbers(3)
        let (a, b, c) = (numbers.row(m * k), numbers.row(k * n), numbers.row(m * n))
        for (transposeA, transposeB) in [(false, false), (true, false), (false, true), (true, true)] {
            var found = c
            try GEMM.multiply(
                transposeA: transposeA, transposeB: transposeB, m: m, n: n, k: k, alpha: 2, a: a, b: b, beta: 0.5,
                c: &found)
            let exact = (0..<m * n).map { index in
                let (row, column) = (index / n, index % n)
                return (0..<k).reduce(0.5 * Double(c[index])) {
                    $0 + 2 * Double(transposeA ? a[$1 * m + row] : a[row * k + $1])
                        * Double(transposeB ? b[column * k + $1] : b[$1 * n + column])
                }
            }
            #expect(difference(found, exact) < 1e-6)
        }
    }

    @Test("a crew runs its body once on every thread, again and again")
    func crew() throws {
        let crew = ThreadCrew(count: 3)
        let counts = FloatBuffer(count: 3)
        for _ in 0..<100 { try crew.run { counts.buffer[$0] += 1 } }
        #expect(Array(counts.buffer) == [100, 100, 100])
    }

    @Test("a crew throws the error of the first thread that failed, and goes on working")
    func crewError() throws {
        struct Failure: Error, Equatable { let index: Int }
        let crew = ThreadCrew(count: 4)
        #expect(throws: Failure(index: 1)) {
            try crew.run { if $0 > 0 { throw Failure(index: $0) } }
        }
        try crew.run { _ in }
    }
}
