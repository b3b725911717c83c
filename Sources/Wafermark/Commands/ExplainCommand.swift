import ArgumentParser
import Jobs
import PerformanceModel

/// `wafermark explain`: where a figure of a prediction comes from.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Take a figure of a prediction apart: formula, inputs, sources.",
        discussion: """
            Takes what 'predict' takes, and the figure's name as its JSON has it:
            time_seconds, step_seconds, compute_seconds, waiting_seconds,
            exposed_communication_seconds, optimizer_seconds, sequences_per_second,
            energy_kilowatt_hours, cost_us_dollars; or any name that an explanation shows.
            A phase's figure: --phase.

            The figure is computed again from the inputs that are shown; 'recomputed' is
            what came out. Exits with 1 where that is another value.

              wafermark explain bert-large-pubmed --hardware dgx2-v100 --figure step_seconds
            """)

    @OptionGroup var what: PredictionOptions

    @Option(help: ArgumentHelp("The figure's name.", valueName: "name"))
    var figure = "time_seconds"

    @Option(help: ArgumentHelp("The phase whose figure is meant, from 1.", valueName: "n"))
    var phase = 1

    @Option(help: ArgumentHelp("Levels of inputs that are shown.", valueName: "n"))
    var depth = 3

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions

    private struct Document: Encodable {
        var figure: String
        var value: Double
        var recomputed: Double
        var unit: String
        var explanation: Explanation
    }

    func run() throws {
        let profile = try HardwareCatalogue.profile(what.hardware)
        let root = try Explanation.prediction(
            job: what.readJob(), profile: profile, layout: what.readLayout().steps(on: profile),
            convergence: what.readConvergence(state))
        guard let ofPhase = root.figure("phase\(phase)_seconds") else {
            throw CommandFailure.wrongUsage("--phase is \(phase); the job has no such phase")
        }
        // What every phase has is looked for in the phase's own part.
        guard
            let found = root.inputs.first(where: { $0.name == figure }) ?? ofPhase.figure(figure) ?? root.figure(figure)
        else {
            let nearest = NearestName.suggestion(for: figure, among: root.names)
            throw CommandFailure.wrongUsage(
                "no figure is named \(PrintableText.quoted(figure))"
                    + (nearest.map { "; did you mean '\($0)'?" } ?? "; see 'wafermark explain --help'"))
        }
        let recomputed = try found.recomputed()
        if output.json {
            try Console.printJSON(
                Document(
                    figure: found.name, value: found.value, recomputed: recomputed, unit: found.unit,
                    explanation: found))
        } else {
            Console.print("modelled clock; \(root.title)\n")
            Console.printExactly(ExplanationText(found, depth: depth).text)
            Console.print("\nrecomputed from its inputs: \(recomputed) \(found.unit)")
        }
        guard abs(recomputed - found.value) <= 1e-9 * max(abs(found.value), 1e-12) else {
            throw CommandFailure.failed("the inputs give \(recomputed), not \(found.value)")
        }
    }
}
