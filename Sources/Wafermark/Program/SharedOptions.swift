import ArgumentParser
import Coordinator
import Jobs

/// The folder that the daemon and all commands share.
struct StateOptions: ParsableArguments {
    @Option(
        name: .customLong("state"),
        help: ArgumentHelp(
            "The folder with runs, checkpoints and prepared text.",
            discussion: "By default $WAFERMARK_STATE, else $XDG_STATE_HOME/wafermark, else ~/.local/state/wafermark.",
            valueName: "dir"))
    var path: String?
}

/// After how long what is taken for lost.
struct DeadlineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("A worker that is silent for so long is lost.", valueName: "s"))
    var heartbeatSeconds = RunDeadlines().heartbeat

    @Option(
        help: ArgumentHelp(
            "A worker that gets no further for so long while all others wait is lost.",
            discussion: "At least twenty of the longest steps so far.", valueName: "s"))
    var collectiveSeconds = RunDeadlines().collective

    @Option(help: ArgumentHelp("A run that gets no further for so long says who waits for whom.", valueName: "s"))
    var stallSeconds = RunDeadlines().stall

    func validate() throws {
        for (name, value) in [
            ("heartbeat", heartbeatSeconds), ("collective", collectiveSeconds), ("stall", stallSeconds),
        ] where !(value >= 1 && value <= 86_400) {
            throw ValidationError("--\(name)-seconds is \(value); 1 to 86400 are allowed")
        }
    }

    /// The limits that the user means.
    var deadlines: RunDeadlines {
        var deadlines = RunDeadlines()
        deadlines.heartbeat = heartbeatSeconds
        deadlines.collective = collectiveSeconds
        deadlines.stall = stallSeconds
        return deadlines
    }
}

/// How a cluster's workers sum their gradients.
struct CollectiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How workers sum gradients: \(CollectiveAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).",
            discussion: "The sum has the same bits by all of them.", valueName: "name"))
    var algorithm = CollectiveAlgorithm.direct

    @Option(
        help: ArgumentHelp(
            "How gradients travel on this host: \(Transport.allCases.map(\.rawValue).joined(separator: ", ")).",
            discussion:
                "With shm, workers read each other's memory; where the system refuses that, their sockets are used.",
            valueName: "name"))
    var transport = Transport.sharedMemory

    @Option(
        help: ArgumentHelp(
            "By what workers share the lanes: \(LaneShareRule.allCases.map(\.rawValue).joined(separator: ", ")).",
            discussion: "Slow workers get fewer, or as many as the others. The bits are the same.", valueName: "rule"))
    var laneShares = LaneShareRule.speed
}

extension CollectiveAlgorithm: ExpressibleByArgument {}
extension Transport: ExpressibleByArgument {}
extension LaneShareRule: ExpressibleByArgument {}

/// In which pieces gradients are exchanged.
struct BucketOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The size of a gradient bucket; 1 by default, fractions are allowed.",
            discussion: "Small buckets leave sooner, large ones cost less each.", valueName: "MiB"))
    var bucketMebibytes: Double?

    func validate() throws {
        guard bucketMebibytes.map({ (0.001...256).contains($0) }) ?? true else {
            throw ValidationError("--bucket-mebibytes is \(bucketMebibytes ?? 0); 0.001 to 256 are allowed")
        }
    }

    /// The size that the user means; nil for the usual.
    var size: Bytes? { bucketMebibytes.map { Bytes(Int($0 * 1_048_576)) } }
}

/// Whether the command prints for programs.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON document and nothing else on standard output.")
    var json = false
}

extension StateOptions {
    /// The folder that the user means.
    var directory: StateDirectory { path.map(StateDirectory.init(path:)) ?? .standard() }
}
