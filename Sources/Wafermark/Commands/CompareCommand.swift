import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Report

/// `wafermark compare`: both backends, then the report.
struct CompareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Train a job on the cluster and on the wafer, and report side by side.",
        discussion: """
            Uses the daemon that runs on the state directory, or brings one of its own for
            the time. The last line printed is the report's path. Ctrl-C cancels the run
            under way and ends its workers.

            With --wafer-variants the wafer trains variants of the network instead, each
            under several seeds: 'dense', and 'sparse' with a percentage of zeros. Time to
            the target is then given with its spread. Each sparse variant is trained once
            on the cluster too, to the same bits.

              wafermark compare job.yaml --wafer-variants dense,sparse75
            """)

    @Argument(help: "The job file (YAML).")
    var job: String

    @Option(help: ArgumentHelp("Worker processes of the cluster, at most the job's lanes.", valueName: "n"))
    var workers = 2

    @OptionGroup var exchange: ExchangeOptions
    @OptionGroup var compression: CompressionOptions

    @Option(help: ArgumentHelp("The machine that the cluster stands for.", valueName: "profile"))
    var clusterHardware: String?

    @Option(help: ArgumentHelp("The machine that the wafer stands for.", valueName: "profile"))
    var waferHardware: String?

    @Option(help: ArgumentHelp("Variants for the wafer, such as dense,sparse75.", valueName: "names"))
    var waferVariants: VariantList?

    @Option(help: ArgumentHelp("With variants: seeds of each, from the job's on.", valueName: "n"))
    var seeds = 3

    @Option(
        name: .customLong("out"),
        help: ArgumentHelp("The report's folder; results/NAME-DATE by default.", valueName: "dir"))
    var folder: String?

    @OptionGroup var state: StateOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var log: LogOptions

    func validate() throws {
        guard 1...100 ~= seeds else { throw ValidationError("--seeds is \(seeds); 1 to 100 are allowed") }
    }

    func run() async throws {
        let job = compression.applied(to: try JobFile.read(self.job))
        try JobRequirements.check(workers: workers, of: job)
        try JobRequirements.check(hardware: clusterHardware, for: .cluster)
        try JobRequirements.check(hardware: waferHardware, for: .wafer)
        if let waferVariants { return try await compare(waferVariants.variants, of: job) }
        let directory = state.directory
        let request = BackendComparison.Request(
            job: job, workers: workers, exchange: try exchange.settings(), clusterHardware: clusterHardware,
            waferHardware: waferHardware, output: folder ?? "results/\(job.name)-\(FileTimestamp.now())")
        let session = try session(directory)
        let display = TerminalProgress(on: output.json ? .standardError : .standardOutput)
        let comparison = BackendComparison(request, state: directory, client: DaemonClient(state: directory))
        let summary = try await Interruption.cancels(again: { Task { await comparison.endAtOnce() } }) {
            try await session.run { _ in
                try await comparison.run { snapshot in await display.show(RunProgress(snapshot)) }
            }
        }
        if output.json {
            Console.printExactly(String(decoding: try summary.json(), as: UTF8.self))
        } else {
            Console.print(summary.answer)
            switch summary.bitIdentical {
            case true?: Console.print("Losses at every step and the final weights are bit-identical on both.")
            case false?: Console.print("Losses or weights DIFFER between the two: see the report.")
            case nil: break
            }
            if let path = summary.reportPath { Console.print(path) }
        }
        if summary.bitIdentical == false {
            throw CommandFailure.failed(
                "the two runs did not give the same bits; the report shows the first difference")
        }
    }

    private func session(_ state: StateDirectory) throws -> DaemonSession {
        DaemonSession(
            options: try ThisProgram.daemonOptions(state: state, endpoints: []),
            logger: ThisProgram.logger(level: .warning, format: log.logFormat))
    }

    private func compare(_ variants: [SparsityVariant], of job: Job) async throws {
        for variant in variants {
            if let problem = JobFile.problems(of: variant.job(job, seed: job.seed)).first {
                throw CommandFailure.wrongUsage(
                    "the variant '\(variant.name)' of \(self.job): \(problem.key ?? "job") is \(problem.found); allowed: "
                        + problem.allowed)
            }
        }
        let directory = state.directory
        let session = try session(directory)
        let display = TerminalProgress(on: output.json ? .standardError : .standardOutput)
        let comparison = VariantComparison(
            VariantComparison.Request(
                job: job, variants: variants, seeds: seeds, workers: workers, exchange: try exchange.settings(),
                waferHardware: waferHardware, output: folder ?? "results/\(job.name)-\(FileTimestamp.now())"),
            state: directory, client: DaemonClient(state: directory))
        let (report, paths) = try await Interruption.cancels(again: { Task { await comparison.endAtOnce() } }) {
            try await session.run { _ in
                try await comparison.run { snapshot in await display.show(RunProgress(snapshot)) }
            }
        }
        if output.json {
            Console.printExactly(String(decoding: try report.json(), as: UTF8.self))
        } else {
            Console.printExactly(VariantText(report).terminal)
            if let path = paths.first { Console.print(path) }
        }
        if report.bitIdentical == false {
            throw CommandFailure.failed("a sparse run gave other bits on the cluster than on the wafer; see the report")
        }
    }
}
