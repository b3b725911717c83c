import ArgumentParser
import Corpus
import Foundation
import Jobs

/// `wafermark bench corpus import`: PubMed-like files into text.
struct BenchImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Measure the import of files with PubMed's structure.",
        discussion: """
            Writes such files first, with synthetic abstracts that take a tenth of their
            bytes, as in PubMed; some are revised, deleted or copied by later files. Then
            it imports them as 'corpus import' does by default, near duplicates included.
            """)

    @Option(help: ArgumentHelp("XML in all, in units of 10^9 bytes.", valueName: "n"))
    var gigabytes = 1.0

    @Option(help: ArgumentHelp("XML of a file, in units of 10^6 bytes.", valueName: "n"))
    var fileMegabytes = 200.0

    @Flag(help: "Leave the files unpacked, instead of .xml.gz.")
    var plain = false

    @Option(help: ArgumentHelp("Threads of the import; all cores by default.", valueName: "n"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Option(
        help: ArgumentHelp(
            "Keep the files here, and use those that are there; else a temporary folder.", valueName: "dir"))
    var keep: String?

    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard (0.001...1000).contains(gigabytes) else {
            throw ValidationError("--gigabytes is \(gigabytes); 0.001 to 1000 are allowed")
        }
        guard (0.1...4000).contains(fileMegabytes) else {
            throw ValidationError("--file-megabytes is \(fileMegabytes); 0.1 to 4000 are allowed")
        }
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    func run() async throws {
        if let keep { return try await run(in: keep) }
        let scratch = try ScratchFolder()
        defer { scratch.remove() }
        try await run(in: scratch.path)
    }

    private func run(in directory: String) async throws {
        let result = try await Interruption.cancels(blocking: {
            [gigabytes, fileMegabytes, plain, threads] isCancelled in
            try ImportBench.run(
                xmlBytes: Int(gigabytes * 1e9), fileBytes: Int(fileMegabytes * 1e6), packed: !plain, threads: threads,
                in: directory, isCancelled: isCancelled
            ) { Console.diagnose("bench: \($0)") }
        })
        if output.json {
            try Console.printJSON(result)
        } else {
            print(result)
        }
        guard result.countsAgree else {
            throw CommandFailure.failed("what was imported doesn't follow from what was written; please report this")
        }
    }

    private func print(_ result: ImportBench.Result) {
        let contents = result.contents
        Console.print(
            "\(Figures.plural(contents.files, "file")), \(Figures.short(Double(contents.xmlBytes) / 1e6)) MB of XML, "
                + "\(Figures.count(contents.citations)) citations, \(result.threads) threads (host clock)")
        let share = Double(contents.textBytes) / Double(contents.xmlBytes)
        let left = result.skipped.values.reduce(0, +)
        for (name, value) in [
            (
                "import",
                "\(Figures.short(result.xmlMegabytesPerSecond)) MB/s of XML, \(Figures.short(result.seconds)) s"
            ),
            (
                "  of these",
                "reading \(Figures.milliseconds(result.readingSeconds)), choosing \(Figures.milliseconds(result.choosingSeconds)), "
                    + "writing \(Figures.milliseconds(result.writingSeconds))"
            ),
            (
                "processor time",
                "\(Figures.short(result.processorSeconds)) s; \(Figures.short(result.xmlMegabytesPerProcessorSecond)) MB/s a core"
            ),
            (
                "reader alone",
                "\(Figures.short(result.readerMegabytesPerSecondOneThread)) MB/s on one thread, unpacking included"
            ),
            ("peak memory", Figures.bytes(result.peakRssBytes)),
            (
                "text",
                "\(Figures.percent(share)) of the XML; \(Figures.count(result.documents)) documents kept, \(Figures.count(left)) left out"
            ),
            ("counts", result.countsAgree ? "as written" : "NOT as written"),
        ] { Console.print("  \(name.padded(to: 16)) \(value)") }
    }
}
