/// Heights of a sequence's kernels for every width of a strip.
struct HeightTable {
    private let sequence: [FloorPlanner.Item]
    private let graph: WaferGraph
    private let core: WaferCore
    private let columns: Int
    private let rows: Int

    /// Kernels that only differ in their layer are equally fast, however many samples wait in them.
    private struct Kind: Hashable {
        var work: WaferKernel.Work
        var role: WaferKernel.Role
        var density: Double
    }

    init(_ sequence: [FloorPlanner.Item], graph: WaferGraph, core: WaferCore, columns: Int, rows: Int) {
        self.sequence = sequence
        self.graph = graph
        self.core = core
        self.columns = columns
        self.rows = rows
    }

    /// `[width][item]` the least height of each item in a strip of that width at that interval; more than the grid's rows
    /// where none does.
    func heights(within cycles: Double) -> [[Int]] {
        var fast: [Kind: [KernelLayout?]] = [:]
        let ofItems = sequence.map { item in
            let kernel = graph.kernels[item.kernel]
            let kind = Kind(work: kernel.work, role: kernel.role, density: kernel.density)
            let layouts =
                fast[kind]
                ?? (0...columns).map { width in
                    width == 0
                        ? nil
                        : KernelLayout(
                            lowest: kernel, columns: width, within: cycles, core: core, mostRows: rows)
                }
            fast[kind] = layouts
            return layouts.map { layout in
                layout.flatMap {
                    KernelLayout(
                        raising: $0, until: item.inFlight, samplesOf: kernel, fitIn: core, mostRows: rows)
                }?.rows ?? rows + 1
            }
        }
        return (0...columns).map { width in ofItems.map { $0[width] } }
    }
}

/// The narrowest cuts of a sequence into strips, by dynamic programming.
struct StripCut {
    private let heights: [[Int]]
    private let columns: Int
    private let rows: Int

    /// A cut of a grid with `[width][item]` heights.
    init(_ heights: [[Int]], _ columns: Int, _ rows: Int) {
        self.heights = heights
        self.columns = columns
        self.rows = rows
    }

    /// The strips of least total width; nil where they are wider than the grid.
    func cut(_ sequence: [FloorPlanner.Item]) -> FloorPlanner.Strips? {
        let count = sequence.count
        // The least width of all strips up to an item, and the first item and width of the last of these strips.
        var least = [0] + [Int](repeating: .max, count: count)
        var last = [(first: Int, width: Int)](repeating: (0, 0), count: count + 1)
        for first in 0..<count where least[first] < columns {
            var width = 1
            for end in first + 1...count {
                while width <= columns - least[first], height(first..<end, width) > rows { width += 1 }
                guard width <= columns - least[first] else { break }
                if least[first] + width < least[end] {
                    least[end] = least[first] + width
                    last[end] = (first, width)
                }
            }
        }
        guard least[count] <= columns else { return nil }
        var strips = FloorPlanner.Strips(items: [], widths: [])
        var end = count
        while end > 0 {
            strips.items.insert(Array(sequence[last[end].first..<end]), at: 0)
            strips.widths.insert(last[end].width, at: 0)
            end = last[end].first
        }
        return strips
    }

    private func height(_ items: Range<Int>, _ width: Int) -> Int {
        var sum = 0
        for item in items {
            sum += heights[width][item]
            if sum > rows { break }
        }
        return sum
    }
}
