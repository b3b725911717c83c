import Foundation
import Jobs
import PerformanceModel
import Runs

/// Everything that a report says, as a value: made from the runs' records alone, so that equal records make equal
/// reports. The renderers only lay it out.
///
/// Its JSON form (`JSONRenderer`) is described by the schema that `JSONRenderer.schema` holds.
public struct ComparisonReport: Sendable, Encodable {
    /// The form of the JSON document.
    public static let schemaName = "wafermark-report-1"

    /// `schemaName`.
    public var schema = Self.schemaName
    /// When the report was made, by the wall clock.
    public var generated: Date
    /// The answer.
    public var answer: Answer
    /// What a reader must know to read the figures right.
    public var notes: [Note]
    /// What was trained: the first run's job.
    public var job: JobFigures
    /// The job file's text, if it was given.
    public var jobFile: String?
    /// How many runs there are.
    public var runCount: Int
    /// The runs, in the order in which they were given.
    public var runs: [RunFigures]
    /// Every run beside the reference run.
    public var comparisons: [Comparison]
    /// Every run's bits beside the reference run's.
    public var identity: [IdentityCheck]
    /// Runs that differ in their seeds alone, and how far their figures lie from each other.
    public var seedGroups: [SeedGroup]
    /// Each of these groups beside one of them.
    public var seedComparisons: [SeedComparison]
    /// What compressing gradients did to the loss, where a run of the same job without stands beside.
    public var compression: [CompressionEffect]
    /// What each run's workers did instead of computing; of runs that have made steps.
    public var speedUp: [SpeedUpLoss]
    /// What would shorten the steps of the cluster runs.
    public var remedies: [RemedyTable]
    /// A step of each cluster run, and what set its length.
    public var criticalPaths: [CriticalPath]
    /// What went over the links of each cluster run.
    public var topologies: [ClusterTopology]
    /// Times that the performance model gives for the machines that the backends stand for.
    public var modelled: [ModelledFigures]
    /// What the job would take on more and more devices of the clusters that runs stand for.
    public var scaling: [ModelledScaling]
    /// Throughput against the size of the cluster, on every clock.
    public var scalingCurves: [ScalingCurve]
    /// The runs' times by MLPerf's rules, where they were asked for.
    public var mlperf: MLPerfTimes?
    /// The performance model's error on these runs.
    public var hostModel: HostModelCheck
    /// The grid, where the runs are those of a sweep.
    public var sweep: SweepGrid?
    /// How to do it again.
    public var reproduction: Reproduction

    /// The report of `runs`.
    ///
    /// - Parameters:
    ///   - runs: the records, at least one.
    ///   - jobFile: the job file's text, to be shown in the report.
    ///   - modelled: times of the performance model, if it was asked.
    ///   - scaling: the same of more and more devices.
    ///   - profiles: the machines that runs stand for, by their names.
    ///   - host: the machine as it was calibrated, if it was, or why that can't be read.
    ///   - clock: how the runs' time is told besides.
    ///   - generated: when the report is made, by the wall clock.
    /// - Throws: `ReportError.noRuns`.
    public init(
        runs: [RunRecord], jobFile: String? = nil, modelled: [ModelledFigures] = [],
        scaling: [ModelledScaling] = [], profiles: [String: HardwareProfile] = [:],
        host: Result<HostMachine, PerformanceModelError>? = nil, clock: ReportClock = .host, generated: Date
    ) throws {
        guard let first = runs.first else { throw ReportError.noRuns }
        let labels = Self.labels(of: runs)
        let figures = zip(runs, labels).map { RunFigures($0, label: $1) }
        let reference = Self.referenceIndex(of: runs)
        self.generated = generated
        self.jobFile = jobFile
        runCount = figures.count
        self.runs = figures
        speedUp = runs.compactMap(SpeedUpLoss.init)
        self.modelled = modelled
        self.scaling = scaling
        func profile(_ record: RunRecord) -> HardwareProfile? { record.run.hardware.flatMap { profiles[$0] } }
        let machine = try? host?.get()
        remedies = runs.compactMap { RemedyTable($0, profile: profile($0), host: machine) }
        criticalPaths = runs.compactMap(CriticalPath.init)
        topologies = runs.compactMap { ClusterTopology($0, profile: profile($0), host: machine) }
        hostModel = HostModelCheck(runs, on: host)
        scalingCurves = ScalingCurve.all(of: runs, predictions: scaling, host: machine)
        job = JobFigures(first.run.job, vocabularySize: runs.lazy.compactMap(\.run.corpus?.vocabularySize).first)
        let pairs = zip(runs.indices, Self.references(of: runs)).compactMap { index, other in other.map { (index, $0) }
        }
        comparisons = pairs.compactMap { index, other in
            Comparison(runs[index], figures[index], with: runs[other], figures[other], seed: first.run.job.seed)
        }
        identity = pairs.map { IdentityCheck(runs[$0], with: runs[$1]) }
        compression = CompressionEffect.all(of: runs)
        seedGroups = SeedGroup.all(runs, figures)
        mlperf = clock == .mlperf ? MLPerfTimes(runs, groups: seedGroups) : nil
        seedComparisons = SeedComparison.all(seedGroups, runs, figures)
        reproduction = Reproduction(runs: runs.map(\.run))
        let facts = AnswerFacts(
            runs: figures, job: job, comparisons: comparisons, identity: identity, seedGroups: seedGroups,
            seedComparisons: seedComparisons, reference: reference,
            isOneMachine: Set(figures.map(\.machine)).count == 1,
            isOneJob: Set(runs.map(\.run.job.withoutPlaces)).count == 1,
            isOneJobButForSeeds: Set(runs.map(\.run.job.withoutPlacesAndSeed)).count == 1, scaling: scaling,
            remedies: remedies)
        answer = Answer(facts)
        notes = Note.all(facts)
    }

    /// The run that the others are compared with: the first finished wafer run, else the first finished, else the
    /// first.
    private static func referenceIndex(of runs: [RunRecord]) -> Int {
        runs.firstIndex { $0.run.backend == .wafer && $0.run.outcome != nil }
            ?? runs.firstIndex { $0.run.outcome != nil } ?? 0
    }

    /// For each run the one that it is compared with, which has none itself: of runs that differ in their seeds alone the
    /// one of the same seed that `referenceIndex` prefers, else the one that it prefers among all.
    private static func references(of runs: [RunRecord]) -> [Int?] {
        let all = referenceIndex(of: runs)
        let jobs = runs.map(\.run.job.withoutPlaces)
        guard Set(jobs.map(\.withoutPlacesAndSeed)).count == 1 else {
            return runs.indices.map { $0 == all ? nil : all }
        }
        return runs.indices.map { index in
            let alike = runs.indices.filter { jobs[$0] == jobs[index] }
            let reference = alike[referenceIndex(of: alike.map { runs[$0] })]
            return reference == index ? nil : reference
        }
    }

    /// What a run is called: by its backend and what it stands for.
    static func shortLabel(of run: Run) -> String {
        let hardware = run.hardware.map { " as \($0)" } ?? ""
        switch run.backend {
        case .wafer: return "Wafer" + hardware
        case .cluster:
            return "Cluster, \(run.workers) " + (run.workers == 1 ? "worker" : "workers") + hardware
        }
    }

    /// What each run is called among the others: its seed or its id is added where that is needed to tell them apart.
    private static func labels(of runs: [RunRecord]) -> [String] {
        let short = runs.map { shortLabel(of: $0.run) }
        return runs.indices.map { index in
            let alike = runs.indices.filter { short[$0] == short[index] }
            if alike.count == 1 { return short[index] }
            let seeds = alike.map { runs[$0].run.job.seed }
            let name = Set(seeds).count == alike.count ? "seed \(runs[index].run.job.seed)" : "\(runs[index].run.id)"
            return "\(short[index]) (\(name))"
        }
    }
}

/// A time that the performance model computed for a machine.
public struct ModelledFigures: Sendable, Encodable {
    /// The hardware profile.
    public var hardware: String
    /// What trained it.
    public var backend: Backend
    /// Worker processes; 1 on the wafer.
    public var workers: Int
    /// Time of one step, and until the target (or for all steps, where none is set).
    public var stepModelledSeconds: Double
    /// Time until the target, or for all steps where none is set.
    public var timeToTargetModelledSeconds: Double?
    /// What the figures rest on.
    public var basis: String
    /// Where the first phase's kernels lie on a wafer; it is drawn, not listed.
    public var floorPlan: FloorPlan?
    /// What a wafer's time rests on, varied; nil for a cluster.
    public var sensitivity: WaferSensitivity?

    enum CodingKeys: CodingKey {
        case hardware, backend, workers, stepModelledSeconds, timeToTargetModelledSeconds, basis, sensitivity
    }

    /// Figures of the given parts.
    public init(
        hardware: String, backend: Backend, workers: Int, step: ModelledSeconds, timeToTarget: ModelledSeconds?,
        basis: String, floorPlan: FloorPlan? = nil, sensitivity: WaferSensitivity? = nil
    ) {
        self.sensitivity = sensitivity
        self.floorPlan = floorPlan
        self.hardware = hardware
        self.backend = backend
        self.workers = workers
        stepModelledSeconds = step.seconds
        timeToTargetModelledSeconds = timeToTarget?.seconds
        self.basis = basis
    }
}

/// How to make the runs and the report again.
public struct Reproduction: Sendable, Encodable {
    /// Commands, to be given in order beside the job file `job.yaml`.
    public var commands: [String]

    init(runs: [Run]) {
        func hardware(_ run: Run) -> String { run.hardware.map { " --hardware \(Self.quoted($0))" } ?? "" }
        let isPair = runs.count == 2 && Set(runs.map(\.backend)).count == 2 && runs.allSatisfy { $0.hardware == nil }
        if isPair, let cluster = runs.first(where: { $0.backend == .cluster }) {
            commands = ["wafermark compare job.yaml --workers \(cluster.workers)"]
        } else {
            commands = runs.map { run in
                switch run.backend {
                case .cluster: "wafermark launch cluster job.yaml --workers \(run.workers)\(hardware(run)) --watch"
                case .wafer: "wafermark launch wafer job.yaml\(hardware(run)) --watch"
                }
            }
        }
        commands.append("wafermark report " + runs.map(\.id.text).joined(separator: " "))
    }

    /// `text` as one word of a shell's command line.
    private static func quoted(_ text: String) -> String {
        let isPlain =
            !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                    true
                default: false
                }
            }
        if isPlain { return text }
        return "'" + PrintableText.plain(text).replacingOccurrences(of: "'", with: "'\\''") + "'"
    }
}

/// Why a report could not be made or written.
public enum ReportError: Error, Hashable, Sendable, CustomStringConvertible {
    /// No run was given.
    case noRuns
    /// A file or folder could not be written.
    case cannotWrite(path: String, detail: String)
    /// The figures could not be encoded.
    case cannotEncode(detail: String)
    /// A run of which no result log can be made.
    case notLogged(run: String)

    /// One line: what happened, and what to do.
    public var description: String {
        switch self {
        case .noRuns: "a report needs at least one run; `wafermark runs list` shows the runs"
        case .cannotWrite(let path, let detail):
            "\(path) can't be written (\(detail)); check that the folder exists, may be written to, and has room"
        case .notLogged(let run):
            "run \(run) has no result to log: it has not ended, or it never made a step; `wafermark runs show \(run)` tells"
        case .cannotEncode(let detail): "the report's figures can't be encoded: \(detail)"
        }
    }
}
