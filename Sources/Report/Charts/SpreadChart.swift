/// Repeated measurements: a row a group, a mark a run, a bar from end to end of the median's interval and a line at the
/// median. Groups are told apart by their names and marks.
struct SpreadChart {
    /// A group.
    struct Row {
        var name: String
        /// The style sheet's class that gives the colour: `wafer`, `cluster`.
        var colour: String
        var values: [Double]
        var spread: SeedSpread?
    }

    var id: String
    var title: String
    var rows: [Row]

    private static let width = 720.0
    private static let rowHeight = 58.0
    private static let bottom = 50.0

    /// The picture. Its axis need not begin at zero: it is distances that are looked at.
    func svg() -> String {
        let values = rows.flatMap(\.values)
        let axis = LineChart.Axis.hostTime(through: values.max() ?? 0)
        let ticks = Ticks(
            from: (values.min() ?? 0) * axis.scale, through: (values.max() ?? 1) * axis.scale, about: 6)
        let height = Double(rows.count) * Self.rowHeight + Self.bottom
        let range = ticks.range
        let plot = Plot(
            left: 14, top: 0, right: Self.width - 28, bottom: height - Self.bottom,
            x: (range.lowerBound / axis.scale)...(range.upperBound / axis.scale), y: 0...1)
        var svg = SVG()
        for (value, label) in zip(ticks.values, ticks.labels(unit: axis.unit)) {
            let x = plot.x(value / axis.scale)
            svg.line(x, 26, x, plot.bottom, class: "grid")
            svg.text(label, x: x, y: plot.bottom + 19, anchor: .middle, class: "tick")
        }
        svg.text(axis.title, x: plot.right, y: height - 4, anchor: .end, class: "axis-title")
        for (index, row) in rows.enumerated() { draw(row, y: Double(index) * Self.rowHeight + 40, in: &svg, plot) }
        return svg.document(id: id, width: Self.width, height: height, title: title, description: description)
    }

    private func draw(_ row: Row, y: Double, in svg: inout SVG, _ plot: Plot) {
        svg.text(row.name, x: 1, y: y - 18, class: "bar-name")
        if let spread = row.spread {
            let low = plot.x(spread.medianLow ?? spread.median)
            let high = plot.x(spread.medianHigh ?? spread.median)
            svg.rectangle(x: low, y: y - 7, width: max(1, high - low), height: 14, class: "interval \(row.colour)")
            svg.line(plot.x(spread.median), y - 10, plot.x(spread.median), y + 10, class: "median")
        }
        let mark: SeriesStyle.Mark = row.colour == "wafer" ? .circle : .square
        for value in row.values {
            svg.mark(mark, x: plot.x(value), y: y, radius: 4, class: "mark \(mark.rawValue) \(row.colour)")
        }
    }

    private var description: String {
        rows.map { row in
            let duration = FigureFormat.duration
            return "\(row.name): \(row.values.map(duration.text).joined(separator: ", ")); median "
                + duration.text(row.spread?.median)
        }.joined(separator: ". ") + ". A mark a run, a line at the median, a bar over its 95 % interval. Host clock."
    }
}
