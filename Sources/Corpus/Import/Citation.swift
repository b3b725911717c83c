/// A publication as an import reads it: enough to choose by, and its text.
public struct Citation: Hashable, Sendable {
    /// A part of an abstract.
    public struct Section: Hashable, Sendable {
        /// The heading ("BACKGROUND"), or empty.
        public var label: String
        /// The running text.
        public var text: String

        /// A section.
        public init(label: String = "", text: String) {
            self.label = label
            self.text = text
        }
    }

    /// The PubMed number; 0 where there is none.
    public var pmid: UInt32 = 0
    /// The version of the PubMed record.
    public var version: UInt16 = 1
    /// The title, without the brackets that mark a translated one.
    public var title = ""
    /// The abstract's sections, or an article's paragraphs.
    public var sections: [Section] = []
    /// Abstracts in other words or languages.
    public var otherSections: [Section] = []
    /// Language codes as PubMed's ("eng").
    public var languages: [String] = []
    /// The year of publication; 0 where none is given.
    public var year = 0
    /// The journal's title.
    public var journal = ""
    /// MeSH headings.
    public var meshTerms: [String] = []
    /// Kinds of publication ("Randomized Controlled Trial", "Retracted Publication").
    public var publicationTypes: [String] = []
    /// The licence or copyright note.
    public var licence = ""

    /// An empty citation.
    public init() {}

    /// Whether the publication was retracted.
    public var isRetracted: Bool { publicationTypes.contains("Retracted Publication") }

    /// The title and the sections as one document of one sentence each.
    public func document(splitter: SentenceSplitter = SentenceSplitter()) -> TextDocument {
        var document = TextDocument()
        splitter.append(title, to: &document)
        for section in sections { splitter.append(section.text, to: &document) }
        return document
    }
}

/// What a citation file says, in its order.
public enum CitationRecord: Hashable, Sendable {
    /// A publication, new or revised.
    case citation(Citation)
    /// Publications that are to be forgotten, by PubMed number.
    case deletion([UInt32])
}

/// A file of citations, read one record at a time in bounded memory.
public protocol CitationReader: AnyObject {
    /// The next record; nil at the end. Throws `CorpusError.malformed` with the byte where the file breaks its format.
    func next() throws -> CitationRecord?
    /// The share of the file's bytes that has been read.
    var fractionRead: Double { get }
}
