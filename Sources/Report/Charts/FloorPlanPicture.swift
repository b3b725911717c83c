import Foundation
import PerformanceModel

/// A wafer's floor plan as a picture: every kernel's rectangle in its place, shaded by how much of the interval between
/// samples it computes, the slowest outlined, cores without a kernel left pale.
public struct FloorPlanPicture {
    private let plan: FloorPlan
    private let title: String

    private static let width = 900.0
    private static let margin = 12.0
    private static let footer = 78.0
    /// Shades of load, from idle to the slowest.
    private static let shades = 6

    /// The picture of `plan`; `title` says what is placed on what.
    public init(_ plan: FloorPlan, title: String) {
        self.plan = plan
        self.title = title
    }

    private var scale: Double { (Self.width - 2 * Self.margin) / Double(plan.columns) }
    private var bottom: Double { 44 + Double(plan.rows) * scale }

    /// The picture for a page that has the report's style sheet.
    public func svg() -> String {
        var svg = SVG()
        svg.text(title, x: Self.margin, y: 24, class: "plan-title")
        svg.rectangle(
            x: Self.margin, y: 44, width: Double(plan.columns) * scale, height: Double(plan.rows) * scale,
            class: "plan-idle")
        let slowest = plan.slowest
        for rectangle in plan.rectangles { draw(rectangle, in: &svg) }
        if let slowest { outline(slowest, in: &svg) }
        legend(in: &svg)
        return svg.document(
            id: "floor-plan", width: Self.width, height: bottom + Self.footer, title: title, description: description)
    }

    /// The picture as a file of its own.
    public func file() -> String {
        SVG.file(svg(), style: Self.colours + Self.style)
    }

    /// What the picture shows, for those who don't see it.
    private var description: String {
        let kernels = plan.rectangles.count
        let slowest = plan.slowest.map { plan.graph.kernels[$0.kernel].name } ?? "none"
        return
            "\(kernels) kernels on a grid of \(plan.columns) by \(plan.rows) cores; \(percent(plan.occupiedShare)) of the "
            + "cores have one; the slowest is \(slowest)."
    }

    private func draw(_ rectangle: FloorPlan.Rectangle, in svg: inout SVG) {
        let kernel = plan.graph.kernels[rectangle.kernel]
        let (x, y) = (Self.margin + Double(rectangle.x) * scale, 44 + Double(rectangle.y) * scale)
        let (width, height) = (Double(rectangle.layout.columns) * scale, Double(rectangle.layout.rows) * scale)
        let load = plan.slowestCycles > 0 ? rectangle.layout.cycles / plan.slowestCycles : 0
        let shade = min(Self.shades - 1, Int(load * Double(Self.shades)))
        svg.rectangle(x: x + 0.5, y: y + 0.5, width: width - 1, height: height - 1, class: "plan-kernel load-\(shade)")
        let text = shade > 3 ? "plan-label on-dark" : "plan-label"
        let (name, place) = (Self.short(kernel.role), kernel.layer.map { "\($0)" })
        let label = (place.map { $0 + " " } ?? "") + name
        let middle = (x: x + width / 2, y: y + height / 2)
        if width > 30, height > 26, let place {
            svg.text(place, x: middle.x, y: middle.y - 3, anchor: .middle, class: text + " layer")
            svg.text(name, x: middle.x, y: middle.y + 10, anchor: .middle, class: text)
        } else if width > 30, height > 11 {
            svg.text(label, x: middle.x, y: middle.y + 3.5, anchor: .middle, class: text)
        } else if width > 10, width <= 30, height > 48 {
            svg.text(label, x: middle.x + 3.5, y: middle.y, anchor: .middle, isUpright: true, class: text)
        }
    }

    private func outline(_ rectangle: FloorPlan.Rectangle, in svg: inout SVG) {
        svg.rectangle(
            x: Self.margin + Double(rectangle.x) * scale, y: 44 + Double(rectangle.y) * scale,
            width: Double(rectangle.layout.columns) * scale, height: Double(rectangle.layout.rows) * scale,
            class: "plan-slowest")
    }

    private func legend(in svg: inout SVG) {
        let top = bottom + 14
        for shade in 0..<Self.shades {
            svg.rectangle(
                x: Self.margin + Double(shade) * 26, y: top, width: 26, height: 14, class: "plan-kernel load-\(shade)")
        }
        svg.text("computes 0 … 100 % of the interval", x: Self.margin + 164, y: top + 11, class: "plan-legend")
        svg.rectangle(x: 400, y: top, width: 26, height: 14, class: "plan-slowest")
        svg.text("slowest", x: 432, y: top + 11, class: "plan-legend")
        svg.rectangle(x: 500, y: top, width: 26, height: 14, class: "plan-idle")
        svg.text("no kernel, \(percent(1 - plan.occupiedShare))", x: 532, y: top + 11, class: "plan-legend")
        svg.text(
            "number: encoder layer · qkv: queries, keys, values · att: attention · out: its dense layer · in, back: feed-forward · "
                + "vocab: embedding and decoder", x: Self.margin, y: top + 38, class: "plan-legend")
    }

    private static func short(_ role: WaferKernel.Role) -> String {
        switch role {
        case .vocabulary: "vocab"
        case .queryKeyValue: "qkv"
        case .attention: "att"
        case .attentionOutput: "out"
        case .feedForwardIn: "in"
        case .feedForwardOut: "back"
        case .transform: "transform"
        case .pooler: "pooler"
        }
    }

    private func percent(_ share: Double) -> String { FigureFormat.grouped(share * 100, decimals: 1) + " %" }

    /// The style of the pictures of a wafer, in the report's colours.
    static let style = """
        .plan-title{font-size:17px;font-weight:600;fill:var(--ink)}\
        .chart .plan-label{font-size:10px;fill:var(--ink)}.chart .plan-label.layer{font-weight:600}\
        .chart .plan-label.on-dark{fill:var(--paper)}.chart .plan-legend{font-size:12px;fill:var(--soft)}\
        .plan-idle{fill:var(--raised);stroke:var(--rule)}\
        .plan-kernel{fill:var(--wafer);stroke:var(--paper);stroke-width:.8;print-color-adjust:exact}\
        .load-0{fill-opacity:.08}.load-1{fill-opacity:.2}.load-2{fill-opacity:.36}.load-3{fill-opacity:.55}\
        .load-4{fill-opacity:.76}.load-5{fill-opacity:1}.plan-slowest{fill:none;stroke:var(--ink);stroke-width:3}
        """

    /// The report's colours, for pictures that are files of their own.
    static let colours = """
        svg{font-family:system-ui,sans-serif;background:var(--paper);--paper:#fcfbf9;--raised:#f4f2ee;--ink:#1d1c1a;\
        --soft:#5d5953;--rule:#dedad3;--wafer:#a8470c;--cluster:#2559ab}@media (prefers-color-scheme:dark){\
        svg{--paper:#151618;--raised:#1e2023;--ink:#edebe7;--soft:#aaa69f;--rule:#34363a;--wafer:#f2a766;--cluster:#8ab4f8}}
        """
}
