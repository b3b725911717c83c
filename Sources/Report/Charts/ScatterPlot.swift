#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Predicted against published on logarithmic axes, with the line of equality and a band around it.
struct ScatterPlot {
    /// A point.
    struct Point {
        var x: Double
        var y: Double
        var series: Int
        var name: String
    }

    var id: String
    var title: String
    var description: String
    var xTitle: String
    var yTitle: String
    var series: [(name: String, style: SeriesStyle)]
    var points: [Point]
    /// The band's half-width, as a share.
    var band = 0.12

    private static let (side, left, right, top, bottom) = (480.0, 62.0, 16.0, 56.0, 48.0)

    /// The picture.
    func svg() -> String {
        var svg = SVG()
        let shown = points.filter { $0.x > 0 && $0.y > 0 && $0.x.isFinite && $0.y.isFinite }
        let values = shown.flatMap { [$0.x, $0.y] }
        let low = log10(values.min() ?? 1).rounded(.down)
        let high = max(low + 1, log10(values.max() ?? 10).rounded(.up))
        func place(_ value: Double) -> Double { (log10(value) - low) / (high - low) }
        let (width, height) = (Self.side - Self.left - Self.right, Self.side - Self.top - Self.bottom)
        func x(_ value: Double) -> Double { Self.left + width * place(value) }
        func y(_ value: Double) -> Double { Self.side - Self.bottom - height * place(value) }
        let (least, most) = (pow(10, low), pow(10, high))
        for exponent in stride(from: low, through: high, by: 1) {
            let value = pow(10, exponent)
            svg.line(x(value), y(least), x(value), y(most), class: "grid")
            svg.line(x(least), y(value), x(most), y(value), class: "grid")
            svg.text(label(value), x: x(value), y: y(least) + 16, anchor: .middle, class: "tick")
            svg.text(label(value), x: x(least) - 6, y: y(value) + 4, anchor: .end, class: "tick")
        }
        for share in [1 - band, 1 + band] {
            let (from, to) = share < 1 ? (least / share, most) : (least, most / share)
            svg.line(x(from), y(from * share), x(to), y(to * share), class: "grid")
        }
        svg.line(x(least), y(least), x(most), y(most), class: "axis")
        for point in shown {
            let style = series[point.series].style
            svg.mark(
                style.mark, x: x(point.x), y: y(point.y), radius: 3,
                class: "mark \(style.mark.rawValue) \(style.colour)")
        }
        var start = Self.left
        for (name, style) in series {
            svg.mark(style.mark, x: start + 5, y: 10, radius: 4, class: "mark \(style.mark.rawValue) \(style.colour)")
            svg.text(name, x: start + 14, y: 14, class: "tick")
            start += 30 + 7 * Double(name.count)
        }
        svg.text(xTitle, x: Self.left + width / 2, y: Self.side - 10, anchor: .middle, class: "axis-title")
        svg.text(yTitle, x: Self.left, y: Self.top - 14, class: "axis-title")
        return svg.document(id: id, width: Self.side, height: Self.side, title: title, description: description)
    }

    private func label(_ value: Double) -> String {
        value >= 1 && value < 1e7 ? String(Int(value)) : String(value)
    }
}
