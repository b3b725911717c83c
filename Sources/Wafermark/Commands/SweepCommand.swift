import ArgumentParser
import Coordinator
import Foundation
import Jobs
import PerformanceModel
import Report
import Runs

/// `wafermark sweep`: a grid of runs and one report.
struct SweepCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweep", abstract: "Train a job under every combination of some settings, and report on all.",
        discussion: """
            The file names a job and, for each axis, a value or a list of values:

              job: job.yaml
              workers: [1, 2, 4]
              hardware: [cloud-v100-10gbe, dgx1-v100-16g]
              emulate: true
              global_batch: [64, 256]

            Axes: \(SweepFile.axes.joined(separator: ", ")). \
            'emulate: true' lets cluster runs take as long as their hardware would; \
            'stand_for' and 'dilation' are as of 'launch cluster'. Axes of the cluster \
            don't multiply runs of the wafer.

            Uses the daemon that runs on the state directory, or brings one of its own. \
            Ctrl-C ends the run under way with a checkpoint; started again, the sweep \
            goes on there, and makes no run twice. A run that fails does not end it; \
            it is tried again the next time. The last line printed is the report's path.
            """)

    @Argument(help: "The sweep's file (YAML).")
    var file: String

    @Flag(help: "List the grid, and which runs are there already; start nothing.")
    var dryRun = false

    @Option(
        name: .customLong("out"),
        help: ArgumentHelp("The report's folder; results/NAME-DATE by default.", valueName: "dir"))
    var folder: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var log: LogOptions

    func run() async throws {
        let plan = try SweepFile.read(file, checks: JobRequirements.sweepChecks)
        let directory = state.directory
        if dryRun { return try list(plan, in: directory) }
        let session = DaemonSession(
            options: try ThisProgram.daemonOptions(state: directory, endpoints: []),
            logger: ThisProgram.logger(level: .warning, format: log.logFormat))
        let stream: TerminalProgress.Stream = output.json ? .standardError : .standardOutput
        let display = TerminalProgress(on: stream)
        let sweep = RunSweep(plan, state: directory, client: DaemonClient(state: directory))
        let into = folder ?? "results/\(plan.name)-\(FileTimestamp.now())"
        let (report, paths) = try await Interruption.cancels(again: { Task { await sweep.endAtOnce() } }) {
            try await session.run { _ in
                try await sweep.run(
                    into: into,
                    next: { index in
                        Console.write(
                            "run \(index + 1) of \(plan.points.count): \(plan.words(of: index))\n", to: stream.rawValue)
                    }, look: { await display.show(RunProgress($0)) })
            }
        }
        guard let grid = report.sweep else { return }
        if output.json {
            try Console.printJSON(Outcome(grid, report, path: paths.first))
        } else {
            Console.printExactly(SweepText(grid, in: report).terminal)
            if let path = paths.first { Console.print(path) }
        }
        let unfinished = grid.rows.count { $0.place == nil }
        if unfinished > 0 {
            throw CommandFailure.failed(
                "\(unfinished) of \(grid.rows.count) runs have not finished; start the sweep again to try them again")
        }
    }

    // MARK: - The grid

    private func list(_ plan: SweepPlan, in state: StateDirectory) throws {
        let standings = try RunSweep.standings(of: plan, in: state)
        if output.json {
            return try Console.printJSON(
                Grid(
                    name: plan.name, axes: plan.axes,
                    runs: standings.map { standing in
                        Grid.Entry(
                            values: SweepPlan.named(standing.point.values, by: plan.axes),
                            backend: standing.point.backend,
                            workers: standing.point.workers, hardware: standing.point.hardware,
                            runId: standing.run?.id.text, state: standing.run?.state.name)
                    }))
        }
        let rows = standings.enumerated().map { index, standing in
            ["\(index + 1)", plan.words(of: index), standing.run?.id.text ?? "", standing.run?.state.name ?? "to come"]
        }
        Console.printExactly(
            TextTable(
                [
                    TextTable.Column("#", isNumeric: true), TextTable.Column("RUN"), TextTable.Column("ID"),
                    TextTable.Column("STATE"),
                ], rows: rows
            ).text(width: 120))
        let finished = standings.count { if case .finished? = $0.run?.state { true } else { false } }
        Console.print("\(standings.count) runs, \(finished) finished already")
    }

    private struct Grid: Encodable {
        struct Entry: Encodable {
            var values: [String: String]
            var backend: Backend
            var workers: Int
            var hardware: String?
            var runId: String?
            var state: String?
        }
        var name: String
        var axes: [String]
        var runs: [Entry]
    }

    /// What `--json` prints in the end.
    private struct Outcome: Encodable {
        struct Entry: Encodable {
            var values: [String: String]
            var backend: Backend
            var workers: Int
            var hardware: String?
            var runId: String?
            var state: String
            var reason: String?
            var stepMedianHostSeconds: Double?
            var sequencesPerHostSecond: Double?
            var trainingHostSeconds: Double?
            var timeToTargetHostSeconds: Double?
            var stepMeanEmulatedSeconds: Double?
            var sequencesPerEmulatedSecond: Double?
            var finalHeldOutMlmLossNats: Double?
            var weightsDigest: String?
        }
        var name: String
        var axes: [String]
        var reportPath: String?
        var runs: [Entry]

        init(_ grid: SweepGrid, _ report: ComparisonReport, path: String?) {
            name = grid.name
            axes = grid.axes
            reportPath = path
            runs = grid.rows.map { row in
                let run = row.place.map { report.runs[$0] }
                return Entry(
                    values: SweepPlan.named(row.values, by: grid.axes), backend: row.backend, workers: row.workers,
                    hardware: row.hardware, runId: row.runId, state: row.state, reason: row.reason,
                    stepMedianHostSeconds: run?.stepMedianHostSeconds,
                    sequencesPerHostSecond: run?.sequencesPerHostSecond,
                    trainingHostSeconds: run?.trainingHostSeconds,
                    timeToTargetHostSeconds: run?.timeToTargetHostSeconds,
                    stepMeanEmulatedSeconds: run?.emulation?.stepMeanEmulatedSeconds,
                    sequencesPerEmulatedSecond: run?.emulation?.sequencesPerEmulatedSecond,
                    finalHeldOutMlmLossNats: run?.finalHeldOutMlmLossNats, weightsDigest: run?.weightsDigest)
            }
        }
    }
}

extension SweepPlan {
    /// A point's values by their axes, those that have an effect on it.
    fileprivate static func named(_ values: [String?], by axes: [String]) -> [String: String] {
        var named: [String: String] = [:]
        for (axis, value) in zip(axes, values) { named[axis] = value }
        return named
    }

    /// The run at `index` in words: what trains it, and its value on each axis.
    fileprivate func words(of index: Int) -> String {
        let point = points[index]
        let others = zip(axes, point.values).compactMap { axis, value in
            axis == "backend" || axis == "workers" ? nil : value.map { "\(axis) \($0)" }
        }
        let machine =
            switch point.backend {
            case .wafer: "wafer"
            case .cluster: point.workers == 1 ? "cluster of 1 worker" : "cluster of \(point.workers) workers"
            }
        return ([machine] + others).joined(separator: ", ")
    }
}
