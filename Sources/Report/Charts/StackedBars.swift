/// Horizontal bars of stacked parts on one scale. Parts are told apart by shade and by pattern.
struct StackedBars {
    /// A bar.
    struct Bar {
        var name: String
        /// The style sheet's class that gives the colour: `wafer`, `cluster`.
        var colour: String
        /// The parts' classes and lengths.
        var parts: [(class: String, value: Double)]
        /// What stands behind the bar.
        var total: String
    }

    var id: String
    var title: String
    var description: String
    var bars: [Bar]
    var axis: LineChart.Axis

    private static let width = 720.0
    private static let rowHeight = 64.0
    private static let barHeight = 22.0
    private static let bottom = 52.0

    /// The picture: names above their bars, so that a long one needs no margin.
    func svg() -> String {
        let longest = bars.map { $0.parts.reduce(0) { $0 + $1.value } }.max() ?? 1
        let ticks = Ticks(from: 0, through: longest * axis.scale, about: 6)
        let height = Double(bars.count) * Self.rowHeight + Self.bottom
        let plot = Plot(
            left: 1, top: 0, right: Self.width - 28, bottom: height - Self.bottom, x: 0...max(longest, 1e-12), y: 0...1)
        var svg = SVG()
        for (value, label) in zip(ticks.values, ticks.labels(unit: axis.unit))
        where value / axis.scale <= longest * 1.02 {
            let position = plot.x(value / axis.scale)
            svg.line(position, 28, position, plot.bottom, class: "grid")
            svg.text(label, x: position, y: plot.bottom + 20, anchor: value == 0 ? .start : .middle, class: "tick")
        }
        svg.text(axis.title, x: Self.width - 28, y: height - 4, anchor: .end, class: "axis-title")
        for (index, bar) in bars.enumerated() {
            let top = Double(index) * Self.rowHeight
            svg.text(bar.name, x: 1, y: top + 22, class: "bar-name")
            svg.text(bar.total, x: plot.right, y: top + 22, anchor: .end, class: "bar-total")
            var start = 0.0
            for part in bar.parts where part.value > 0 {
                let (from, through) = (plot.x(start), plot.x(start + part.value))
                // A hair of paper between parts, as long as the part is wider than it.
                let gap = through - from > 3 ? 1.5 : 0
                svg.rectangle(
                    x: from, y: top + 31, width: max(0.5, through - from - gap), height: Self.barHeight,
                    class: "part \(bar.colour) \(part.class)")
                start += part.value
            }
        }
        return svg.document(id: id, width: Self.width, height: height, title: title, description: description)
    }
}
