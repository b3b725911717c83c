import Jobs
import PerformanceModel
import Report

/// Runs a sweep and prints it: a table of days where two settings vary, a list otherwise.
struct SweepOutput {
    var job: Job
    var axes: [Sweep.Axis]
    var sweep: Sweep
    var convergence: ConvergenceLaw?
    var isStrict: Bool

    private struct Document: Encodable {
        var clock = ModelledSeconds.clock
        var job: String
        var configurations: [Entry]
        var hostSeconds: Double
        var configurationsPerHostSecond: Double
    }

    private struct Entry: Encodable {
        var settings: [String: String]
        var prediction: PredictionDocument?
        var error: String?
    }

    /// Prints the sweep's outcome.
    ///
    /// - Throws: `extrapolated` where the sweep is strict and one of its figures is.
    func print(json: Bool) throws {
        let clock = ContinuousClock()
        var configurations: [Sweep.Configuration] = []
        let elapsed = try clock.measure { configurations = try sweep.run(job: job, convergence: convergence) }
        if isStrict {
            for case .success(let prediction) in configurations.map(\.outcome) { try prediction.requireCalibrated() }
        }
        let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) * 1e-18
        let rate = Double(configurations.count) / seconds
        if json {
            let entries = zip(configurations.indices, configurations).map { index, configuration in
                switch configuration.outcome {
                case .success(let prediction):
                    Entry(settings: settings(index), prediction: PredictionDocument(prediction, of: job))
                case .failure(let error): Entry(settings: settings(index), error: error.description)
                }
            }
            try Console.printJSON(
                Document(
                    job: job.name, configurations: entries, hostSeconds: seconds, configurationsPerHostSecond: rate))
            return
        }
        Console.print("\(job.name): days to solution, modelled clock; * is EXTRAPOLATED\n")
        Console.printExactly(
            axes.count == 2 && axes[1].values.count <= 5 ? pivot(configurations) : list(configurations))
        Console.print(
            "\n\(configurations.count) configurations in \(Figures.milliseconds(seconds)) (host clock), "
                + "\(Figures.short(rate)) a second")
    }

    /// The values of the axes at combination `index`, by setting.
    private func settings(_ index: Int) -> [String: String] {
        var (rest, settings) = (index, [String: String]())
        for axis in axes.reversed() {
            settings[axis.setting.rawValue.replacing("-", with: "_")] = axis.values[rest % axis.values.count]
            rest /= axis.values.count
        }
        return settings
    }

    private func list(_ configurations: [Sweep.Configuration]) -> String {
        let rows = configurations.enumerated().map { index, configuration in
            let values = settings(index)
            let own = axes.map { values[$0.setting.rawValue.replacing("-", with: "_")] ?? "" }
            switch configuration.outcome {
            case .success(let prediction):
                let step = prediction.phases.first?.step
                return own + [
                    "\(step?.workers ?? 0)", Self.days(prediction),
                    Figures.short(Double(step?.sequencesPerSecond ?? 0)), Figures.percent(step?.scalingEfficiency ?? 0),
                    prediction.costUSDollars.map { Figures.fixed($0, 0) } ?? "-",
                ]
            case .failure(let error): return own + ["-", "-", "-", "-", error.description]
            }
        }
        let columns =
            axes.map { TextTable.Column($0.setting.rawValue.uppercased()) }
            + [
                .init("DEVICES", isNumeric: true), .init("DAYS", isNumeric: true), .init("SEQ/S", isNumeric: true),
                .init("SCALING", isNumeric: true), .init("US$", isNumeric: true), .init("", mayShrink: true),
            ]
        return TextTable(columns, rows: rows).text()
    }

    /// The first axis down, the second across.
    private func pivot(_ configurations: [Sweep.Configuration]) -> String {
        let across = axes[1].values.count
        let rows = axes[0].values.indices.map { row in
            [axes[0].values[row]]
                + (0..<across).map { column in
                    switch configurations[row * across + column].outcome {
                    case .success(let prediction): Self.days(prediction)
                    case .failure: "-"
                    }
                }
        }
        let columns =
            [TextTable.Column(axes[0].setting.rawValue.uppercased())]
            + axes[1].values.map { TextTable.Column($0, isNumeric: true, mayShrink: true) }
        return TextTable(columns, rows: rows).text()
    }

    private static func days(_ prediction: JobPrediction) -> String {
        let days = prediction.time.seconds / 86_400
        return (days < 0.01 ? Figures.fixed(days, 5) : Figures.short(days))
            + (prediction.extrapolated.isEmpty ? " " : "*")
    }
}
