import Jobs

/// What an import keeps of what it reads. Two imports of the same files with equal options give the same bytes.
///
/// A rule on something that a record doesn't state (a language, a year) leaves the record out and counts it as such.
public struct ImportOptions: Codable, Hashable, Sendable {
    /// What is done with an `OtherAbstract`, an abstract in other words or another language.
    public enum OtherAbstracts: String, Codable, Hashable, Sendable, CaseIterable {
        /// They are left out.
        case none
        /// They stand in where the citation has no abstract of its own.
        case missing
        /// Each that passes the language rule is a document of its own as well.
        case all
    }

    /// Which copies are left out; of equal documents the first in the order of the sources is kept.
    public enum Duplicates: String, Codable, Hashable, Sendable, CaseIterable {
        /// All are kept.
        case keep
        /// Documents of the same words are left out.
        case exact
        /// Also documents whose sets of word 5-grams overlap by at least `similarity`.
        case near
    }

    /// Names of keys in JSON lines, each tried in turn; a key may be absent.
    public struct JSONKeys: Codable, Hashable, Sendable {
        /// The title.
        public var title = ["title"]
        /// The text: every one of these that is there, in this order; a string or a list of strings.
        public var text = ["abstract", "text"]
        /// The PubMed number.
        public var pmid = ["pmid"]
        /// The year.
        public var year = ["year"]
        /// The language.
        public var language = ["language"]

        /// The usual names.
        public init() {}
    }

    /// Language codes as PubMed's ("eng"); empty for all.
    public var languages: [String] = []
    /// The first year of publication.
    public var firstYear: Int?
    /// The last year of publication.
    public var lastYear: Int?
    /// MeSH headings or their unique identifiers ("D009369"); a record needs one of them. Empty for all.
    public var meshTerms: [String] = []
    /// Queries: a record needs all words of one of them in its title or text. Empty for all.
    public var queries: [String] = []
    /// Words that a document has at least.
    public var minimumWords = 0
    /// Whether retracted articles are left out.
    public var dropsRetracted = false
    /// Whether a citation with a title and no abstract is kept.
    public var keepsTitlesAlone = false
    /// Whether a labelled section begins with its label, as in "METHODS: We measured".
    public var keepsLabels = false
    /// What is done with other abstracts.
    public var otherAbstracts = OtherAbstracts.missing
    /// Which copies are left out.
    public var duplicates = Duplicates.near
    /// The Jaccard similarity of word 5-grams from which documents are near duplicates, in [0.5, 1].
    public var similarity = 0.8
    /// Whether a line end in plain text is no more than a blank, because its lines were wrapped.
    public var joinsLines = false
    /// The keys of JSON lines.
    public var jsonKeys = JSONKeys()

    /// Everything is kept but near duplicates and citations with no abstract.
    public init() {}
}

extension ImportOptions {
    /// - Throws: `CorpusError.badSetting` for the first option outside its range.
    func validate() throws {
        func require(_ holds: Bool, _ name: String, _ found: some CustomStringConvertible, _ allowed: String) throws {
            guard holds else { throw CorpusError.badSetting(name: name, found: "\(found)", allowed: allowed) }
        }
        for year in [firstYear, lastYear].compactMap(\.self) {
            try require((1...9999).contains(year), "years", year, "1 to 9999")
        }
        if let firstYear, let lastYear {
            try require(firstYear <= lastYear, "years", "\(firstYear)..\(lastYear)", "the first no later than the last")
        }
        for language in languages {
            let isCode = (2...3).contains(language.count) && language.allSatisfy { $0.isASCII && $0.isLetter }
            try require(isCode, "language", "'\(language)'", "codes such as eng or en")
        }
        for query in queries {
            let words = QueryWords.count(in: query)
            try require((1...QueryWords.most).contains(words), "query", "\(words) words in '\(query)'", "1 to 64 words")
        }
        for term in meshTerms { try require(!term.isEmpty, "MeSH term", "an empty one", "a heading or its number") }
        try require((0...1_000_000).contains(minimumWords), "minimum words", minimumWords, "0 to 1000000")
        try require((0.5...1).contains(similarity), "similarity", similarity, "0.5 to 1")
        try require(!jsonKeys.text.isEmpty, "text keys", "none", "at least one")
    }

    /// The first option that differs, in words; nil where all are equal.
    func difference(to other: ImportOptions) -> String? {
        func compare<Value: Equatable>(_ name: String, _ path: KeyPath<ImportOptions, Value>) -> String? {
            let (old, new) = (self[keyPath: path], other[keyPath: path])
            return old == new ? nil : "\(name) was \(Self.words(old)) and is \(Self.words(new)) now"
        }
        let differences: [String?] = [
            compare("language", \.languages), compare("first year", \.firstYear), compare("last year", \.lastYear),
            compare("MeSH term", \.meshTerms), compare("query", \.queries), compare("minimum words", \.minimumWords),
            compare("drop retracted", \.dropsRetracted), compare("titles alone", \.keepsTitlesAlone),
            compare("labels", \.keepsLabels), compare("other abstracts", \.otherAbstracts),
            compare("duplicates", \.duplicates), compare("similarity", \.similarity),
            compare("wrapped lines", \.joinsLines), compare("title keys", \.jsonKeys.title),
            compare("text keys", \.jsonKeys.text), self == other ? nil : "its options differ",
        ]
        return differences.lazy.compactMap(\.self).first
    }

    private static func words(_ value: some Any) -> String {
        if let list = value as? [String] { return list.isEmpty ? "not set" : list.joined(separator: ", ") }
        if let number = value as? Int? { return number.map { "\($0)" } ?? "not set" }
        return "\(value)"
    }
}
