import Corpus
import Foundation
import Testing

/// PubMed files as small as tests need them, and imports of them.
struct ImportFixture {
    let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    /// Where imports go unless another folder is named.
    var corpus: String { folder.file("corpus") }

    /// A `PubmedArticle`.
    static func article(
        _ pmid: Int, title: String = "A title.", abstract: String? = nil, version: Int = 1, revised: Int? = nil,
        language: String = "eng", year: Int = 2020, mesh: [String] = [], more: String = "", types: [String] = []
    ) -> String {
        let date = revised.map {
            "<DateRevised><Year>\($0 / 10_000)</Year><Month>\($0 / 100 % 100)</Month><Day>\($0 % 100)</Day></DateRevised>"
        }
        let text = abstract.map { "<Abstract><AbstractText>\($0)</AbstractText></Abstract>" }
        return """
            <PubmedArticle><MedlineCitation><PMID Version="\(version)">\(pmid)</PMID>\(date ?? "")<Article><Journal>
            <JournalIssue><PubDate><Year>\(year)</Year></PubDate></JournalIssue></Journal><ArticleTitle>\(title)</ArticleTitle>
            \(text ?? "")<Language>\(language)</Language><PublicationTypeList>
            \(types.map { "<PublicationType>\($0)</PublicationType>" }.joined())</PublicationTypeList></Article>
            <MeshHeadingList>\(mesh.map { "<MeshHeading><DescriptorName>\($0)</DescriptorName></MeshHeading>" }.joined())
            </MeshHeadingList>\(more)</MedlineCitation></PubmedArticle>

            """
    }

    /// A sentence of words that no other number gives.
    static func sentence(_ number: Int, words: Int = 12) -> String {
        (0..<words).map { "w\(number)x\($0)" }.joined(separator: " ") + "."
    }

    /// Writes a set of articles; returns its path.
    func pubMed(_ name: String, _ articles: [String], more: String = "") throws -> String {
        try folder.write("<PubmedArticleSet>\(articles.joined())\(more)</PubmedArticleSet>", to: name)
    }

    /// Imports `sources`.
    @discardableResult
    func run(
        _ sources: [String], into directory: String? = nil, threads: Int = 1, isStrict: Bool = false,
        _ change: (inout ImportOptions) -> Void = { _ in }
    ) throws -> CorpusImport.Outcome {
        try job(sources, into: directory, threads: threads, isStrict: isStrict, change).run()
    }

    /// An import that has yet to be run.
    func job(
        _ sources: [String], into directory: String? = nil, threads: Int = 1, isStrict: Bool = false,
        space: DiskSpace? = nil, mostEntries: Int = 8 << 20, unitBytes: Int = 32 << 20,
        _ change: (inout ImportOptions) -> Void = { _ in }
    ) throws -> CorpusImport {
        var request = CorpusImport.Request(
            sources: sources, directory: directory ?? corpus, threads: threads, isStrict: isStrict)
        change(&request.options)
        return try CorpusImport(request, space: space, mostEntries: mostEntries, unitBytes: unitBytes)
    }

    /// The documents of the corpus at `directory`, each its sentences joined.
    func documents(in directory: String? = nil) throws -> [String] {
        let directory = directory ?? corpus
        var documents: [String] = []
        for path in try ImportedCorpus(readingFrom: directory).textPaths(in: directory) {
            let reader = try TextReader(path: path)
            var document = TextDocument()
            while try reader.next(into: &document) { documents.append(document.sentences.joined(separator: " ")) }
        }
        return documents
    }

    /// Every file of an import that readers see, by name with its digest; leaves out what `work/` holds.
    static func contents(of directory: String) throws -> [String: String] {
        var contents: [String: String] = [:]
        for name in try FileManager.default.subpathsOfDirectory(atPath: directory)
        where !name.hasPrefix("work") && name.contains(".") {
            contents[name] = try TestDigest.of(directory + "/" + name)
        }
        return contents
    }
}
