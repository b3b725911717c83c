/// One step of a cluster: a row a worker, time to the right, and the critical path as a line under the stretches that it
/// leads through. Parts are told apart by texture, the path by its line.
struct StepGantt {
    var id: String
    var title: String
    var path: CriticalPath

    private static let width = 720.0
    private static let left = 76.0
    private static let top = 8.0
    private static let rowHeight = 40.0
    private static let barHeight = 20.0
    private static let bottom = 46.0
    /// More rows than this are not drawn.
    static let mostRows = 16

    /// The ranks that are drawn: those on the path, and as many of the others as there is room for.
    var ranks: [Int] {
        let all = Set(path.stretches.map(\.rank)).sorted()
        let onPath = Set(path.ranks)
        let others = all.filter { !onPath.contains($0) }.prefix(max(0, Self.mostRows - onPath.count))
        return (all.filter(onPath.contains) + others).sorted()
    }

    /// The picture.
    func svg() -> String {
        let ranks = ranks
        let rows = Dictionary(uniqueKeysWithValues: ranks.enumerated().map { ($1, $0) })
        let height = Self.top + Double(ranks.count) * Self.rowHeight + Self.bottom
        let axis = LineChart.Axis.hostTime(through: path.stepHostSeconds)
        let plot = Plot(
            left: Self.left, top: Self.top, right: Self.width - 28, bottom: height - Self.bottom,
            x: 0...max(path.stepHostSeconds, 1e-12), y: 0...1)
        var svg = SVG()
        let ticks = Ticks(from: 0, through: path.stepHostSeconds * axis.scale, about: 6)
        for (value, label) in zip(ticks.values, ticks.labels(unit: axis.unit))
        where value / axis.scale <= path.stepHostSeconds * 1.02 {
            let x = plot.x(value / axis.scale)
            svg.line(x, plot.top, x, plot.bottom, class: "grid")
            svg.text(label, x: x, y: plot.bottom + 18, anchor: .middle, class: "tick")
        }
        svg.text(axis.title, x: plot.right, y: height - 4, anchor: .end, class: "axis-title")
        for rank in ranks {
            svg.text("worker \(rank)", x: Self.left - 10, y: Self.bar(rows[rank]) + 15, anchor: .end, class: "bar-name")
        }
        for stretch in path.stretches {
            guard let row = rows[stretch.rank] else { continue }
            let (from, through) = (plot.x(stretch.startHostSeconds), plot.x(stretch.end))
            let gap = through - from > 3 ? 1.5 : 0
            svg.rectangle(
                x: from, y: Self.bar(row), width: max(0.5, through - from - gap), height: Self.barHeight,
                class: "part cluster \(stretch.part)")
        }
        line(in: &svg, plot, rows)
        return svg.document(id: id, width: Self.width, height: height, title: title, description: description)
    }

    private static func bar(_ row: Int?) -> Double { top + Double(row ?? 0) * rowHeight + 6 }
    private static func under(_ row: Int?) -> Double { bar(row) + barHeight + 5 }

    /// The path's line: along its stretches, from row to row where it changes workers, with a mark at its end.
    private func line(in svg: inout SVG, _ plot: Plot, _ rows: [Int: Int]) {
        var points: [(x: Double, y: Double)?] = []
        var last: CriticalPath.Stretch?
        for stretch in path.path {
            let y = Self.under(rows[stretch.rank])
            // Where a worker waits for what nobody's parts account for, the line has a gap.
            if let last, last.rank == stretch.rank, stretch.startHostSeconds > last.end + 1e-9 { points.append(nil) }
            last = stretch
            points.append((plot.x(stretch.startHostSeconds), y))
            points.append((plot.x(stretch.end), y))
        }
        svg.path(points, class: "critical")
        guard let last else { return }
        svg.mark(
            .diamond, x: plot.x(last.end), y: Self.under(rows[last.rank]), radius: 4, class: "critical-end")
    }

    private var description: String {
        let hidden = Set(path.stretches.map(\.rank)).count - ranks.count
        return path.sentence("").plain + " Each worker's row shows the parts of its step; the line "
            + "under them is the critical path. The table below has it."
            + (hidden > 0 ? " \(hidden) workers beside the path are not drawn." : "")
    }
}
