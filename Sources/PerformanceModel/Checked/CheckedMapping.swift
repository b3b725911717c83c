import Jobs
import Yams

/// A YAML mapping that is read key by key, so that every mistake is reported with file, line and key, and keys that
/// nobody asked for are refused.
struct CheckedMapping {
    let file: String
    let path: String
    let line: Int
    private let entries: [String: Node]
    private let lines: [String: Int]

    /// The top mapping of a YAML text.
    init(parsing text: String, file: String) throws(PerformanceModelError) {
        try Self.checkNesting(text, file: file)
        let root: Node?
        do {
            root = try Yams.compose(yaml: text)
        } catch let error as YamlError {
            throw Self.syntax(error, file: file)
        } catch {
            throw .syntax(file: file, line: 1, reason: "\(error)")
        }
        guard let root else { throw .syntax(file: file, line: 1, reason: "the file is empty") }
        self = try CheckedMapping(node: root, file: file, path: "", line: 1)
    }

    private init(node: Node, file: String, path: String, line: Int) throws(PerformanceModelError) {
        self.file = file
        self.path = path
        self.line = node.mark?.line ?? line
        guard case .mapping(let mapping) = node else {
            throw .invalid(
                place: .init(file: file, line: self.line, key: path.isEmpty ? "file" : path),
                found: Self.text(of: node), allowed: "a mapping of keys to values")
        }
        var entries: [String: Node] = [:]
        var lines: [String: Int] = [:]
        for (key, value) in mapping {
            let name = key.scalar?.string ?? ""
            entries[name] = value
            lines[name] = key.mark?.line ?? self.line
        }
        self.entries = entries
        self.lines = lines
    }

    /// Refuses text whose nesting could exhaust the parser's stack: a profile nests three levels deep.
    private static func checkNesting(_ text: String, file: String) throws(PerformanceModelError) {
        var (line, indent, depth, atStart) = (1, 0, 0, true)
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\n"): (line, indent, atStart) = (line + 1, 0, true)
            case UInt8(ascii: "["), UInt8(ascii: "{"): (depth, atStart) = (depth + 1, false)
            case UInt8(ascii: "]"), UInt8(ascii: "}"): depth = max(0, depth - 1)
            case UInt8(ascii: " "), UInt8(ascii: "-"), UInt8(ascii: "?"), UInt8(ascii: ":"): if atStart { indent += 1 }
            default: atStart = false
            }
            guard depth <= 32, indent <= 64 else {
                throw .syntax(file: file, line: line, reason: "nested too deeply; allowed: 32 brackets, 64 columns")
            }
        }
    }

    private static func syntax(_ error: YamlError, file: String) -> PerformanceModelError {
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            .syntax(file: file, line: mark.line, reason: problem)
        case .duplicatedKeysInMapping(let duplicates, let context):
            .syntax(
                file: file, line: context.mark.line,
                reason: "the key '\(duplicates.first ?? "")' is there twice")
        default: .syntax(file: file, line: 1, reason: "\(error)".split(separator: "\n").first.map(String.init) ?? "")
        }
    }

    private static func text(of node: Node) -> String {
        switch node {
        case .scalar(let scalar): PrintableText.quoted(scalar.string)
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }

    /// The keys, sorted.
    var keys: [String] { entries.keys.sorted() }

    /// Where `key` stands, or the mapping where it is missing.
    func place(_ key: String) -> PerformanceModelError.Place {
        .init(file: file, line: lines[key] ?? line, key: path.isEmpty ? key : "\(path).\(key)")
    }

    /// Refuses keys that are none of `allowed`.
    func allow(_ allowed: [String]) throws(PerformanceModelError) {
        for key in keys where !allowed.contains(key) { throw .unknownKey(place: place(key), allowed: allowed) }
    }

    /// Whether `key` is there.
    func has(_ key: String) -> Bool { entries[key] != nil }

    /// The mapping at `key`.
    func mapping(_ key: String) throws(PerformanceModelError) -> CheckedMapping {
        let at = place(key)
        guard let node = entries[key] else { throw .missingKey(place: at) }
        return try CheckedMapping(node: node, file: file, path: at.key, line: at.line)
    }

    /// The text at `key`, which may not be empty.
    func text(_ key: String) throws(PerformanceModelError) -> String {
        guard let node = entries[key] else { throw .missingKey(place: place(key)) }
        guard let text = node.scalar?.string, !text.isEmpty else {
            throw .invalid(place: place(key), found: Self.text(of: node), allowed: "a text that isn't empty")
        }
        return text
    }

    /// The number at `key`, within `range`.
    func number(_ key: String, in range: ClosedRange<Double>) throws(PerformanceModelError) -> Double {
        guard let node = entries[key] else { throw .missingKey(place: place(key)) }
        guard let text = node.scalar?.string, let value = Double(text), value.isFinite, range.contains(value) else {
            throw .invalid(
                place: place(key), found: Self.text(of: node),
                allowed: "a number from \(Self.short(range.lowerBound)) to \(Self.short(range.upperBound))")
        }
        return value
    }

    /// The truth value at `key`.
    func flag(_ key: String) throws(PerformanceModelError) -> Bool {
        switch try text(key) {
        case "true": return true
        case "false": return false
        default:
            throw .invalid(place: place(key), found: PrintableText.quoted(try text(key)), allowed: "true or false")
        }
    }

    /// The list of texts at `key`.
    func texts(_ key: String) throws(PerformanceModelError) -> [String] {
        guard let node = entries[key] else { throw .missingKey(place: place(key)) }
        guard case .sequence(let sequence) = node else {
            throw .invalid(place: place(key), found: Self.text(of: node), allowed: "a list of texts")
        }
        return sequence.map { $0.scalar?.string ?? "" }
    }

    /// The case that the text at `key` names.
    func choice<Choice: RawRepresentable & CaseIterable>(_ key: String, _: Choice.Type) throws(PerformanceModelError)
        -> Choice where Choice.RawValue == String
    {
        let found = try text(key)
        guard let choice = Choice(rawValue: found) else {
            throw .invalid(
                place: place(key), found: PrintableText.quoted(found),
                allowed: Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    private static func short(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
