import Jobs

/// How well a fit predicts rows that it has not seen, and so how wide a prediction's interval must be.
public struct CrossValidation: Sendable {
    /// One way to hold rows out.
    public struct Fold: Sendable {
        /// What the held-out rows are to the fit.
        public enum Kind: Hashable, Sendable {
            /// Any rows: their stack, scale and machine remain among the rows seen.
            case random
            /// A scale that no row seen reaches: a number of nodes, several nodes of a machine, several devices of a stack.
            case scale
            /// A stack of which no row is seen.
            case stack
        }

        /// What was held out, in words.
        public var name: String
        /// What that is to the fit.
        public var kind: Kind
        /// The errors of the rows held out, in per cent, by row.
        public var errors: [(row: PublishedCase, percent: Double)]

        /// The mean absolute error, in per cent.
        public var meanAbsolutePercent: Double {
            errors.isEmpty ? 0 : errors.reduce(0) { $0 + abs($1.percent) } / Double(errors.count)
        }
    }

    /// The folds.
    public var folds: [Fold]

    /// Fits once for every fold: a random fifth; each number of nodes; several nodes of each machine; several devices of
    /// each stack; each stack as a whole.
    public init(rows: [PublishedCase], base: Calibration) throws(PerformanceModelError) {
        folds = []
        for (name, kind, out) in Self.parts(of: rows) where !out.isEmpty && out.count < rows.count {
            let seen = rows.indices.filter { !out.contains($0) }.map { rows[$0] }
            let found = try CalibrationFit(rows: seen, base: base.without(rows: seen)).run().calibration
            var errors: [(row: PublishedCase, percent: Double)] = []
            for index in out.sorted() { errors.append((rows[index], try found.errorPercent(of: rows[index]))) }
            folds.append(Fold(name: name, kind: kind, errors: errors))
        }
    }

    private static func parts(of rows: [PublishedCase]) -> [(name: String, kind: Fold.Kind, rows: Set<Int>)] {
        var parts: [(name: String, kind: Fold.Kind, rows: Set<Int>)] = []
        func hold(_ name: String, _ kind: Fold.Kind, _ test: (PublishedCase) -> Bool) {
            parts.append((name, kind, Set(rows.indices.filter { test(rows[$0]) })))
        }
        let order = shuffled(rows.count)
        for fold in 0..<5 {
            let part = order.enumerated().filter { $0.offset % 5 == fold }.map(\.element)
            parts.append(("random fifth \(fold + 1)", .random, Set(part)))
        }
        for nodes in Set(rows.map(\.nodes)).sorted() where nodes > 1 {
            hold("\(nodes) nodes", .scale) { $0.nodes == nodes }
        }
        hold("several nodes", .scale) { $0.nodes > 1 }
        for hardware in Set(rows.map(\.hardware)).sorted() {
            hold("several nodes of \(hardware)", .scale) { $0.hardware == hardware && $0.nodes > 1 }
        }
        for stack in Set(rows.map(\.stack)).sorted() {
            hold("several devices of \(stack)", .scale) { $0.stack == stack && $0.ranks > 1 }
        }
        for stack in Set(rows.map(\.stack)).sorted() { hold("all of \(stack)", .stack) { $0.stack == stack } }
        return parts
    }

    /// The numbers below `count` in an order that is always the same.
    private static func shuffled(_ count: Int) -> [Int] {
        var random = CounterRandom(seed: 1, purpose: .syntheticText)
        let keys = (0..<count).map { _ in random.nextUnit() }
        return (0..<count).sorted { (keys[$0], $0) < (keys[$1], $1) }
    }

    /// The half-widths that nine in ten of the held-out errors lie within, by the kind of row; a row that several folds
    /// hold out counts once, with its largest error.
    public func interval(fallback: SharedConstants.Interval) -> SharedConstants.Interval {
        func width(_ kinds: Set<Fold.Kind>, _ fallback: Double, _ test: (PublishedCase) -> Bool) -> Double {
            var worst: [String: Double] = [:]
            for (row, percent) in folds.filter({ kinds.contains($0.kind) }).flatMap(\.errors) where test(row) {
                worst[row.id] = max(worst[row.id] ?? 0, abs(percent))
            }
            let errors = worst.values.sorted()
            guard errors.count >= 5 else { return fallback }
            // The quantile that covers the next row nine times in ten (Vovk et al. 2005, conformal prediction).
            return errors[min(errors.count - 1, Int((0.9 * Double(errors.count + 1)).rounded(.up)) - 1)]
        }
        let one = width([.random], fallback.oneDevicePercent) { $0.ranks == 1 }
        let node = max(one, width([.random, .scale], fallback.oneNodePercent) { $0.ranks > 1 && $0.nodes == 1 })
        let nodes = max(node, width([.scale], fallback.severalNodesPercent) { $0.nodes > 1 })
        return SharedConstants.Interval(
            oneDevicePercent: one, oneNodePercent: node, severalNodesPercent: nodes,
            unknownStackPercent: max(nodes, width([.stack], fallback.unknownStackPercent) { _ in true }),
            extrapolatedFactor: fallback.extrapolatedFactor)
    }
}

extension Calibration {
    /// The same without what it says of stacks that `rows` hold nothing of: they are predicted as unknown ones.
    func without(rows: [PublishedCase]) -> Calibration {
        var result = self
        let seen = Set(rows.map(\.stack))
        for index in result.stacks.indices where !seen.contains(result.stacks[index].name) {
            result.stacks[index].efficiency = [:]
            result.stacks[index].launchMicroseconds = nil
        }
        return result
    }
}

extension Calibration {
    /// The predicted throughput of `row`, in sequences a second.
    public func sequencesPerSecond(_ row: PublishedCase) throws(PerformanceModelError) -> Double {
        let setup = try row.setup()
        let step = ClusterStep(setup, constants(for: setup, stack: stackOrTypical(row.stack)))
        return Double(setup.globalBatch) / step.total
    }

    /// By how many per cent the predicted throughput of `row` is above the published one.
    public func errorPercent(of row: PublishedCase) throws(PerformanceModelError) -> Double {
        100 * (try sequencesPerSecond(row) / row.sequencesPerSecond - 1)
    }
}
