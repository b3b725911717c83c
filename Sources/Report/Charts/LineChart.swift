/// Lines over two axes, drawn as an SVG picture that is legible at 360 pixels and at 600.
struct LineChart {
    /// An axis.
    struct Axis {
        /// What it measures, and its unit.
        var title: String
        /// What is multiplied to a value to label it, and what follows the label.
        var scale: Double
        var unit: String
        /// Whether it must begin at zero.
        var includesZero: Bool

        init(_ title: String, scale: Double = 1, unit: String = "", includesZero: Bool = false) {
            self.title = title
            self.scale = scale
            self.unit = unit
            self.includesZero = includesZero
        }

        /// An axis of host time through `seconds`, in the unit that suits it.
        static func hostTime(through seconds: Double) -> Axis { time(through: seconds, clock: "host clock") }

        /// An axis of time of that clock through `seconds`, in the unit that suits it.
        static func time(through seconds: Double, clock: String) -> Axis {
            switch seconds {
            case ..<0.5: Axis("\(clock), ms", scale: 1e3, includesZero: true)
            case ..<300: Axis("\(clock), s", includesZero: true)
            case ..<10_800: Axis("\(clock), min", scale: 1 / 60.0, includesZero: true)
            case ..<259_200: Axis("\(clock), h", scale: 1 / 3_600.0, includesZero: true)
            default: Axis("\(clock), days", scale: 1 / 86_400.0, includesZero: true)
            }
        }
    }

    /// A line.
    struct Series {
        var name: String
        var style: SeriesStyle
        /// x and y; nil where there is no value.
        var points: [(x: Double, y: Double?)]
    }

    /// A level that the lines are read against.
    struct Reference {
        var name: String
        var y: Double
    }

    var id: String
    var title: String
    var description: String
    var x: Axis
    var y: Axis
    var series: [Series]
    var references: [Reference] = []
    /// The picture's size, in units that are pixels where it is shown at its own size.
    var width = 520.0
    var height = 300.0

    private static let left = 58.0
    private static let right = 16.0
    private static let top = 30.0
    private static let bottom = 48.0
    /// More points than pixels are not seen.
    private static let mostPoints = 400

    /// The picture.
    func svg() -> String {
        let xs = series.flatMap { $0.points.map(\.x) }.filter(\.isFinite)
        let ys = (series.flatMap { $0.points.compactMap(\.y) } + references.map(\.y)).filter(\.isFinite)
        // Ticks are made of what is shown, so that minutes are divided as minutes.
        let xTicks = Self.ticks(xs, axis: x, about: 6)
        let yTicks = Self.ticks(ys, axis: y, about: 5)
        // The x axis ends where the data does; only its ticks are round.
        let xRange = (xs.min().map { min($0, x.includesZero ? 0 : $0) } ?? 0)...max(xs.max() ?? 1, 1e-12)
        let plot = Plot(
            left: Self.left, top: Self.top, right: width - Self.right, bottom: height - Self.bottom,
            x: xRange, y: (yTicks.range.lowerBound / y.scale)...(yTicks.range.upperBound / y.scale))

        var svg = SVG()
        drawAxes(in: &svg, plot, xTicks, yTicks)
        for reference in references {
            let level = plot.y(reference.y)
            svg.line(plot.left, level, plot.right, level, class: "reference")
            svg.text(reference.name, x: plot.right, y: level - 5, anchor: .end, class: "reference-label")
        }
        // Unbroken lines first: where a dashed one lies on top, both are seen.
        for (index, line) in series.enumerated().sorted(by: { $0.element.style.dash < $1.element.style.dash }) {
            draw(line, phase: Double(index) / Double(max(1, series.count)), in: &svg, plot)
        }
        return svg.document(
            id: id, width: width, height: height, title: title, description: description)
    }

    private static func ticks(_ values: [Double], axis: Axis, about count: Int) -> Ticks {
        let scaled = values.map { $0 * axis.scale }
        let low = min(scaled.min() ?? 0, axis.includesZero ? 0 : .infinity)
        return Ticks(from: low, through: max(scaled.max() ?? 1, low), about: count)
    }

    private func drawAxes(in svg: inout SVG, _ plot: Plot, _ xTicks: Ticks, _ yTicks: Ticks) {
        svg.text(y.title, x: 0, y: 14, class: "axis-title")
        for (value, label) in zip(yTicks.values, yTicks.labels(unit: y.unit)) {
            let level = plot.y(value / y.scale)
            svg.line(plot.left, level, plot.right, level, class: "grid")
            svg.text(label, x: plot.left - 8, y: level + 4, anchor: .end, class: "tick")
        }
        svg.line(plot.left, plot.bottom, plot.right, plot.bottom, class: "axis")
        for (value, label) in zip(xTicks.values, xTicks.labels(unit: x.unit)) {
            let position = value / x.scale
            guard position >= plot.xRange.lowerBound, position <= plot.xRange.upperBound * 1.0001 else { continue }
            svg.line(plot.x(position), plot.bottom, plot.x(position), plot.bottom + 5, class: "axis")
            svg.text(label, x: plot.x(position), y: plot.bottom + 19, anchor: .middle, class: "tick")
        }
        svg.text(x.title, x: plot.right, y: height - 6, anchor: .end, class: "axis-title")
    }

    /// Draws a line and its marks. Where lines lie on top of each other their marks still alternate, by `phase`.
    private func draw(_ line: Series, phase: Double, in svg: inout SVG, _ plot: Plot) {
        let points = Self.thinned(line.points)
        let placed = points.map { point in
            point.y.flatMap { $0.isFinite ? (x: plot.x(point.x), y: plot.y($0)) : nil }
        }
        svg.path(placed, class: "line \(line.style.colour) dash-\(line.style.dash)")
        let visible = placed.compactMap { $0 }
        guard let last = visible.last else { return }
        if visible.count <= 16 {
            for point in visible {
                svg.mark(
                    line.style.mark, x: point.x, y: point.y, radius: 4,
                    class: "mark \(line.style.mark.rawValue) \(line.style.colour)")
            }
        } else {
            let marks = 8
            for number in 0..<marks {
                let share = (Double(number) + 0.15 + phase) / Double(marks)
                let point = visible[min(visible.count - 1, Int(share * Double(visible.count)))]
                svg.mark(
                    line.style.mark, x: point.x, y: point.y, radius: 4,
                    class: "mark \(line.style.mark.rawValue) \(line.style.colour)")
            }
            svg.mark(
                line.style.mark, x: last.x, y: last.y, radius: 4,
                class: "mark \(line.style.mark.rawValue) \(line.style.colour)")
        }
    }

    /// At most `mostPoints`: of each stretch its lowest and its highest, in order, so that no spike is lost.
    static func thinned(_ points: [(x: Double, y: Double?)]) -> [(x: Double, y: Double?)] {
        guard points.count > mostPoints else { return points }
        let stretches = mostPoints / 2
        return (0..<stretches).flatMap { stretch -> [(x: Double, y: Double?)] in
            let range = stretch * points.count / stretches..<(stretch + 1) * points.count / stretches
            let known = range.filter { points[$0].y?.isFinite == true }
            let low = known.min { (points[$0].y ?? 0) < (points[$1].y ?? 0) }
            let high = known.max { (points[$0].y ?? 0) < (points[$1].y ?? 0) }
            guard let low, let high else { return range.prefix(1).map { points[$0] } }
            return Set([low, high]).sorted().map { points[$0] }
        }
    }
}

/// Where values lie in a picture.
struct Plot {
    var left: Double
    var top: Double
    var right: Double
    var bottom: Double
    var xRange: ClosedRange<Double>
    var yRange: ClosedRange<Double>

    init(left: Double, top: Double, right: Double, bottom: Double, x: ClosedRange<Double>, y: ClosedRange<Double>) {
        self.left = left
        self.top = top
        self.right = right
        self.bottom = bottom
        xRange = x
        yRange = y
    }

    func x(_ value: Double) -> Double {
        let length = xRange.upperBound - xRange.lowerBound
        return length > 0 ? left + (value - xRange.lowerBound) / length * (right - left) : (left + right) / 2
    }

    func y(_ value: Double) -> Double {
        let length = yRange.upperBound - yRange.lowerBound
        return length > 0 ? bottom - (value - yRange.lowerBound) / length * (bottom - top) : (top + bottom) / 2
    }
}
