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
            weights and does its forward and backward passes. Rectangles are sized so that the
            slowest is as fast as can be; samples stream through them. Nothing is trained:
            times are on the modelled clock.

              wafermark place bert-large-pubmed --hardware cs1 --svg plan.svg
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

    @OptionGroup var output: OutputOptions

    func run() throws {
        let job = try PredictionOptions.readJob(job)
        let profile = try HardwareCatalogue.profile(hardware)
        let placement = try Placement(job: job, profile: profile, phase: phase - 1, replicas: replicas)
        let title = "\(job.name), phase \(phase), on \(profile.title)"
        if let svg { try write(FloorPlanPicture(placement.plan, title: title).file(), to: svg) }
        if let gantt { try write(PipelinePicture(placement.plan, samples: Self.drawnSamples).file(), to: gantt) }
        if output.json {
            try Console.printJSON(PlacementDocument(placement, job: job.name, hardware: profile.name))
        } else {
            Console.printExactly(PlacementText(placement, title: title).text)
        }
    }

    /// Samples of the Gantt chart: enough to see the pipeline fill.
    private static let drawnSamples = 40

    private func write(_ text: String, to path: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path), options: .atomic)
    }
}
