/// Shortens a plan's wires without changing any rectangle's size: turns strips over, swaps rectangles within a strip and
/// whole strips, as long as any of these helps.
struct WireSearch {
    private var plan: FloorPlan
    /// Indices of rectangles, from top to bottom, strip by strip.
    private var strips: [[Int]]
    private var widths: [Int]

    /// Rounds over all moves; a plan of BERT-Large stands still after four or five.
    private static let mostRounds = 12

    init(_ plan: FloorPlan, strips: FloorPlanner.Strips) {
        self.plan = plan
        let count = plan.graph.kernels.count
        self.strips = strips.items.map { $0.map { $0.replica * count + $0.kernel } }
        widths = strips.widths
    }

    /// The plan after the search.
    consuming func shortened() -> FloorPlan {
        // A sample walks down one strip and up the next.
        for strip in strips.indices where strip % 2 == 1 { strips[strip].reverse() }
        arrange()
        var length = plan.meanWireCores
        for _ in 0..<Self.mostRounds {
            let before = length
            for move in moves() where isPossible(move) {
                make(move)
                let next = plan.meanWireCores
                if next < length { length = next } else { make(move) }
            }
            if length == before { break }
        }
        return plan
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

    /// Puts every rectangle where its strip has it.
    private mutating func arrange() {
        var x = 0
        for (strip, width) in zip(strips, widths) {
            var y = 0
            for index in strip {
                plan.rectangles[index].x = x
                plan.rectangles[index].y = y
                y += plan.rectangles[index].layout.rows
            }
            x += width
        }
    }
}
