import ArgumentParser
import Jobs
import PerformanceModel
import Report

/// `wafermark predict`: what a job would take on a machine that nobody here owns.
struct PredictCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "predict", abstract: "Predict a job's time, energy and cost on a machine.",
        discussion: """
            Nothing is trained: the job's steps are laid out as operators and messages and
            timed by the performance model (modelled clock). Every time has a 90 %
            interval. A figure outside the calibrated range is marked EXTRAPOLATED, and
            refused with --strict (exit code 2).

            --sweep SETTING=VALUES predicts every combination; give it once a setting:
            hardware, nodes, gpus-per-node, micro-batch, accumulation, precision, stack.
            VALUES are 1,2,4 or 1..16 or 1..1024x2 (each twice the last).

            --noise-scale-from RUN takes the critical batch from a run's gradient noise
            scale: the job then takes the steps in which it would reach, at its own global
            batch, what the run reached.

            --hardware host predicts this machine, once 'calibrate' has measured it:
            --nodes is then the number of worker processes.

              wafermark predict bert-large-pubmed --hardware dgx1-v100-16g --nodes 4
              wafermark predict job.yaml --hardware dgx2-v100 --sweep nodes=1..64x2
            """)

    @OptionGroup var what: PredictionOptions

    @Option(
        help: ArgumentHelp("Vary a setting: 'nodes=1,2,4', 'stack=a,b'; repeat for more.", valueName: "setting=values"))
    var sweep: [String] = []

    @Flag(help: "On a wafer: vary what the time rests on, and show the change in hours.")
    var sensitivity = false

    @Flag(help: "Fail where an input lies outside the calibrated range.")
    var strict = false

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard !sensitivity || sweep.isEmpty else {
            throw ValidationError("--sensitivity is of one configuration; leave out --sweep")
        }
    }

    func run() throws {
        let job = try what.readJob()
        let convergence = try what.readConvergence(state)
        guard sweep.isEmpty else {
            let axes = try sweep.map(Sweep.Axis.init(parsing:))
            try SweepOutput(
                job: job, axes: axes, sweep: Sweep(axes, hardware: what.hardware, layout: what.readLayout()),
                convergence: convergence, isStrict: strict
            ).print(json: output.json)
            return
        }
        let (title, prediction) = try predict(job, convergence)
        if strict { try prediction.requireCalibrated() }
        let table = sensitivity ? try readSensitivity(of: job) : nil
        if output.json {
            try Console.printJSON(PredictionDocument(prediction, of: job, sensitivity: table))
        } else {
            Console.printExactly(
                PredictionText(prediction, of: job, on: title).text
                    + (table.map { "\n" + SensitivityText($0).text } ?? ""))
        }
    }

    private func readSensitivity(of job: Job) throws -> WaferSensitivity {
        let profile = try HardwareCatalogue.profile(what.hardware)
        return try WaferSensitivity(job: job, profile: profile, layout: what.readLayout().steps(on: profile))
    }

    /// The prediction, and what the machine is called.
    private func predict(_ job: Job, _ convergence: ConvergenceLaw?) throws -> (
        title: String, prediction: JobPrediction
    ) {
        guard what.hardware != HostMachine.name else {
            let host = try HostMachine(inStateDirectory: state.directory.path)
            let workers = what.nodes * (what.gpusPerNode ?? 1)
            return (
                "this host (\(host.processor), \(host.cores) cores)",
                try JobPrediction(job: job, host: host, workers: workers, convergence: convergence)
            )
        }
        let profile = try HardwareCatalogue.profile(what.hardware)
        return (
            profile.title,
            try JobPrediction(
                job: job, profile: profile, layout: what.readLayout().steps(on: profile), convergence: convergence)
        )
    }
}
