import ArgumentParser
import Corpus
import Foundation
import Jobs

/// `wafermark corpus import`: makes text of publications.
struct CorpusImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import", abstract: "Make text of PubMed files, articles, JSON lines or plain text.",
        discussion: """
            SOURCE is a file or a directory of files: PubMed XML (pubmed24n0001.xml.gz), PMC
            articles (.nxml), JSON lines (.jsonl) and plain text (.txt, blank lines between
            documents), each also as .gz. Other names are told by how the file begins.

            Writes DIR/text: one sentence a line, a blank line between documents;
            DIR/records: where each document comes from, with its licence note;
            DIR/corpus.json: what was read, kept and left out, and why. Sources are taken
            in the order given, directories by name, PubMed's release files by number. The
            newest revision of a PMID wins, and a later DeleteCitation removes it.

            Started again with the same sources and options, it goes on where it was; with
            further sources it reads only these. The result doesn't depend on --threads.

            Documents whose sets of five-word runs overlap by --similarity or more count as
            near duplicates; the first is kept (MinHash, 128 values; finds nine in ten of
            those at the limit, nearly all above it).
            """)

    @Argument(help: ArgumentHelp("Files and directories.", valueName: "source"))
    var sources: [String]

    @Option(help: ArgumentHelp("The folder to write: new, empty, or of an earlier import.", valueName: "dir"))
    var into: String

    @OptionGroup(title: "What is kept") var choice: ImportChoiceOptions

    @OptionGroup(title: "How sources are read") var reading: ImportReadingOptions

    @OptionGroup var output: OutputOptions

    func run() async throws {
        var request = CorpusImport.Request(
            sources: sources, directory: into, threads: reading.threads, isStrict: reading.strict)
        request.options = try choice.options()
        reading.apply(to: &request.options)
        let job = try CorpusImport(request)
        let display = ProgressDisplay { line in
            for fault in job.takeFaults() { line.note("wafermark: \(PrintableText.plain(fault))") }
            let progress = job.progress
            line.show(stage: "import", fraction: progress.fraction) { _ in ImportText.line(progress) }
        }
        defer { display.finish() }
        let outcome = try await Interruption.cancels(blocking: { isCancelled in
            try display.run { try job.run(isCancelled: isCancelled) }
        })
        display.finish()
        let report = ImportReport(outcome, directory: into)
        if output.json { try Console.printJSON(report) } else { report.print() }
        if report.counts.articles == 0, report.files.malformed > 0 {
            throw CommandFailure.failed("\(into): nothing could be read of any of the files")
        }
    }
}

/// Which documents an import keeps, as options.
struct ImportChoiceOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "A language, as PubMed writes it or in two letters (eng, en); repeatable.", valueName: "code"))
    var language: [String] = []

    @Option(help: ArgumentHelp("Years of publication, as 1990..2020, 2010.. or ..1999.", valueName: "range"))
    var years: YearRange?

    @Option(
        help: ArgumentHelp("A MeSH heading or its number; one of those given is needed; repeatable.", valueName: "term")
    )
    var mesh: [String] = []

    @Option(
        help: ArgumentHelp(
            "Words that must all be in title or text; one of those given is needed; repeatable.", valueName: "words"))
    var query: [String] = []

    @Option(help: ArgumentHelp("Words that a document has at least.", valueName: "n"))
    var minimumWords = 0

    @Flag(help: "Leave out retracted articles.")
    var dropRetracted = false

    @Flag(help: "Keep citations that have a title and no abstract.")
    var titlesAlone = false

    @Flag(help: "Begin sections with their labels, as in 'METHODS: We measured'.")
    var labels = false

    @Option(
        help: ArgumentHelp(
            "OtherAbstract elements: none, missing (where there is no abstract) or all (also as documents of their own).",
            valueName: "which"))
    var otherAbstracts = ImportOptions().otherAbstracts

    @Option(help: ArgumentHelp("Copies: keep them, drop exact ones, or drop near ones too.", valueName: "which"))
    var duplicates = ImportOptions().duplicates

    @Option(help: ArgumentHelp("The overlap that makes near duplicates, 0.5 to 1.", valueName: "share"))
    var similarity = ImportOptions().similarity

    /// The options of the import.
    func options() throws -> ImportOptions {
        var options = ImportOptions()
        options.languages = language
        options.firstYear = years?.first
        options.lastYear = years?.last
        options.meshTerms = mesh
        options.queries = query
        options.minimumWords = minimumWords
        options.dropsRetracted = dropRetracted
        options.keepsTitlesAlone = titlesAlone
        options.keepsLabels = labels
        options.otherAbstracts = otherAbstracts
        options.duplicates = duplicates
        options.similarity = similarity
        return options
    }
}

/// How an import reads its sources, as options.
struct ImportReadingOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads; all cores by default.", valueName: "n"))
    var threads: Int = ProcessInfo.processInfo.activeProcessorCount

    @Flag(help: "End at the first malformed or empty file; else what can be read of it is kept.")
    var strict = false

    @Flag(help: "Lines of plain text are wrapped: a line end ends no sentence.")
    var wrapped = false

    @Option(
        help: ArgumentHelp("The key of titles in JSON lines; 'title' by default; repeatable.", valueName: "key"))
    var titleKey: [String] = []

    @Option(
        help: ArgumentHelp(
            "A key of text in JSON lines; 'abstract' and 'text' by default; repeatable.", valueName: "key"))
    var textKey: [String] = []

    func validate() throws {
        guard (1...1024).contains(threads) else {
            throw ValidationError("--threads is \(threads); 1 to 1024 are allowed")
        }
    }

    /// Sets what concerns an import's result.
    func apply(to options: inout ImportOptions) {
        options.joinsLines = wrapped
        if !titleKey.isEmpty { options.jsonKeys.title = titleKey }
        if !textKey.isEmpty { options.jsonKeys.text = textKey }
    }
}

/// Years from the first to the last; either may be open.
struct YearRange: ExpressibleByArgument {
    var first: Int?
    var last: Int?

    init?(argument: String) {
        guard let dots = argument.range(of: "..") else {
            guard let year = Int(argument) else { return nil }
            (first, last) = (year, year)
            return
        }
        let (from, to) = (argument[..<dots.lowerBound], argument[dots.upperBound...])
        first = Int(from)
        last = Int(to)
        guard from.isEmpty == (first == nil), to.isEmpty == (last == nil), first != nil || last != nil else {
            return nil
        }
    }
}

extension ImportOptions.OtherAbstracts: ExpressibleByArgument {}
extension ImportOptions.Duplicates: ExpressibleByArgument {}
