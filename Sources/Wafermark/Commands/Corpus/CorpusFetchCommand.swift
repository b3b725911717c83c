import ArgumentParser
import Corpus
import Foundation
import Jobs

/// `wafermark corpus fetch`: downloads PubMed's files.
struct CorpusFetchCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fetch", abstract: "Download PubMed's files.",
        discussion: """
            'pubmed' is the yearly baseline (over 1,200 files, 45 GB), 'pubmed-updates'
            what came since, a file a day. Files are downloaded one after the other, at
            most three requests a second, as NLM asks of programs; see its terms and
            conditions:
            https://www.nlm.nih.gov/databases/download/terms_and_conditions.html

            Each file is checked by its MD5 sum. What broke off is continued, also by a
            later run; what failed is tried again, with growing pauses. Files that are
            there and whole are not downloaded again. Then: wafermark corpus import DIR
            --into CORPUS.
            """)

    @Argument(
        help: ArgumentHelp(
            "What to download: \(PubMedRelease.Collection.allCases.map(\.rawValue).joined(separator: " or ")).",
            valueName: "collection"))
    var collection: PubMedRelease.Collection

    @Option(help: ArgumentHelp("The numbers of the files, as 1..5 or 7.", valueName: "range"))
    var files: FileRange

    @Option(help: ArgumentHelp("The folder to download into.", valueName: "dir"))
    var into: String

    @Option(help: ArgumentHelp("The address of a folder with the same files; NLM's own by default.", valueName: "url"))
    var mirror: String?

    @Option(help: ArgumentHelp("The release, two digits of its year; looked up by default.", valueName: "year"))
    var release: Int?

    @Option(help: ArgumentHelp("Tries for a file.", valueName: "n"))
    var tries = PubMedFetch.Policy().tries

    @Option(help: ArgumentHelp("Seconds without a byte after which a transfer is given up.", valueName: "s"))
    var stall = PubMedFetch.Policy().stallSeconds

    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var directory: String
        var files: [PubMedFetch.File]
        var downloaded: Int
        var present: Int
        var failed: Int
        var bytesReceived: Int
        var elapsedHostSeconds: Double
    }

    func validate() throws {
        guard (1...100).contains(tries) else { throw ValidationError("--tries is \(tries); 1 to 100 are allowed") }
        guard (0.1...3600).contains(stall) else {
            throw ValidationError("--stall is \(stall); 0.1 to 3600 seconds are allowed")
        }
    }

    func run() async throws {
        var request = PubMedFetch.Request(files: files.range, directory: into)
        request.collection = collection
        request.mirror = mirror
        request.releaseYear = release
        var policy = PubMedFetch.Policy()
        policy.tries = tries
        policy.stallSeconds = stall
        let job = try PubMedFetch(request, policy: policy)
        if job.isInsecure {
            Console.diagnose("wafermark: the mirror is reached without encryption; sums and files may both be forged")
        }
        let display = ProgressDisplay { line in
            for note in job.takeNotes() { line.note("wafermark: \(PrintableText.plain(note))") }
            let progress = job.progress
            line.show(stage: "fetch", fraction: Self.fraction(progress)) { _ in Self.text(progress) }
        }
        defer { display.finish() }
        let files = try await Interruption.cancels(blocking: { isCancelled in
            try display.run { try job.run(isCancelled: isCancelled) }
        })
        display.finish()
        func count(_ state: PubMedFetch.File.State) -> Int { files.count { $0.state == state } }
        let result = Result(
            directory: into, files: files, downloaded: count(.downloaded), present: count(.present),
            failed: count(.failed), bytesReceived: job.progress.bytesReceived,
            elapsedHostSeconds: job.progress.elapsed.seconds)
        if output.json { try Console.printJSON(result) } else { print(result) }
        if result.failed > 0 { throw CommandFailure.alreadyReported }
    }

    private func print(_ result: Result) {
        Console.print(
            "\(into): \(Figures.plural(result.downloaded, "file")) downloaded (\(Figures.bytes(result.bytesReceived))), "
                + "\(result.present) there already, \(result.failed) failed")
        for file in result.files where file.state == .failed {
            Console.print("  \(file.name)  \(PrintableText.plain(file.reason ?? ""))")
        }
        if result.failed > 0 {
            Console.print("  run it again: what is there is kept, what broke off is continued")
        } else {
            Console.print("  next  wafermark corpus import \(into) --into CORPUS")
        }
    }

    private static func fraction(_ progress: PubMedFetch.Progress) -> Double {
        let part = progress.totalBytes.map { $0 > 0 ? Double(progress.bytes) / Double($0) : 0 } ?? 0
        return progress.files == 0 ? 0 : min(1, (Double(progress.filesDone) + part) / Double(progress.files))
    }

    private static func text(_ progress: PubMedFetch.Progress) -> String {
        var text = "\(Figures.count(progress.filesDone))/\(Figures.plural(progress.files, "file"))  \(progress.name)"
        let seconds = progress.elapsed.seconds
        if progress.bytesReceived > 0, seconds > 0.2 {
            text += "  \(Figures.short(Double(progress.bytesReceived) / 1e6 / seconds)) MB/s"
        }
        let fraction = fraction(progress)
        if fraction > 0.01, seconds > 1 { text += "  \(Figures.clock(seconds / fraction - seconds)) left" }
        return text
    }
}

/// Numbers from the first to the last.
struct FileRange: ExpressibleByArgument {
    var range: ClosedRange<Int>

    init?(argument: String) {
        let parts = argument.split(separator: ".", omittingEmptySubsequences: false)
        let numbers: [Int?] = [parts.first, parts.last].map { $0.flatMap { Int($0) } }
        guard parts.count == 1 || parts.count == 3 && parts[1].isEmpty, let first = numbers[0], let last = numbers[1],
            first <= last
        else { return nil }
        range = first...last
    }
}

extension PubMedRelease.Collection: ExpressibleByArgument {}
