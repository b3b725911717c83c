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

/// How a cluster's workers sum their gradients.
struct CollectiveOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "How workers sum gradients: \(CollectiveAlgorithm.allCases.map(\.rawValue).joined(separator: ", ")).",
            discussion: "The sum has the same bits by all of them.", valueName: "name"))
    var algorithm = CollectiveAlgorithm.direct
}

extension CollectiveAlgorithm: ExpressibleByArgument {}

/// Whether the command prints for programs.
struct OutputOptions: ParsableArguments {
    @Flag(name: .customLong("json"), help: "Print one JSON document and nothing else on standard output.")
    var json = false
}

extension StateOptions {
    /// The folder that the user means.
    var directory: StateDirectory { path.map(StateDirectory.init(path:)) ?? .standard() }
}
