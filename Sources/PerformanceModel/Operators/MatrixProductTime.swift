#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The time of a batch of matrix products on a device with many multiprocessors.
///
/// The result is cut into tiles; a multiprocessor computes one at a time; the last wave of tiles may leave some idle
/// (wave quantisation), and the last tile of a row or column may hang over the edge (tile quantisation). Within a tile,
/// loading the pipeline and writing the result cost as much as some steps of the k loop. Long k loops with few tiles are
/// split over several multiprocessors, whose partial sums are then added. The library is taken to choose the fastest of
/// the tiles; smaller ones reuse less of what they load and reach a smaller share of the rate.
public enum MatrixProductTime {
    /// A tile of the result, and the share of the rate that its reuse allows.
    struct Tile {
        let rows: Double
        let columns: Double
        let share: Double
    }

    /// The tiles that cuBLAS and CUTLASS offer (CUTLASS documentation, "Efficient GEMM in CUDA").
    static let tiles = [
        Tile(rows: 256, columns: 128, share: 1), Tile(rows: 128, columns: 256, share: 1),
        Tile(rows: 128, columns: 128, share: 1), Tile(rows: 128, columns: 64, share: 0.85),
        Tile(rows: 64, columns: 128, share: 0.85), Tile(rows: 64, columns: 64, share: 0.7),
    ]

    /// Steps of k that filling the pipeline and writing a tile cost.
    static let prologue = 64.0

    /// Seconds at the full rate: what divides by the stack's matrix share and the hardware's speed.
    public static func computeSeconds(m: Int, n: Int, k: Int, batch: Int, on device: DeviceRates) -> Double {
        let (rows, columns, depth) = (Double(m), Double(n), Double(k))
        let rate = device.peakFlopsPerSecond / device.multiprocessors
        var best = Double.infinity
        for tile in tiles {
            let count = (rows / tile.rows).rounded(.up) * (columns / tile.columns).rounded(.up) * Double(batch)
            let step = 2 * tile.rows * tile.columns / (rate * tile.share)
            for split in batch == 1 ? [1.0, 2, 4] : [1.0] {
                let waves = (count * split / device.multiprocessors).rounded(.up)
                var seconds = waves * step * (depth / split + prologue)
                // Partial sums are written and read once each, in f32.
                if split > 1 { seconds += 8 * split * rows * columns / device.memoryBytesPerSecond }
                best = min(best, seconds)
            }
        }
        return best
    }

    /// Seconds in which both factors and the result pass the memory once.
    public static func memorySeconds(m: Int, n: Int, k: Int, batch: Int, on device: DeviceRates) -> Double {
        let (rows, columns, depth) = (Double(m), Double(n), Double(k))
        let elements = Double(batch) * (rows * depth + depth * columns + rows * columns)
        return elements * device.bytesPerElement / device.memoryBytesPerSecond
    }
}
