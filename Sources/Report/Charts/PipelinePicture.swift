import PerformanceModel

/// The first samples through a wafer's pipeline as a Gantt chart: kernels from top to bottom, time to the right.
public struct PipelinePicture {
    private let plan: FloorPlan
    private let replay: PipelineReplay
    private let samples: Int

    private static let width = 900.0
    private static let left = 12.0
    private static let top = 44.0
    private static let plotHeight = 480.0

    /// The chart of the first `samples` samples of one copy of `plan`'s network.
    public init(_ plan: FloorPlan, samples: Int) {
        self.plan = plan
        self.samples = samples
        replay = PipelineReplay(plan, samples: samples)
    }

    /// The chart as a file of its own.
    public func file() -> String {
        var svg = SVG()
        let kernels = plan.graph.kernels.count
        let end = max(replay.cycles, 1)
        func x(_ cycles: Double) -> Double { Self.left + cycles / end * (Self.width - 2 * Self.left) }
        let row = Self.plotHeight / Double(kernels)
        svg.text(
            "\(samples) samples through \(kernels) kernels, \(FigureFormat.significant(replay.cycles / plan.core.hertz * 1e3)) ms",
            x: Self.left, y: 24, class: "title")
        for pass in replay.passes {
            svg.rectangle(
                x: x(pass.start), y: Self.top + Double(pass.kernel) * row, width: max(0.2, x(pass.end) - x(pass.start)),
                height: max(0.5, row - 0.3), class: pass.isBackward ? "b\(pass.sample % 4)" : "f\(pass.sample % 4)")
        }
        let foot = Self.top + Self.plotHeight
        svg.text(
            "kernels from the embedding (top) to the heads (bottom); blue: forward, orange: backward; shades tell samples "
                + "apart", x: Self.left, y: foot + 22, class: "legend")
        let picture = svg.document(
            id: "pipeline", width: Self.width, height: foot + 36, title: "Samples in the wafer's pipeline",
            description: "Gantt chart of forward and backward passes.")
        return SVG.file(picture, style: FloorPlanPicture.colours + Self.style)
    }

    private static let style = """
        .title{font-size:17px;font-weight:600;fill:var(--ink)}.legend{font-size:12px;fill:var(--soft)}\
        .f0,.f1,.f2,.f3{fill:var(--cluster)}.b0,.b1,.b2,.b3{fill:var(--wafer)}\
        .f1,.b1{fill-opacity:.8}.f2,.b2{fill-opacity:.6}.f3,.b3{fill-opacity:.4}
        """
}
