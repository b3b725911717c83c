/// How well a fit predicts rows that it has not seen, and so how wide a prediction's interval must be.
public struct CrossValidation: Sendable {
    /// One way to hold rows out.
    public struct Fold: Sendable {
        /// What was held out, in words.
        public var name: String
        /// The errors of the rows held out, in per cent, by row.
        public var errors: [(row: PublishedCase, percent: Double)]

        /// The mean absolute error, in per cent.
        public var meanAbsolutePercent: Double {
            errors.isEmpty ? 0 : errors.reduce(0) { $0 + abs($1.percent) } / Double(errors.count)
        }
    }

    /// The folds.
    public var folds: [Fold]

    /// Fits once for every fold: each tenth of the one-device rows; each stack's rows of several devices; the rows over
    /// several nodes of each profile.
    public init(rows: [PublishedCase], base: Calibration) throws(PerformanceModelError) {
        var held: [(name: String, rows: Set<Int>)] = []
        let single = rows.indices.filter { rows[$0].ranks == 1 }
        for fold in 0..<10 {
            let part = single.enumerated().filter { $0.offset % 10 == fold }.map(\.element)
            held.append(("one device, part \(fold + 1) of 10", Set(part)))
        }
        for stack in Set(rows.map(\.stack)).sorted() {
            held.append(
                (
                    "\(stack), several devices",
                    Set(rows.indices.filter { rows[$0].stack == stack && rows[$0].ranks > 1 })
                ))
        }
        for hardware in Set(rows.map(\.hardware)).sorted() {
            held.append(
                (
                    "\(hardware), several nodes",
                    Set(rows.indices.filter { rows[$0].hardware == hardware && rows[$0].nodes > 1 })
                ))
        }
        folds = []
        for (name, out) in held where !out.isEmpty && out.count < rows.count {
            let seen = rows.indices.filter { !out.contains($0) }.map { rows[$0] }
            let found = try CalibrationFit(rows: seen, base: base).run().calibration
            var errors: [(row: PublishedCase, percent: Double)] = []
            for index in out.sorted() {
                errors.append((rows[index], try found.errorPercent(of: rows[index])))
            }
            folds.append(Fold(name: name, errors: errors))
        }
    }

    /// The half-widths that nine in ten of the held-out errors lie within, by the kind of row.
    public func interval(fallback: SharedConstants.Interval) -> SharedConstants.Interval {
        let all = folds.flatMap(\.errors)
        func width(_ test: (PublishedCase) -> Bool, _ fallback: Double) -> Double {
            let errors = all.filter { test($0.row) }.map { abs($0.percent) }.sorted()
            guard errors.count >= 5 else { return fallback }
            return errors[min(errors.count - 1, Int((0.9 * Double(errors.count)).rounded(.up)) - 1)]
        }
        return SharedConstants.Interval(
            oneDevicePercent: width({ $0.ranks == 1 }, fallback.oneDevicePercent),
            oneNodePercent: width({ $0.ranks > 1 && $0.nodes == 1 }, fallback.oneNodePercent),
            severalNodesPercent: width({ $0.nodes > 1 }, fallback.severalNodesPercent),
            extrapolatedFactor: fallback.extrapolatedFactor)
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
