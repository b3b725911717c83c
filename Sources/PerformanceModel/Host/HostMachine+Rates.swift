extension HostMachine {
    /// Rates at a width, a sequence length, tokens of a pass and a number of busy lanes, between and beside what was measured.
    ///
    /// Widths and lengths are interpolated on logarithms, the nearest beyond them. By tokens, a unit of work takes a + b / n:
    /// each has its own share, and a pass pays once for reading its weights.
    public func rates(hidden: Int, sequence: Int, tokens: Int, busy: Int) -> Rates {
        let measured = rates.filter { $0.busy == nearest(rates.map(\.busy), to: busy) }
        return Self.interpolated(measured, [(\.hidden, hidden), (\.sequence, sequence)], tokens) ?? rates[0]
    }

    /// Interpolates along the first axis between its neighbours, each interpolated along the rest.
    private static func interpolated(
        _ measured: [Rates], _ axes: [(KeyPath<Rates, Int>, Int)], _ tokens: Int
    ) -> Rates? {
        guard let (axis, wanted) = axes.first else { return along(measured.sorted { $0.tokens < $1.tokens }, tokens) }
        let values = measured.map { $0[keyPath: axis] }
        guard let least = values.min(), let most = values.max() else { return nil }
        let low = values.filter { $0 <= wanted }.max() ?? least
        let high = values.filter { $0 >= wanted }.min() ?? most
        func at(_ value: Int) -> Rates? {
            interpolated(measured.filter { $0[keyPath: axis] == value }, Array(axes.dropFirst()), tokens)
        }
        guard low < high else { return at(low) }
        guard let left = at(low), let right = at(high) else { return at(low) ?? at(high) }
        let share = Logarithm.share(of: wanted, from: low, to: high)
        return left.blended(with: right) { Logarithm.mix($0, $1, share) }
    }

    /// The rates at `tokens`, of `measured` in their order: on the line through the nearest two.
    private static func along(_ measured: [Rates], _ tokens: Int) -> Rates? {
        guard measured.count > 1 else { return measured.first }
        let after = measured.firstIndex { $0.tokens > tokens } ?? measured.count
        let place = min(max(after - 1, 0), measured.count - 2)
        let (low, high) = (measured[place], measured[place + 1])
        guard low.tokens < high.tokens else { return low }
        let (near, far) = (1 / Double(low.tokens), 1 / Double(high.tokens))
        let share = (near - 1 / Double(max(1, tokens))) / (near - far)
        // Few tokens beside what was measured take the line far away from it.
        return low.blended(with: high) { max($0 + ($1 - $0) * share, min($0, $1) / 2) }
    }

    private func nearest(_ values: [Int], to wanted: Int) -> Int {
        values.min { (abs($0 - wanted), $0) < (abs($1 - wanted), $1) } ?? wanted
    }
}

extension HostMachine.Rates {
    /// A point between two, or beside them: `mix` is given what a unit of work takes at each.
    fileprivate func blended(with other: Self, mix: (Double, Double) -> Double) -> Self {
        func time(_ value: (Self) -> Double) -> Double { mix(value(self), value(other)) }
        func speed(_ value: (Self) -> Double) -> Double { 1 / mix(1 / value(self), 1 / value(other)) }
        return Self(
            hidden: hidden, sequence: sequence, tokens: tokens, busy: busy,
            encoderGigaflopsPerSecond: speed(\.encoderGigaflopsPerSecond),
            lastLayerGigaflopsPerSecond: speed(\.lastLayerGigaflopsPerSecond),
            headGigaflopsPerSecond: speed(\.headGigaflopsPerSecond), attentionNanoseconds: time(\.attentionNanoseconds),
            attentionElementNanoseconds: time(\.attentionElementNanoseconds),
            elementwiseGigabytesPerSecond: speed(\.elementwiseGigabytesPerSecond),
            logitNanoseconds: time(\.logitNanoseconds), embeddingNanoseconds: time(\.embeddingNanoseconds),
            overhead: time(\.overhead))
    }
}
