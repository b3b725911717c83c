import ArgumentParser
import Jobs
import PerformanceModel
import Runs

/// What a prediction is of: a job, a machine, and how the one is laid over the other.
struct PredictionOptions: ParsableArguments {
    @Argument(
        help: ArgumentHelp("The job file (YAML), or the name of an example.", valueName: "job"))
    var job: String

    @Option(help: ArgumentHelp("A profile that 'hardware list' shows, or a YAML file.", valueName: "profile"))
    var hardware: String

    @Option(help: ArgumentHelp("Nodes.", valueName: "n"))
    var nodes = 1

    @Option(help: ArgumentHelp("Devices used of each node; all by default.", valueName: "n"))
    var gpusPerNode: Int?

    @Option(help: ArgumentHelp("Sequences that a device computes at once; the job's by default.", valueName: "n"))
    var microBatch: Int?

    @Option(
        help: ArgumentHelp(
            "Micro-batches of a step; by default as many as the job's global batch needs.", valueName: "n"))
    var accumulation: Int?

    @Option(help: ArgumentHelp("fp16, fp32 or tf32.", valueName: "format"))
    var precision: Precision?

    @Option(help: ArgumentHelp("The software stack; the profile's own by default.", valueName: "stack"))
    var stack: String?

    @Option(
        help: ArgumentHelp(
            "Samples to the target by batch (CSV): steps follow from it, not from the job.", valueName: "file"))
    var convergence: String?

    @OptionGroup var wafer: WaferOptions

    @Option(
        help: ArgumentHelp(
            "Steps to what this run reached, by its measured gradient noise scale.",
            discussion: "A run that 'runs list' shows, or a beginning of its id.", valueName: "run"))
    var noiseScaleFrom: String?

    func validate() throws {
        if convergence != nil, noiseScaleFrom != nil {
            throw ValidationError("--convergence and --noise-scale-from both say how many steps there are: give one")
        }
    }

    /// The job. Its text need not be there: no step is run.
    func readJob() throws -> Job { try Self.readJob(job) }

    /// The job of the file or example called `name`.
    static func readJob(_ name: String) throws -> Job {
        if let example = JobExample(rawValue: name) { return try example.job() }
        return try JobFile.read(name, files: .unchecked)
    }

    /// How it is laid over the machine.
    func readLayout() throws -> Sweep.Layout {
        Sweep.Layout(
            nodes: nodes, devicesPerNode: gpusPerNode, microBatch: microBatch, accumulation: accumulation,
            precision: precision, stack: stack, execution: wafer.execution, sparsity: try wafer.readSparsity())
    }

    /// The law of the table that `--convergence` names, or of the run in `state` that `--noise-scale-from` names.
    func readConvergence(_ state: StateOptions) throws -> ConvergenceLaw? {
        if let noiseScaleFrom {
            let store = try RunStore(readingFrom: state.directory.path)
            return try NoiseScaleLaw(of: store.record(of: try store.id(startingWith: noiseScaleFrom))).law
        }
        return try convergence.map { try ConvergenceLaw(fitting: try ConvergenceLaw.Point.read($0)) }
    }
}

extension Precision: ExpressibleByArgument {}
