/// Shortens a plan's wires without changing any rectangle's size: turns strips over, swaps rectangles within a strip and
/// whole strips, as long as any of these helps.
struct WireSearch {
    private let plan: FloorPlan
    /// Indices of rectangles, from top to bottom, strip by strip.
    private var strips: [[Int]]
    private var widths: [Int]
    private var centres: [(x: Double, y: Double)]

    /// Rounds over all moves; a plan of BERT-Large stands still after four or five.
    private static let mostRounds = 12

    init(_ plan: FloorPlan, strips: FloorPlanner.Strips) {
        self.plan = plan
        let count = plan.graph.kernels.count
        self.strips = strips.items.map { $0.map { $0.replica * count + $0.kernel } }
        widths = strips.widths
        centres = plan.rectangles.map { _ in (0, 0) }
        arrange()
    }

    /// The plan after the search.
    consuming func shortened() -> FloorPlan {
        // A sample walks down one strip and up the next.
        for strip in strips.indices where strip % 2 == 1 { strips[strip].reverse() }
        arrange()
        var length = wireLength
        for _ in 0..<Self.mostRounds {
            let before = length
            for move in moves() where isPossible(move) {
                make(move)
                let next = wireLength
                if next < length { length = next } else { make(move) }
            }
            if length == before { break }
        }
        var result = plan
        place { index, x, y in
            result.rectangles[index].x = x
            result.rectangles[index].y = y
        }
        return result
    }

    /// A change that undoes itself when made twice.
    private enum Move {
        case turn(strip: Int)
        case swap(strip: Int, Int, Int)
        case swapStrips(Int, Int)
    }

    private func moves() -> [Move] {
        var moves: [Move] = []
        for strip in strips.indices {
            moves.append(.turn(strip: strip))
            for first in strips[strip].indices {
                for second in strips[strip].indices where second > first {
                    moves.append(.swap(strip: strip, first, second))
                }
            }
            for other in strips.indices where other > strip { moves.append(.swapStrips(strip, other)) }
        }
        return moves
    }

    /// Strips that were swapped since the moves were listed may be shorter.
    private func isPossible(_ move: Move) -> Bool {
        if case .swap(let strip, _, let second) = move { return second < strips[strip].count }
        return true
    }

    private mutating func make(_ move: Move) {
        switch move {
        case .turn(let strip): strips[strip].reverse()
        case .swap(let strip, let first, let second): strips[strip].swapAt(first, second)
        case .swapStrips(let first, let second):
            strips.swapAt(first, second)
            widths.swapAt(first, second)
        }
        arrange()
    }

    private mutating func arrange() {
        var centres = centres
        place { index, x, y in
            let layout = plan.rectangles[index].layout
            centres[index] = (Double(x) + Double(layout.columns) / 2, Double(y) + Double(layout.rows) / 2)
        }
        self.centres = centres
    }

    private func place(_ body: (_ index: Int, _ x: Int, _ y: Int) -> Void) {
        var x = 0
        for (strip, width) in zip(strips, widths) {
            var y = 0
            for index in strip {
                body(index, x, y)
                y += plan.rectangles[index].layout.rows
            }
            x += width
        }
    }

    private var wireLength: Double {
        let count = plan.graph.kernels.count
        var sum = 0.0
        for replica in 0..<plan.replicas {
            for edge in plan.graph.edges {
                let (a, b) = (centres[replica * count + edge.from], centres[replica * count + edge.to])
                sum += edge.bytes * (abs(a.x - b.x) + abs(a.y - b.y))
            }
        }
        return sum
    }
}
