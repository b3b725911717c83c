import Jobs
import PerformanceModel
import Report

/// A prediction for people, in 80 columns.
struct PredictionText {
    private let prediction: JobPrediction
    private let job: Job
    private let machine: String

    /// The text of `prediction`, which is of `job` on the machine of that title.
    init(_ prediction: JobPrediction, of job: Job, on machine: String) {
        self.prediction = prediction
        self.job = job
        self.machine = machine
    }

    /// The whole text.
    var text: String { headline + table + totals + warnings }

    private var headline: String {
        guard let step = prediction.phases.first?.step else { return "" }
        var line = "\(job.name) on \(machine)\n"
        line += "\(step.nodes) \(step.nodes == 1 ? "node" : "nodes") x \(step.workers / step.nodes), "
        line += (step.stack.map { $0 + ", " } ?? "") + step.precision.rawValue + "\n"
        return line + "modelled clock; ranges are 90 % intervals\n\n"
    }

    private var table: String {
        let phases = prediction.phases
        func row(_ name: String, _ value: (JobPrediction.Phase) -> String) -> [String] { [name] + phases.map(value) }
        func part(_ name: String, _ value: @escaping (ModelledStep) -> ModelledSeconds) -> [String] {
            row("  " + name) {
                let seconds = value($0.step)
                return "\(Figures.milliseconds(seconds.seconds))  "
                    + Figures.percent(seconds / $0.step.step).padded(left: 5)
            }
        }
        var rows = [
            row("sequence length") { "\($0.sequence) tokens" }, row("global batch") { "\($0.step.globalBatch)" },
            row("devices x batch x acc.") {
                "\($0.step.workers) x \($0.step.microBatch) x \($0.step.accumulation)"
            },
            row("steps") { Figures.fixed($0.steps, 0) },
            row("step") { Figures.milliseconds($0.step.step.seconds) + "  100 %" },
            part("compute") { $0.compute }, part("waiting for the slowest") { $0.waiting },
            part("exposed communication") { $0.exposedCommunication }, part("optimizer") { $0.optimizer },
        ]
        if phases.contains(where: { $0.step.pipelineFill > .zero }) {
            rows.append(part("pipeline fill") { $0.pipelineFill })
        }
        if phases.contains(where: { $0.step.execution != nil }) {
            rows.append(row("execution") { $0.step.execution?.rawValue ?? "-" })
        }
        rows += [
            row("step, 90 % interval") {
                "\(Figures.milliseconds($0.step.low.seconds)) to \(Figures.milliseconds($0.step.high.seconds))"
            },
            row("sequences/s") { Figures.short($0.step.sequencesPerSecond) },
            row("scaling efficiency") { Figures.percent($0.step.scalingEfficiency) },
            row("share of peak FLOP/s") { Figures.percent($0.step.modelFlopsUtilisation) },
            row("bound by") { $0.step.boundBy.rawValue.replacing("_", with: " ") },
        ]
        let columns =
            [TextTable.Column("")] + phases.indices.map { TextTable.Column("PHASE \($0 + 1)", isNumeric: true) }
        return TextTable(columns, rows: rows).text() + "\n"
    }

    private var totals: String {
        let (time, low, high) = (prediction.time.seconds, prediction.low.seconds, prediction.high.seconds)
        var lines = "time to solution  \(Self.span(time))  (\(Self.span(low)) to \(Self.span(high)))\n"
        if let energy = prediction.energyKilowattHours {
            lines += "energy            \(Figures.short(energy)) kWh\n"
        }
        if let cost = prediction.costUSDollars {
            lines += "cost              \(Figures.fixed(cost, cost < 100 ? 2 : 0)) US$\n"
        }
        return lines
    }

    private var warnings: String {
        prediction.extrapolated.isEmpty
            ? ""
            : "\nEXTRAPOLATED:\n"
                + prediction.extrapolated.map { WrappedText.lines($0, indent: 2, first: "  ") }.joined()
    }

    /// A duration in the unit that suits it.
    static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<600: Figures.milliseconds(seconds)
        case ..<172_800: "\(Figures.short(seconds / 3600)) h"
        default: "\(Figures.short(seconds / 86_400)) days"
        }
    }
}

extension String {
    /// The text after spaces up to `width` characters.
    func padded(left width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
