/// The keys of one mapping, read one by one into checked values. What is wrong goes to the list, and a placeholder is
/// returned, so that one reading finds every problem.
struct Fields {
    private let path: String
    private let line: Int
    private var values: [String: JobNode] = [:]
    private let list: ProblemList

    /// The mapping `node` at `path` (empty for the document), which may have the keys `known`.
    init(_ node: JobNode, path: String, known: [String], list: ProblemList) {
        self.path = path
        self.line = node.line
        self.list = list
        guard case .mapping(let pairs, _) = node else {
            let what =
                path.isEmpty ? "keys such as 'name: demo'" : "a mapping with the keys \(known.joined(separator: ", "))"
            list.add(JobProblem(line: node.line, key: path.isEmpty ? nil : path, found: node.found, allowed: what))
            // Everything below is a placeholder now, and none of it is missing.
            isBroken = true
            if path.isEmpty { list.markAllBroken() }
            return
        }
        for (key, line, value) in pairs {
            guard known.contains(key) else {
                let nearest = NearestName.suggestion(for: key, among: known)
                let allowed = known.joined(separator: ", ")
                list.add(
                    JobProblem(
                        line: line, key: path.isEmpty ? nil : path,
                        found: "the unknown key \(PrintableText.quoted(key))",
                        allowed: nearest.map { "did you mean '\($0)'? (keys here: \(allowed))" } ?? allowed))
                continue
            }
            list.mark(name(key), line: line)
            values[key] = value
        }
    }

    private var isBroken = false

    /// The full name of `key`.
    func name(_ key: String) -> String { path.isEmpty ? key : "\(path).\(key)" }

    /// The value of `key`, if it is there.
    func node(_ key: String) -> JobNode? { values[key] }

    /// The value of `key`, which must be there: `allowed` says what it should be.
    func required(_ key: String, _ allowed: String) -> JobNode? {
        if let node = values[key] { return node }
        if !isBroken {
            list.add(
                JobProblem(line: line, key: name(key), found: "nothing", allowed: "\(allowed); this key is required"))
        }
        return nil
    }

    /// The whole number at `key`.
    func integer<Value: FixedWidthInteger>(_ key: String, default fallback: Value? = nil) -> Value {
        let allowed = "a whole number"
        guard let node = fallback == nil ? required(key, allowed) : values[key] else { return fallback ?? 1 }
        return integer(node, key: name(key), allowed: allowed) ?? fallback ?? 1
    }

    /// The whole number that `node` spells: digits, with underscores between them if wanted.
    func integer<Value: FixedWidthInteger>(_ node: JobNode, key: String, allowed: String) -> Value? {
        if case .scalar(let text, false, let line) = node, let digits = Self.digits(of: text) {
            if let value = Value(digits) { return value }
            list.add(
                JobProblem(
                    line: line, key: key, found: node.found, allowed: "a whole number from \(Value.min) to \(Value.max)"
                ))
            return nil
        }
        list.add(JobProblem(line: node.line, key: key, found: node.found, allowed: allowed))
        return nil
    }

    /// The finite number at `key`.
    func number<Value: LosslessStringConvertible & BinaryFloatingPoint>(
        _ key: String, default fallback: Value? = nil
    ) -> Value {
        guard let node = fallback == nil ? required(key, "a number") : values[key] else { return fallback ?? 0.5 }
        return number(node, key: name(key)) ?? fallback ?? 0.5
    }

    /// The number at `key`; nil for `none`; the fallback where the key is absent.
    func optionalNumber<Value: LosslessStringConvertible & BinaryFloatingPoint>(
        _ key: String, default fallback: Value?
    ) -> Value? {
        guard let node = values[key] else { return fallback }
        return Self.isNone(node) ? nil : number(node, key: name(key))
    }

    /// The whole number at `key`; nil for `none`; the fallback where the key is absent.
    func optionalInteger(_ key: String, default fallback: Int?) -> Int? {
        guard let node = values[key] else { return fallback }
        return Self.isNone(node) ? nil : integer(node, key: name(key), allowed: "a whole number or 'none'")
    }

    private func number<Value: LosslessStringConvertible & BinaryFloatingPoint>(_ node: JobNode, key: String) -> Value?
    {
        if case .scalar(let text, false, let line) = node {
            if Self.isDecimal(text), let value = Value(text) {
                if value.isFinite { return value }
                list.add(
                    JobProblem(
                        line: line, key: key, found: node.found,
                        allowed: "a finite number, of magnitude at most \(Value.greatestFiniteMagnitude)"))
                return nil
            }
            if [".nan", "nan", ".inf", "+.inf", "-.inf", "inf", "+inf", "-inf", "infinity"].contains(text.lowercased())
            {
                list.add(JobProblem(line: line, key: key, found: node.found, allowed: "a finite number"))
                return nil
            }
        }
        list.add(JobProblem(line: node.line, key: key, found: node.found, allowed: "a number such as 0.1 or 1e-4"))
        return nil
    }

    /// `true` or `false` at `key`.
    func flag(_ key: String, default fallback: Bool) -> Bool {
        guard let node = values[key] else { return fallback }
        switch node {
        case .scalar("true", false, _): return true
        case .scalar("false", false, _): return false
        case .scalar, .sequence, .mapping:
            list.add(JobProblem(line: node.line, key: name(key), found: node.found, allowed: "true or false"))
            return fallback
        }
    }

    /// The text that `node` spells.
    func text(_ node: JobNode, key: String, allowed: String) -> String? {
        if case .scalar(let text, let quoted, _) = node, quoted || !Self.isNone(node) { return text }
        list.add(JobProblem(line: node.line, key: key, found: node.found, allowed: allowed))
        return nil
    }

    /// The case of an enumeration at `key`, by its name.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, default fallback: Choice
    ) -> Choice where Choice.RawValue == String {
        guard let node = values[key] else { return fallback }
        return choice(node, key: name(key)) ?? fallback
    }

    /// The case of an enumeration at `key`; nil for `none` or where the key is absent.
    func optionalChoice<Choice: RawRepresentable & CaseIterable>(_ key: String) -> Choice?
    where Choice.RawValue == String {
        guard let node = values[key], !Self.isNone(node) else { return nil }
        return choice(node, key: name(key))
    }

    /// The case of an enumeration that `node` names.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ node: JobNode, key: String
    ) -> Choice? where Choice.RawValue == String {
        let names = Choice.allCases.map(\.rawValue)
        guard case .scalar(let text, _, let line) = node else {
            list.add(
                JobProblem(line: node.line, key: key, found: node.found, allowed: names.joined(separator: ", ")))
            return nil
        }
        if let choice = Choice(rawValue: text) { return choice }
        list.add(.unknownName(text, of: names, line: line, key: key))
        return nil
    }

    // MARK: - Spelling

    /// Whether `node` says that there is no value.
    static func isNone(_ node: JobNode) -> Bool {
        if case .scalar(let text, false, _) = node { return ["", "none", "null", "~"].contains(text) }
        return false
    }

    /// `text` as digits with an optional sign, or nil where it is no whole number.
    private static func digits(of text: String) -> String? {
        var body = text.utf8[...]
        let negative = body.first == UInt8(ascii: "-")
        if let sign = body.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") { body = body.dropFirst() }
        guard let first = body.first, let last = body.last, isDigit(first), isDigit(last) else { return nil }
        guard body.allSatisfy({ isDigit($0) || $0 == UInt8(ascii: "_") }) else { return nil }
        return (negative ? "-" : "") + String(decoding: body.filter(isDigit), as: UTF8.self)
    }

    /// Whether `text` is a decimal number as people and JSON write it, so no hexadecimal and no words.
    private static func isDecimal(_ text: String) -> Bool {
        guard text.utf8.contains(where: isDigit) else { return false }
        var sawExponent = false
        var previous = UInt8(ascii: " ")
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard !sawExponent, isDigit(previous) || previous == UInt8(ascii: ".") else { return false }
                sawExponent = true
            case UInt8(ascii: "+"), UInt8(ascii: "-"):
                guard previous == UInt8(ascii: " ") || previous == UInt8(ascii: "e") || previous == UInt8(ascii: "E")
                else {
                    return false
                }
            case UInt8(ascii: "."):
                guard !sawExponent else { return false }
            default:
                guard isDigit(byte) else { return false }
            }
            previous = byte
        }
        return isDigit(previous) || previous == UInt8(ascii: ".")
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
}

extension JobProblem {
    /// A name that is none of `names`.
    static func unknownName(_ text: String, of names: [String], line: Int?, key: String) -> JobProblem {
        let nearest = NearestName.suggestion(for: text, among: names)
        let allowed = names.joined(separator: ", ")
        return JobProblem(
            line: line, key: key, found: PrintableText.quoted(text),
            allowed: nearest.map { "did you mean '\($0)'? (\(allowed))" } ?? allowed)
    }
}
