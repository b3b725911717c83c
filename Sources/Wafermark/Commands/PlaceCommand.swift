import ArgumentParser
import Foundation
import Jobs
import PerformanceModel
import Report

/// `wafermark place`: the floor plan of a job on a wafer.
struct PlaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "place", abstract: "Place a job's network on a wafer and time its pipeline.",
        discussion: """
            Every operator of the training graph gets a rectangle of cores that holds its
            weights and does its forward and backward passes. Rectangles are sized so that
            the slowest is as fast as can be; samples stream through them. Nothing is
            trained: times are on the modelled clock.

            Where the network doesn't fit, or with --execution streaming, weights come
            from outside layer by layer, on wafers that can (cs2, cs3).

            --sensitivity varies what the time rests on, one thing after the other, the
            largest change first; it is of the whole job, not of a phase.

              wafermark place bert-large-pubmed --hardware cs1 --svg plan.svg
              wafermark place bert-large-pubmed --hardware cs1 --sparsity 0.75
              wafermark place bert-large-pubmed --hardware cs2 --execution streaming
            """)

    @Argument(help: ArgumentHelp("The job file (YAML), or the name of an example.", valueName: "job"))
    var job: String

    @Option(help: ArgumentHelp("A wafer's profile that 'hardware list' shows, or a YAML file.", valueName: "profile"))
    var hardware: String

    @Option(help: ArgumentHelp("The phase of the job, from 1.", valueName: "n"))
    var phase = 1

    @Option(help: ArgumentHelp("Copies of the network; as many as pay by default.", valueName: "n"))
    var replicas: Int?

    @Option(help: ArgumentHelp("Write the floor plan as a picture.", valueName: "file"))
    var svg: String?

    @Option(help: ArgumentHelp("Write the first samples' way through the pipeline as a picture.", valueName: "file"))
    var gantt: String?

    @Flag(help: "Vary what the time to solution rests on, and show the change in hours.")
    var sensitivity = false

    @OptionGroup var wafer: WaferOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let job = try PredictionOptions.readJob(job)
        let profile = try HardwareCatalogue.profile(hardware)
        let layout = StepModel.Layout(
            workers: 1, execution: wafer.execution, replicas: replicas, sparsity: try wafer.readSparsity())
        let placement = try Placement(job: job, profile: profile, phase: phase - 1, layout: layout)
        let title = "\(job.name), phase \(phase), on \(profile.title)"
        try draw(placement, title)
        let table = sensitivity ? try WaferSensitivity(job: job, profile: profile, layout: layout) : nil
        if output.json {
            try Console.printJSON(
                PlacementDocument(placement, job: job.name, hardware: profile.name, sensitivity: table))
        } else {
            Console.printExactly(
                PlacementText(placement, title: title).text + (table.map { "\n" + SensitivityText($0).text } ?? ""))
        }
    }

    private func draw(_ placement: Placement, _ title: String) throws {
        guard svg != nil || gantt != nil else { return }
        guard let plan = placement.schedule.floorPlan else {
            throw CommandFailure.wrongUsage(
                "with streamed weights every layer has the whole wafer, so there is no floor plan to draw; leave out --svg "
                    + "and --gantt, or try --execution pipelined")
        }
        if let svg { try write(FloorPlanPicture(plan, title: title).file(), to: svg) }
        if let gantt { try write(PipelinePicture(plan, samples: Self.drawnSamples).file(), to: gantt) }
    }

    /// Samples of the Gantt chart: enough to see the pipeline fill.
    private static let drawnSamples = 40

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
