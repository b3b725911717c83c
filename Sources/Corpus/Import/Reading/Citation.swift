import Jobs

/// A publication as an import reads it: enough to choose by, and its text.
public struct Citation: Hashable, Sendable {
    /// A part of an abstract.
    public struct Section: Hashable, Sendable {
        /// The heading ("BACKGROUND"), or empty.
        public var label: String
        /// What the heading is, of NLM's five categories ("OBJECTIVE"), or empty.
        public var category: String
        /// The running text.
        public var text: String

        /// A section.
        public init(label: String = "", category: String = "", text: String) {
            self.label = label
            self.category = category
            self.text = text
        }
    }

    /// An abstract in other words or in another language.
    public struct OtherAbstract: Hashable, Sendable {
        /// Whose words they are ("Publisher", "plain-language-summary").
        public var kind: String
        /// The language code, as PubMed's.
        public var language: String
        /// The sections.
        public var sections: [Section]

        /// An abstract.
        public init(kind: String = "", language: String = "eng", sections: [Section] = []) {
            self.kind = kind
            self.language = language
            self.sections = sections
        }
    }

    /// The PubMed number; 0 where there is none.
    public var pmid: UInt32 = 0
    /// The version of the PubMed record.
    public var version: UInt16 = 1
    /// When the record was last revised, as the number 20240131; 0 where it doesn't say.
    public var revised: UInt32 = 0
    /// The title, without the brackets that mark a translated one.
    public var title = ""
    /// The abstract's sections, or an article's paragraphs.
    public var sections: [Section] = []
    /// Abstracts in other words or languages.
    public var otherAbstracts: [OtherAbstract] = []
    /// Language codes as PubMed's ("eng").
    public var languages: [String] = []
    /// The year of publication; 0 where none is given.
    public var year = 0
    /// The journal's title.
    public var journal = ""
    /// MeSH headings.
    public var meshTerms: [String] = []
    /// The unique identifiers of the headings ("D009369").
    public var meshNumbers: [String] = []
    /// Kinds of publication ("Randomized Controlled Trial", "Retracted Publication").
    public var publicationTypes: [String] = []
    /// The licence or copyright note.
    public var licence = ""
    /// Whether the publication was retracted.
    public var isRetracted = false
    /// Why the record can't be used at all; nil where it can.
    public var defect: SkipReason?

    /// An empty citation.
    public init() {}

    /// The title and the sections as one document of one sentence each.
    public func document(splitter: SentenceSplitter = SentenceSplitter()) -> TextDocument {
        var document = TextDocument()
        splitter.append(title, to: &document)
        for section in sections { splitter.append(section.text, to: &document) }
        return document
    }
}

/// Why a document was left out.
public enum SkipReason: UInt8, Hashable, Sendable, CaseIterable {
    /// It has no abstract, or no text at all.
    case noText = 1
    /// Its language is another, or isn't stated.
    case language
    /// It is of another year, or states none.
    case year
    /// It has none of the MeSH headings.
    case mesh
    /// It matches none of the queries.
    case query
    /// It was retracted.
    case retracted
    /// It has too few words.
    case short
    /// A text in it is longer than 32 MiB.
    case tooLong
    /// Its PubMed number isn't one.
    case badNumber
    /// A newer revision of it is there.
    case superseded
    /// A later `DeleteCitation` names it.
    case deleted
    /// An earlier document has the same words.
    case duplicate
    /// An earlier document has nearly the same words.
    case nearDuplicate

    /// Its name in manifests.
    public var name: String {
        switch self {
        case .noText: "no_text"
        case .language: "language"
        case .year: "year"
        case .mesh: "mesh"
        case .query: "query"
        case .retracted: "retracted"
        case .short: "short"
        case .tooLong: "too_long"
        case .badNumber: "bad_number"
        case .superseded: "superseded"
        case .deleted: "deleted"
        case .duplicate: "duplicate"
        case .nearDuplicate: "near_duplicate"
        }
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
    /// What kind of file it is.
    var kind: ImportedCorpus.Kind { get }
    /// The next record; nil at the end. Throws a `CorpusError` that names the byte where the file breaks its format.
    func next() throws -> CitationRecord?
    /// After `.malformed` was thrown: moves on to where a record begins again, and returns that byte. Nil where none does
    /// any more, or where the format has no mark to tell it by.
    func resume() throws -> Int?
    /// Invalid UTF-8 sequences replaced so far.
    var replacedSequences: Int { get }
}

extension CitationReader {
    /// There is no way back.
    public func resume() throws -> Int? { nil }
}
