import Foundation
import Jobs
import Runs

/// The grid of a sweep: what each of its runs was asked for, and how it went.
public struct SweepGrid: Sendable, Encodable {
    /// One run.
    public struct Row: Sendable, Encodable {
        /// Its value on each axis, in the axes' order; null where an axis has no effect on it.
        public var values: [String?]
        /// What trains it, by how many workers, as which machine.
        public var backend: Backend
        public var workers: Int
        public var hardware: String?
        /// The run; nil where it was refused.
        public var runId: String?
        /// `finished`, `failed` … or `refused`.
        public var state: String
        /// Why it has not finished.
        public var reason: String?
        /// The run's place among the report's; nil where it has not finished.
        public var place: Int?

        /// The row of a run that was made.
        public init(_ point: SweepPoint, run: Run, placeInReport place: Int?) {
            self.init(point, state: run.state.name)
            runId = run.id.text
            if case .failed(let reason) = run.state { self.reason = reason }
            self.place = place
        }

        /// The row of a run that was refused.
        public init(_ point: SweepPoint, refused reason: String) {
            self.init(point, state: "refused")
            self.reason = reason
        }

        private init(_ point: SweepPoint, state: String) {
            values = point.values
            backend = point.backend
            workers = point.workers
            hardware = point.hardware
            self.state = state
        }
    }

    /// What the sweep is called.
    public var name: String
    /// What was varied.
    public var axes: [String]
    /// The runs, the last axis varying fastest.
    public var rows: [Row]

    /// A grid of the given parts.
    public init(name: String, axes: [String], rows: [Row]) {
        self.name = name
        self.axes = axes
        self.rows = rows
    }

    /// A figure that the grid shows of each run.
    struct Column: Sendable {
        var title: String
        /// Its key within a run of the JSON document.
        var key: String
        var format: FigureFormat
        var value: @Sendable (RunFigures) -> Double?
    }

    /// The columns, of which those are shown that any run has.
    static let columns: [Column] = [
        Column(title: "Step", key: "step_median_host_seconds", format: .duration, value: { $0.stepMedianHostSeconds }),
        Column(
            title: "Sequences/s", key: "sequences_per_host_second", format: .rate,
            value: { $0.sequencesPerHostSecond }),
        Column(
            title: "Training", key: "training_host_seconds", format: .duration, value: { $0.trainingHostSeconds }),
        Column(
            title: "To target", key: "time_to_target_host_seconds", format: .duration,
            value: { $0.timeToTargetHostSeconds }),
        Column(
            title: "Emulated step", key: "emulation/step_mean_emulated_seconds", format: .duration,
            value: { $0.emulation?.stepMeanEmulatedSeconds }),
        Column(
            title: "Emulated seq./s", key: "emulation/sequences_per_emulated_second", format: .rate,
            value: { $0.emulation?.sequencesPerEmulatedSecond }),
        Column(
            title: "MLM loss", key: "final_held_out_mlm_loss_nats", format: .nats,
            value: { $0.finalHeldOutMlmLossNats }),
    ]

    /// Those of `columns` that any of `runs` has.
    static func columns(of runs: [RunFigures]) -> [Column] {
        columns.filter { column in runs.contains { column.value($0) != nil } }
    }

    /// What the columns are.
    static let legend =
        "Step: the median, emulated: the mean. Step, sequences/s, training and time to target are on the host clock, emulated "
        + "ones on the emulated clock; MLM loss on held-out text at the end, in nats."
}

/// A sweep's grid as plain text.
public struct SweepText {
    private let grid: SweepGrid
    private let runs: [RunFigures]

    /// The text of `grid`, whose runs are those of `report`.
    public init(_ grid: SweepGrid, in report: ComparisonReport) {
        self.grid = grid
        runs = report.runs
    }

    /// Headings and cells, a row a run.
    var table: (titles: [String], rows: [[String]]) {
        let columns = SweepGrid.columns(of: runs)
        let hasBackends = Set(grid.rows.map(\.backend)).count > 1 && !grid.axes.contains("backend")
        let titles = grid.axes + (hasBackends ? ["backend"] : []) + ["Run", "State"] + columns.map(\.title)
        let rows = grid.rows.map { row in
            let figures = row.place.map { runs[$0] }
            return row.values.map { $0 ?? "–" } + (hasBackends ? [row.backend.rawValue] : []) + [
                row.runId ?? "", row.state,
            ]
                + columns.map { column in figures.map { column.format.text(column.value($0)) } ?? "" }
        }
        return (titles, rows)
    }

    /// For the terminal, with the reasons of runs that have not finished below.
    public var terminal: String {
        let (titles, rows) = table
        let texts = grid.axes.count + 2
        let columns = titles.enumerated().map { TextTable.Column($1, isNumeric: $0 >= texts) }
        let reasons = grid.rows.compactMap { row in
            row.reason.map { WrappedText.lines("\(row.runId ?? row.state): \($0)", indent: 2, first: "") }
        }
        return TextTable(columns, rows: rows).text(width: 120) + reasons.joined()
            + WrappedText.lines(SweepGrid.legend, indent: 0, first: "")
    }

    /// As Markdown.
    var markdown: String {
        let (titles, rows) = table
        return "### The grid of the sweep\n\n" + MarkdownRenderer.table(titles, rows) + "\n"
            + MarkdownRenderer.escaped(SweepGrid.legend) + "\n\n"
    }
}
