import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Messaging
import Runs
import Wire

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

/// A daemon elsewhere, in place of the one that runs on the state directory.
struct DaemonOptions: ParsableArguments {
    @Option(
        name: .customLong("daemon"),
        help: ArgumentHelp(
            "Ask the daemon at this address, such as tcp://HOST:5555, and not the one of the state directory.",
            discussion: "By default $WAFERMARK_DAEMON.", valueName: "endpoint"))
    var endpoint: String?

    @Option(
        name: .customLong("key"),
        help: ArgumentHelp(
            "The file of the key by which that daemon knows you; 'wafermark keys new' made it.",
            discussion: "By default $WAFERMARK_KEY.", valueName: "file"))
    var keyFile: String?

    /// The daemon's address, and the key that was made for it; nil where the state directory's daemon is meant.
    ///
    /// - Throws: `MessagingError.endpoint`, `KeyError`.
    func remote() throws -> (endpoint: Endpoint, key: ClientKey?)? {
        let environment = ProcessInfo.processInfo.environment
        func named(_ option: String?, _ variable: String) -> String? {
            option ?? environment[variable].flatMap { $0.isEmpty ? nil : $0 }
        }
        guard let address = named(endpoint, "WAFERMARK_DAEMON") else { return nil }
        return (try Endpoint(address), try named(keyFile, "WAFERMARK_KEY").map { try ClientKey(contentsOf: $0) })
    }

    /// A client of the daemon that is meant.
    func client(of state: StateDirectory) throws -> DaemonClient {
        guard let remote = try remote() else { return DaemonClient(state: state) }
        return DaemonClient(at: remote.endpoint, key: remote.key)
    }

    /// Prints the document that `request` asks a daemon elsewhere for; false where none is meant.
    func printDocument(_ request: DocumentRequest) async throws -> Bool {
        guard let remote = try remote() else { return false }
        let document = try await DaemonClient(at: remote.endpoint, key: remote.key).document(request)
        Console.printExactly(String(decoding: document, as: UTF8.self))
        return true
    }

    /// The run that `text` names: any beginning of its id that is alone, for the state directory's daemon; all of it, for
    /// one elsewhere.
    func run(named text: String, in state: StateDirectory) throws -> RunID {
        guard try remote() != nil else { return try RunStore(readingFrom: state.path).id(startingWith: text) }
        guard let id = RunID(text) else {
            throw CommandFailure.wrongUsage("'\(text)' is no run's id; with --daemon give all of it")
        }
        return id
    }
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

    @Option(
        help: ArgumentHelp(
            "A run that has begun waits so long for its workers; 60 by default, an hour for those of other hosts.",
            valueName: "s"))
    var joinSeconds: Double?

    @Option(help: ArgumentHelp("A run that gets no further for so long says who waits for whom.", valueName: "s"))
    var stallSeconds = RunDeadlines().stall

    func validate() throws {
        for (name, value) in [
            ("heartbeat", heartbeatSeconds), ("collective", collectiveSeconds), ("stall", stallSeconds),
            ("join", joinSeconds ?? 60),
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
        if let joinSeconds { deadlines.join = joinSeconds }
        return deadlines
    }
}

/// How processes sum gradients.
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
}

/// How a cluster's workers share lanes and exchange gradients.
struct ExchangeOptions: ParsableArguments {
    @OptionGroup var collective: CollectiveOptions

    @Option(
        help: ArgumentHelp(
            "By what workers share the lanes: \(LaneShareRule.allCases.map(\.rawValue).joined(separator: ", ")).",
            discussion: "Slow workers get fewer, or as many as the others. The bits are the same.", valueName: "rule"))
    var laneShares = LaneShareRule.speed

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

    /// The settings that the user means.
    ///
    /// - Throws: `ExchangeSettings.Violation`, which `validate` has ruled out.
    func settings() throws -> ExchangeSettings {
        try ExchangeSettings(
            algorithm: collective.algorithm, transport: collective.transport, laneShares: laneShares,
            bucket: bucketMebibytes.map { Bytes(Int($0 * 1_048_576)) } ?? ExchangeSettings.usualBucket)
    }
}

/// A job's gradient compression, where the user means another than its file says.
struct CompressionOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How gradients are compressed: \(names); instead of what the job says.",
            discussion: "The bits depend on it. A job's own settings of a kind are kept.", valueName: "kind"))
    var compression: String?

    private static let none = "none"
    private static let names = ([none] + GradientCompression.names).joined(separator: ", ")

    func validate() throws {
        guard let compression, compression != Self.none, GradientCompression(name: compression) == nil else { return }
        throw ValidationError("--compression is '\(compression)'; allowed are \(Self.names)")
    }

    /// `job`, compressed as the user means.
    func applied(to job: Job) -> Job {
        guard let compression, compression != job.compression?.name else { return job }
        var job = job
        job.compression = GradientCompression(name: compression)
        return job
    }
}

extension CollectiveAlgorithm: ExpressibleByArgument {}
extension Transport: ExpressibleByArgument {}
extension LaneShareRule: ExpressibleByArgument {}

/// Whether the command prints for programs.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON document and nothing else on standard output.")
    var json = false
}

extension StateOptions {
    /// The folder that the user means.
    var directory: StateDirectory { path.map(StateDirectory.init(path:)) ?? .standard() }
}
