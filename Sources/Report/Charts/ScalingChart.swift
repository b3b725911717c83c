#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// Time against devices, both on logarithmic axes, with the wafer's time as a level: drawn as an SVG picture.
struct ScalingChart {
    var id: String
    var scaling: ModelledScaling

    private static let width = 720.0
    private static let height = 330.0

    /// Durations that people count in, in seconds.
    private static let levels: [(seconds: Double, label: String)] = [
        (1e-3, "1 ms"), (1e-2, "10 ms"), (0.1, "100 ms"), (1, "1 s"), (10, "10 s"), (60, "1 min"), (600, "10 min"),
        (3_600, "1 h"), (36_000, "10 h"), (86_400, "1 day"), (864_000, "10 days"), (8_640_000, "100 days"),
        (86_400_000, "1,000 days"),
    ]

    /// The picture.
    func svg() -> String {
        let plot = self.plot
        var svg = SVG()
        drawAxes(in: &svg, plot)
        if let wafer = scaling.wafer { draw(wafer, in: &svg, plot) }
        drawGrowth(in: &svg, plot)
        drawCluster(in: &svg, plot)
        let wafer = scaling.wafer.map { " \($0.hardware) is drawn as a level." } ?? ""
        return svg.document(
            id: id, width: Self.width, height: Self.height, title: "Time of the whole job against devices",
            description: "Modelled clock, \(scaling.hardware), both axes logarithmic; bars are 90 % intervals.\(wafer) "
                + (scaling.growth == nil ? "" : "Dotted, with diamonds: with a batch that grows with the cluster. ")
                + "The table below has the figures.")
    }

    private var plot: Plot {
        let times =
            scaling.points.flatMap { [$0.lowModelledSeconds, $0.highModelledSeconds] }
            + growthPoints.map(\.timeModelledSeconds)
            + (scaling.wafer.map { [$0.lowModelledSeconds, $0.highModelledSeconds] } ?? [])
        let low = log10(times.filter { $0 > 0 }.min() ?? 1)
        let high = log10(times.max() ?? 1)
        let last = log2(Double(sizes.last ?? 2))
        return Plot(
            left: 76, top: 34, right: Self.width - 18, bottom: Self.height - 46, x: -0.15...(last + 0.15),
            y: (low - 0.12)...(high + 0.12))
    }

    /// Growth is shown as far as it pays, and a little beyond.
    private var growthPoints: [BatchGrowth.Point] {
        guard let growth = scaling.growth else { return [] }
        return growth.points.filter { $0.devices <= 8 * growth.worthwhileDevices }
    }

    /// All sizes that are shown, ascending.
    private var sizes: [Int] {
        Set([1, 2] + scaling.points.map(\.devices) + growthPoints.map(\.devices)).sorted()
    }

    private func drawAxes(in svg: inout SVG, _ plot: Plot) {
        svg.text("whole job, modelled clock", x: 0, y: 14, class: "axis-title")
        for level in levels(of: plot.yRange) {
            let y = plot.y(log10(level.seconds))
            svg.line(plot.left, y, plot.right, y, class: "grid")
            svg.text(level.label, x: plot.left - 8, y: y + 4, anchor: .end, class: "tick")
        }
        svg.line(plot.left, plot.bottom, plot.right, plot.bottom, class: "axis")
        for devices in sizes {
            let x = plot.x(log2(Double(devices)))
            svg.line(x, plot.bottom, x, plot.bottom + 5, class: "axis")
            svg.text("\(devices)", x: x, y: plot.bottom + 19, anchor: .middle, class: "tick")
        }
        svg.text("devices of \(scaling.hardware)", x: plot.right, y: Self.height - 6, anchor: .end, class: "axis-title")
    }

    /// The levels within `range`, a logarithm of seconds; where these are few, also those between powers of ten.
    private func levels(of range: ClosedRange<Double>) -> [(seconds: Double, label: String)] {
        let usual = Self.levels.filter { range.contains(log10($0.seconds)) }
        guard usual.count < 3 else { return usual }
        return Ticks.logarithmic(range).map { ($0.value, FigureFormat.duration.text($0.value)) }
    }

    private func draw(_ wafer: ModelledScaling.Wafer, in svg: inout SVG, _ plot: Plot) {
        let y = plot.y(log10(wafer.timeModelledSeconds))
        svg.path([(plot.left, y), (plot.right, y)], class: "line wafer dash-0")
        svg.text(
            "\(wafer.hardware), \(FigureFormat.duration.text(wafer.timeModelledSeconds))", x: plot.right, y: y - 7,
            anchor: .end, class: "reference-label")
        guard let devices = wafer.devicesToMatch else { return }
        let x = plot.x(log2(Double(devices)))
        svg.line(x, y, x, plot.bottom, class: "reference")
        svg.text("\(devices) match it", x: x + 6, y: plot.bottom - 8, class: "reference-label")
    }

    private func drawCluster(in svg: inout SVG, _ plot: Plot) {
        let places = scaling.points.map { point in
            (x: plot.x(log2(Double(point.devices))), y: plot.y(log10(point.timeModelledSeconds)))
        }
        svg.path(places.map { Optional($0) }, class: "line cluster dash-1")
        for (place, point) in zip(places, scaling.points) {
            svg.line(
                place.x, plot.y(log10(point.lowModelledSeconds)), place.x, plot.y(log10(point.highModelledSeconds)),
                class: "axis")
            svg.mark(.square, x: place.x, y: place.y, radius: 3.6, class: "mark square cluster")
        }
    }

    private func drawGrowth(in svg: inout SVG, _ plot: Plot) {
        let places = growthPoints.map { point in
            (x: plot.x(log2(Double(point.devices))), y: plot.y(log10(point.timeModelledSeconds)))
        }
        guard let last = places.last else { return }
        svg.path(places.map { Optional($0) }, class: "line neutral dash-2")
        for place in places {
            svg.mark(.diamond, x: place.x, y: place.y, radius: 3.4, class: "mark diamond neutral")
        }
        svg.text("the batch grows", x: last.x, y: last.y - 9, anchor: .end, class: "reference-label")
    }
}
