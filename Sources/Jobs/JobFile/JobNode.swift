import Yams

/// A YAML tree as far as a job file needs one: text with its line, whether it was quoted, and keys in order.
indirect enum JobNode {
    /// A plain (`quoted` false) or quoted scalar.
    case scalar(text: String, quoted: Bool, line: Int)
    case sequence([JobNode], line: Int)
    case mapping([(key: String, line: Int, value: JobNode)], line: Int)

    /// The line on which the node starts.
    var line: Int {
        switch self {
        case .scalar(_, _, let line), .sequence(_, let line), .mapping(_, let line): line
        }
    }

    /// The node in words, for "found …".
    var found: String {
        switch self {
        case .scalar("", false, _): "nothing"
        case .scalar(let text, false, _): Quotation.plain(String(text.prefix(80)))
        case .scalar(let text, true, _): "the text " + Quotation.quoted(text)
        case .sequence(let items, _): "a list of \(items.count)"
        case .mapping: "a mapping of keys"
        }
    }

    /// The single document of `text`.
    static func compose(_ text: String) throws(JobProblem) -> JobNode {
        try JobFileText.checkNesting(text)
        let parser: Parser
        let root: Node?
        do {
            // The basic resolver leaves scalars as text: what is a number is decided field by field.
            parser = try Parser(yaml: text, resolver: .basic, encoding: .utf8)
            root = try parser.singleRoot()
        } catch let error as YamlError {
            throw JobProblem(error)
        } catch {
            throw JobProblem(found: "\(error)", allowed: "YAML")
        }
        guard let root else {
            throw JobProblem(found: "an empty file", allowed: "a job; 'wafermark job example' prints one")
        }
        // Anchors are held weakly by their nodes and strongly by the parser.
        return try withExtendedLifetime(parser) { () throws(JobProblem) in try JobNode(root, fallbackLine: 1) }
    }

    private init(_ node: Node, fallbackLine: Int) throws(JobProblem) {
        let line = node.mark?.line ?? fallbackLine
        if node.anchor != nil {
            throw JobProblem(
                line: line, found: "an anchor (&name)", allowed: "no anchors or aliases; write the value out")
        }
        switch node {
        case .scalar(let scalar):
            self = .scalar(text: scalar.string, quoted: scalar.style != .plain, line: line)
        case .sequence(let sequence):
            var items: [JobNode] = []
            for item in sequence { items.append(try JobNode(item, fallbackLine: line)) }
            self = .sequence(items, line: line)
        case .mapping(let mapping):
            var pairs: [(key: String, line: Int, value: JobNode)] = []
            for (key, value) in mapping {
                let keyLine = key.mark?.line ?? line
                guard case .scalar(let name) = key, key.anchor == nil else {
                    throw JobProblem(line: keyLine, found: "a key that is not a word", allowed: "keys that are words")
                }
                pairs.append((name.string, keyLine, try JobNode(value, fallbackLine: keyLine)))
            }
            self = .mapping(pairs, line: line)
        case .alias:
            throw JobProblem(
                line: line, found: "an alias (*name)", allowed: "no anchors or aliases; write the value out")
        }
    }
}

extension JobProblem {
    /// What the YAML parser found.
    init(_ error: YamlError) {
        switch error {
        case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _):
            let what = context.map { "\($0.text), \(problem)" } ?? problem
            self.init(line: mark.line, found: "text that is not YAML (\(what), column \(mark.column))", allowed: "YAML")
        case .composer(_, let problem, let mark, _) where problem.contains("another document"):
            self.init(line: mark.line, found: "a second document", allowed: "one job a file")
        case .composer(_, let problem, let mark, _):
            self.init(
                line: mark.line, found: "\(problem)", allowed: "no anchors or aliases; write the value out")
        case .reader(let problem, let offset, _, let yaml):
            let line = offset.map { 1 + yaml.prefix($0).count { $0.isNewline } }
            self.init(line: line, found: "a character that YAML does not take (\(problem))", allowed: "printable text")
        case .duplicatedKeysInMapping(let duplicates, let context):
            self.init(
                line: context.mark.line, key: duplicates.first,
                found: "the same key more than once (first on this line)", allowed: "each key once")
        case .no, .memory, .writer, .emitter, .representer, .dataCouldNotBeDecoded:
            self.init(found: "text that could not be read as YAML", allowed: "YAML")
        }
    }
}
