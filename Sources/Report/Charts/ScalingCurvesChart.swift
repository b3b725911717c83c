#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Scaling curves of all clocks in one picture, against the number of workers on a logarithmic axis: their throughput, or
/// their efficiency. Clocks are told apart by mark and dash, not by colour alone.
struct ScalingCurvesChart {
    /// What is drawn.
    enum Quantity: String {
        case throughput, efficiency

        var title: String {
            switch self {
            case .throughput: "Throughput against workers"
            case .efficiency: "Efficiency against workers"
            }
        }
    }

    var quantity: Quantity
    var curves: [ScalingCurve]

    private static let (width, height) = (520.0, 320.0)

    /// The picture.
    func svg() -> String {
        let plot = self.plot
        var svg = SVG()
        drawAxes(in: &svg, plot)
        for (curve, style) in zip(curves, Self.styles(of: curves)) { draw(curve, style, in: &svg, plot) }
        return svg.document(
            id: "scaling-" + quantity.rawValue, width: Self.width, height: Self.height, title: quantity.title,
            description: curves.map(\.name).joined(separator: "; ") + ". The table below has the figures.")
    }

    /// A style for each curve: the mark tells its basis, the dash besides tells curves of one basis apart.
    static func styles(of curves: [ScalingCurve]) -> [SeriesStyle] {
        var seen: [ScalingCurve.Basis: Int] = [:]
        return curves.map { curve in
            let number = seen[curve.basis, default: 0]
            seen[curve.basis] = number + 1
            let (colour, mark, dash): (String, SeriesStyle.Mark, Int) =
                switch curve.basis {
                case .measured: ("measured", .circle, 0)
                case .emulated: ("cluster", .square, 0)
                case .replayed: ("neutral", .triangle, 4)
                case .predicted: ("neutral", .diamond, 1)
                }
            return SeriesStyle(colour: colour, mark: mark, dash: number == 0 ? dash : 1 + (dash + number) % 5)
        }
    }

    private func value(_ point: ScalingCurve.Point) -> Double? {
        switch quantity {
        case .throughput: point.sequencesPerSecond > 0 ? log10(point.sequencesPerSecond) : nil
        case .efficiency: point.scalingEfficiency
        }
    }

    private var plot: Plot {
        let points = curves.flatMap(\.points)
        let sizes = points.map { log2(Double($0.workers)) }
        let values = points.compactMap(value)
        let range: ClosedRange<Double> =
            switch quantity {
            case .throughput: ((values.min() ?? 0) - 0.15)...((values.max() ?? 1) + 0.15)
            case .efficiency: 0...max(1.05, (values.max() ?? 1) * 1.05)
            }
        return Plot(
            left: 62, top: 30, right: Self.width - 16, bottom: Self.height - 46,
            x: ((sizes.min() ?? 0) - 0.2)...(max(sizes.max() ?? 1, (sizes.min() ?? 0) + 1) + 0.2), y: range)
    }

    private func drawAxes(in svg: inout SVG, _ plot: Plot) {
        svg.text(
            quantity == .throughput ? "sequences a second of each clock" : "of the smallest size’s, by worker", x: 0,
            y: 14, class: "axis-title")
        for (value, label) in levels(of: plot.yRange) {
            let y = plot.y(value)
            svg.line(plot.left, y, plot.right, y, class: "grid")
            svg.text(label, x: plot.left - 8, y: y + 4, anchor: .end, class: "tick")
        }
        svg.line(plot.left, plot.bottom, plot.right, plot.bottom, class: "axis")
        for power in Int(plot.xRange.lowerBound.rounded(.up))...max(1, Int(plot.xRange.upperBound.rounded(.down))) {
            let x = plot.x(Double(power))
            svg.line(x, plot.bottom, x, plot.bottom + 5, class: "axis")
            svg.text("\(1 << power)", x: x, y: plot.bottom + 19, anchor: .middle, class: "tick")
        }
        svg.text("workers, one device each", x: plot.right, y: Self.height - 6, anchor: .end, class: "axis-title")
    }

    /// Round levels within `range`: powers of ten with 2 and 5 between them where that leaves few, or quarters of the whole.
    private func levels(of range: ClosedRange<Double>) -> [(Double, String)] {
        if quantity == .efficiency {
            return stride(from: 0, through: range.upperBound, by: 0.25).map {
                ($0, FigureFormat.percent.text($0))
            }
        }
        let isWide = range.upperBound.rounded(.up) - range.lowerBound.rounded(.down) >= 4
        return Ticks.logarithmic(range, digits: isWide ? [1] : [1, 2, 5]).map {
            ($0.logarithm, FigureFormat.grouped($0.value, decimals: max(0, -$0.power)))
        }
    }

    private func draw(_ curve: ScalingCurve, _ style: SeriesStyle, in svg: inout SVG, _ plot: Plot) {
        let places = curve.points.compactMap { point in
            value(point).map { (x: plot.x(log2(Double(point.workers))), y: plot.y($0), point: point) }
        }
        svg.path(places.map { ($0.x, $0.y) }, class: "line \(style.colour) dash-\(style.dash)")
        for place in places {
            if quantity == .throughput, let low = place.point.low, let high = place.point.high, low > 0 {
                svg.line(place.x, plot.y(log10(low)), place.x, plot.y(log10(high)), class: "axis")
            }
            svg.mark(
                style.mark, x: place.x, y: place.y, radius: 4,
                class: "mark \(style.mark.rawValue) \(style.colour)")
        }
    }
}
