import Jobs

/// Everything that this target refuses. The description is one line that says where, what was found and what is allowed.
public enum PerformanceModelError: Error, CustomStringConvertible, Sendable, Hashable {
    /// A file that can't be read.
    case unreadable(file: String, reason: String)
    /// A file that is no YAML.
    case syntax(file: String, line: Int, reason: String)
    /// A value that isn't allowed there.
    case invalid(place: Place, found: String, allowed: String)
    /// A key that means nothing there, with the nearest that does.
    case unknownKey(place: Place, allowed: [String])
    /// A key that must be there.
    case missingKey(place: Place)
    /// A column that a table must have.
    case missingColumn(file: String, column: String, found: [String])
    /// A name that none of the known things has.
    case unknownName(kind: String, name: String, known: [String])
    /// A prediction that the model can't make.
    case unsupported(String)
    /// A fit with more constants than its rows support.
    case underdetermined(constants: Int, rows: Int, detail: String)
    /// An input outside the calibrated range, where that is forbidden.
    case extrapolated([String])

    /// Where in a file something was found.
    public struct Place: Sendable, Hashable {
        /// The file's path or resource name.
        public var file: String
        /// The line, from 1.
        public var line: Int
        /// The key's dotted path, or a column's name.
        public var key: String

        /// A place of the given parts.
        public init(file: String, line: Int, key: String) {
            self.file = file
            self.line = line
            self.key = key
        }
    }

    /// One line: where, what was found, what is allowed.
    public var description: String {
        switch self {
        case .unreadable(let file, let reason): "\(file): can't be read: \(reason)"
        case .syntax(let file, let line, let reason): "\(file):\(line): not valid: \(reason)"
        case .invalid(let place, let found, let allowed):
            "\(place.file):\(place.line): \(place.key): found \(found); allowed: \(allowed)"
        case .unknownKey(let place, let allowed):
            "\(place.file):\(place.line): \(place.key): unknown key"
                + Self.suggestion(
                    for: place.key.split(separator: ".").last.map(String.init) ?? place.key, among: allowed)
                + "; allowed: \(allowed.sorted().joined(separator: ", "))"
        case .missingKey(let place): "\(place.file):\(place.line): \(place.key): missing"
        case .missingColumn(let file, let column, let found):
            "\(file):1: \(column): no such column; found: \(found.joined(separator: ", "))"
        case .unknownName(let kind, let name, let known):
            "no \(kind) is named '\(name)'\(Self.suggestion(for: name, among: known)); known: "
                + known.sorted().joined(separator: ", ")
        case .unsupported(let reason): reason
        case .underdetermined(let constants, let rows, let detail):
            "\(constants) constants can't be fitted from \(rows) rows: \(detail)"
        case .extrapolated(let reasons): "outside the calibrated range: \(reasons.joined(separator: "; "))"
        }
    }

    private static func suggestion(for name: String, among known: [String]) -> String {
        guard let nearest = NearestName.suggestion(for: name, among: known) else { return "" }
        return "; did you mean '\(nearest)'?"
    }
}
