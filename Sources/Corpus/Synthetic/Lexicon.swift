import CCorpusData

/// The lexicon and the grammar of the synthetic abstracts, read from the resources `lexicon.txt` and `grammar.txt`.
struct Lexicon: Sendable {
    /// Things that belong together: the values of each slot, by the slot's name.
    struct Topic: Sendable {
        var name: String
        var values: [String: [String]]
    }

    /// A part of an abstract.
    enum Part: String, CaseIterable, Sendable {
        case title, background, aim, methods, results, conclusion
    }

    /// What a study found.
    enum Finding: String, CaseIterable, Sendable {
        case positive = "+"
        case negative = "-"
    }

    /// The sentences that a part of a kind of study is chosen from.
    struct Key: Hashable, Sendable {
        var kind: String
        var part: Part
        var finding: Finding?
    }

    /// The lexicon of the package's resources.
    static let shared = Lexicon(
        lexicon: corpus_data_lexicon().text, grammar: corpus_data_grammar().text)

    private(set) var topics: [Topic] = []
    /// The kinds of studies, in the order of the file.
    private(set) var kinds: [String] = []
    private(set) var sentences: [Key: [SentenceTemplate]] = [:]
    /// Lines of the grammar that break its rules; a test wants none.
    private(set) var faults: [String] = []

    init(lexicon: String, grammar: String) {
        for line in Self.lines(lexicon) {
            guard let colon = line.firstIndex(of: ":") else {
                faults.append(line)
                continue
            }
            let name = String(line[..<colon])
            let value = Self.trimmed(line[line.index(after: colon)...])
            if name == "topic" {
                topics.append(Topic(name: value, values: [:]))
            } else if topics.isEmpty {
                faults.append(line)
            } else {
                topics[topics.count - 1].values[name] = value.split(separator: ",").map { Self.trimmed($0) }
            }
        }
        var key: Key?
        for line in Self.lines(grammar) {
            if let heading = Self.heading(line) {
                key = heading
                if heading.kind != "any", !kinds.contains(heading.kind) { kinds.append(heading.kind) }
            } else if let key, let template = SentenceTemplate(line) {
                sentences[key, default: []].append(template)
            } else {
                faults.append(line)
            }
        }
    }

    /// The sentences of `part`, those of any kind where the kind has none of its own.
    func sentences(kind: String, part: Part, finding: Finding) -> [SentenceTemplate] {
        sentences[Key(kind: kind, part: part, finding: finding)]
            ?? sentences[Key(kind: kind, part: part, finding: nil)]
            ?? sentences[Key(kind: "any", part: part, finding: nil)] ?? []
    }

    /// A line like `[trial results +]`.
    private static func heading(_ line: String) -> Key? {
        guard line.hasPrefix("["), line.hasSuffix("]") else { return nil }
        let words = line.dropFirst().dropLast().split(separator: " ")
        guard words.count == 2 || words.count == 3, let part = Part(rawValue: String(words[1])) else { return nil }
        if words.count == 2 { return Key(kind: String(words[0]), part: part, finding: nil) }
        guard let finding = Finding(rawValue: String(words[2])) else { return nil }
        return Key(kind: String(words[0]), part: part, finding: finding)
    }

    private static func lines(_ text: String) -> [String] {
        text.split(separator: "\n").map { trimmed($0) }.filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        var text = Substring(text)
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}

/// A sentence with slots and alternatives: a list of pieces.
struct SentenceTemplate: Sendable {
    indirect enum Piece: Sendable {
        case text(String)
        /// Filled with the abstract's value for the name.
        case slot(String)
        /// One of these, chosen anew.
        case choice([[Piece]])
    }

    let pieces: [Piece]

    /// The template that `line` spells; nil where a bracket isn't closed.
    init?(_ line: String) {
        var rest = Substring(line)
        guard let pieces = Self.parse(&rest, isNested: false).map(\.first), rest.isEmpty, let pieces else { return nil }
        self.pieces = pieces
    }

    /// The names of all slots.
    var slots: Set<String> { Self.slots(pieces) }

    private static func slots(_ pieces: [Piece]) -> Set<String> {
        pieces.reduce(into: []) { found, piece in
            switch piece {
            case .text: break
            case .slot(let name): found.insert(name)
            case .choice(let options): for option in options { found.formUnion(slots(option)) }
            }
        }
    }

    /// Alternatives up to the closing bracket, or the whole line as the only one.
    private static func parse(_ rest: inout Substring, isNested: Bool) -> [[Piece]]? {
        var options: [[Piece]] = [[]]
        func add(_ piece: Piece) { options[options.count - 1].append(piece) }
        var text = ""
        func flush() {
            if !text.isEmpty { add(.text(text)) }
            text = ""
        }
        while let character = rest.popFirst() {
            switch character {
            case "{":
                guard let end = rest.firstIndex(of: "}") else { return nil }
                flush()
                add(.slot(String(rest[..<end])))
                rest = rest[rest.index(after: end)...]
            case "[":
                flush()
                guard let inner = parse(&rest, isNested: true) else { return nil }
                add(.choice(inner))
            case "|" where isNested:
                flush()
                options.append([])
            case "]":
                guard isNested else { return nil }
                flush()
                return options
            default: text.append(character)
            }
        }
        flush()
        return isNested ? nil : options
    }
}
