/// Passes under weight streaming, block of weights by block: the way in, the wafer and the way out each do one block at a
/// time, in order, and little lies between them, since weights are never stored on the wafer.
public struct StreamingReplay: Hashable, Sendable {
    /// Blocks that each stage is cut into.
    static let blocks = 128
    /// Blocks that may wait before the wafer, and behind it: one is used while the next comes.
    static let window = 2

    /// A stage's turn of the replay.
    public struct Turn: Hashable, Sendable, Codable {
        /// The stage, and its pass from 0.
        public var stage: Int
        public var pass: Int
        /// Seconds since the step began: when the wafer began its first block, and ended its last.
        public var start: Double
        public var end: Double
    }

    /// The turns, in order.
    public private(set) var turns: [Turn] = []
    /// Seconds until the last gradient was out.
    public private(set) var seconds = 0.0

    /// The replay of `passes` passes of `plan`.
    public init(_ plan: StreamingPlan, passes: Int) {
        var (arrived, computed, left) = (0.0, 0.0, 0.0)
        // When the blocks of the last `window` places began to be computed, and had left.
        var begun = [Double](repeating: 0, count: Self.window)
        var gone = begun
        var block = 0
        for pass in 0..<passes {
            for (index, stage) in plan.stages.enumerated() {
                var start: Double?
                let share = 1 / Double(Self.blocks)
                for _ in 0..<Self.blocks {
                    let slot = block % Self.window
                    arrived = max(arrived, begun[slot]) + stage.inSeconds * share
                    let begin = max(arrived, computed, gone[slot])
                    computed = begin + stage.computeSeconds * share
                    left = max(computed, left) + stage.outSeconds * share
                    (begun[slot], gone[slot]) = (begin, left)
                    start = start ?? begin
                    block += 1
                }
                turns.append(Turn(stage: index, pass: pass, start: start ?? computed, end: computed))
            }
        }
        seconds = left
    }
}
