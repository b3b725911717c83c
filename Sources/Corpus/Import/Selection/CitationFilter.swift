import Jobs

/// The rules of an import that a citation alone decides.
struct CitationFilter {
    private let options: ImportOptions
    private let languages: Set<String>
    private let meshTerms: Set<String>

    init(_ options: ImportOptions) {
        self.options = options
        languages = Set(options.languages.map(LanguageCode.three))
        meshTerms = Set(options.meshTerms.map { $0.lowercased() })
    }

    /// Whether a text in `language` is wanted.
    func accepts(language: String) -> Bool { languages.isEmpty || languages.contains(LanguageCode.three(language)) }

    /// Why a citation is left out whole; nil where it isn't.
    func reason(for citation: Citation) -> SkipReason? {
        if let defect = citation.defect { return defect }
        if options.dropsRetracted, citation.isRetracted { return .retracted }
        if options.firstYear != nil || options.lastYear != nil {
            let years = (options.firstYear ?? 1)...max(options.firstYear ?? 1, options.lastYear ?? 9999)
            if !years.contains(citation.year) { return .year }
        }
        if !meshTerms.isEmpty,
            !citation.meshTerms.contains(where: { meshTerms.contains($0.lowercased()) }),
            !citation.meshNumbers.contains(where: { meshTerms.contains($0.lowercased()) })
        {
            return .mesh
        }
        return nil
    }

    /// The texts that a citation gives: its own, and others as the options say. A reason where one is left out.
    func texts(of citation: Citation) -> [(text: [Citation.Section], language: String?, reason: SkipReason?)] {
        var texts: [(text: [Citation.Section], language: String?, reason: SkipReason?)] = []
        let others = citation.otherAbstracts.filter { !$0.sections.isEmpty }
        let isWanted = languages.isEmpty || citation.languages.contains { accepts(language: $0) }
        if !citation.sections.isEmpty {
            texts.append((citation.sections, nil, isWanted ? nil : .language))
        } else if options.otherAbstracts == .missing,
            let other = others.first(where: { accepts(language: $0.language) })
        {
            texts.append((other.sections, other.language, nil))
        } else if options.keepsTitlesAlone, !citation.title.isEmpty {
            texts.append(([], nil, isWanted ? nil : .language))
        } else {
            texts.append(([], nil, .noText))
        }
        if options.otherAbstracts == .all {
            for other in others {
                texts.append((other.sections, other.language, accepts(language: other.language) ? nil : .language))
            }
        }
        return texts
    }
}
