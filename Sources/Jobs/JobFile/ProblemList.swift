/// What a reader has found wrong so far, and where each key stands.
final class ProblemList {
    /// More than these are not listed: they tell a reader nothing new.
    static let limit = 50

    private(set) var problems: [JobProblem] = []
    private var lines: [String: Int] = [:]
    private var failed: Set<String> = []
    private var omitted = 0
    private var isBroken = false

    /// Notes that `key` stands on `line`.
    func mark(_ key: String, line: Int) { lines[key] = line }

    /// Notes that every value is a placeholder: there was no mapping to read.
    func markAllBroken() { isBroken = true }

    /// Adds a problem; values read from its key are placeholders from now on.
    func add(_ problem: JobProblem) {
        if let key = problem.key { failed.insert(key) }
        guard problems.count < Self.limit else {
            omitted += 1
            return
        }
        problems.append(problem)
    }

    /// Adds what the rules say about values, at the line of their key, unless the values are placeholders.
    func add(_ violations: [JobRules.Violation]) {
        for violation in violations where !violation.keys.contains(where: isPlaceholder) {
            guard let key = violation.keys.first else { continue }
            add(JobProblem(line: line(of: key), key: key, found: violation.found, allowed: violation.allowed))
        }
    }

    /// Everything found, in the order of the file.
    func sorted() -> [JobProblem] {
        var result = problems.enumerated().sorted { left, right in
            (left.element.line ?? 0, left.offset) < (right.element.line ?? 0, right.offset)
        }.map(\.element)
        if omitted > 0 {
            result.append(JobProblem(found: "\(omitted) more problems", allowed: "none"))
        }
        return result
    }

    private func line(of key: String) -> Int? { Self.ancestors(of: key).lazy.compactMap { self.lines[$0] }.first }

    private func isPlaceholder(_ key: String) -> Bool {
        isBroken || Self.ancestors(of: key).contains { failed.contains($0) }
    }

    /// The key itself, then what encloses it: `phases[0].steps`, `phases[0]`, `phases`.
    private static func ancestors(of key: String) -> [String] {
        var result = [key]
        for index in key.indices.reversed() where key[index] == "." || key[index] == "[" {
            result.append(String(key[..<index]))
        }
        return result
    }
}
