/// One thing wrong with a job: where it stands, what was found there, and what is allowed.
public struct JobProblem: Hashable, Sendable {
    /// The line of the job file, from 1; nil where the job did not come from a file or the key is absent.
    public var line: Int?
    /// The dotted key, such as `phases[0].steps`; nil where the problem is not about one.
    public var key: String?
    /// What was found.
    public var found: String
    /// What is allowed, or what to do.
    public var allowed: String

    /// A problem of the given parts.
    public init(line: Int? = nil, key: String? = nil, found: String, allowed: String) {
        self.line = line
        self.key = key
        self.found = found
        self.allowed = allowed
    }
}

/// Why a job file was refused.
public enum JobFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file could not be read.
    case unreadable(path: String, reason: String)
    /// The text is no valid job: every problem found, in the order of the file.
    case invalid(name: String, problems: [JobProblem])

    /// One line a problem: `file:line: key: found …; allowed: …`.
    public var description: String {
        switch self {
        case .unreadable(let path, let reason):
            return "\(Quotation.plain(path)): \(reason)"
        case .invalid(let name, let problems):
            return problems.map { problem in
                var line = Quotation.plain(name)
                if let number = problem.line { line += ":\(number)" }
                if let key = problem.key { line += ": \(Quotation.plain(key))" }
                return line + ": found \(problem.found); allowed: \(problem.allowed)"
            }.joined(separator: "\n")
        }
    }

    /// The problems, where the text was read.
    public var problems: [JobProblem] {
        switch self {
        case .unreadable: []
        case .invalid(_, let problems): problems
        }
    }
}

/// Text from outside, made safe to print: no control characters, so no terminal escape and no second line.
enum Quotation {
    /// `text` with control characters escaped.
    static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `text` in quotes, escaped, and cut to `limit` characters.
    static func quoted(_ text: String, limit: Int = 80) -> String {
        let shown = text.prefix(limit)
        return "'" + plain(String(shown)) + (shown.endIndex < text.endIndex ? "…'" : "'")
    }
}
