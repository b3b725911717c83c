import Jobs

/// Job texts for tests: a valid one, and changes to it.
enum JobText {
    /// A small valid job; the comments number its lines.
    static let valid = """
        name: sample
        model: {layers: 2, hidden: 64, heads: 4, positions: 64}
        corpus:
          synthetic: {documents: 100, seed: 3}
          vocabulary: 512
        lanes: 4
        seed: 7
        phases:
          - sequence: 32
            global_batch: 16
            steps: 10
            learning_rate: 1e-3
        """

    /// The valid job with the line that starts with `key` replaced by `line`.
    static func replacing(_ key: String, with line: String) -> String {
        valid.split(separator: "\n", omittingEmptySubsequences: false).map { candidate in
            let trimmed = candidate.drop { $0 == " " || $0 == "-" }
            guard trimmed.hasPrefix(key + ":") else { return String(candidate) }
            return candidate.prefix(candidate.count - trimmed.count) + line
        }.joined(separator: "\n")
    }

    /// The valid job with `text` after it.
    static func adding(_ text: String) -> String { valid + "\n" + text + "\n" }

    /// What is wrong with `text`; empty where nothing is.
    static func problems(of text: String, files: FileProbe = .unchecked) -> [JobProblem] {
        problems { () throws(JobFileError) in
            try JobFile.parse(text, name: "job.yaml", directory: "/jobs", files: files)
        }
    }

    /// What is wrong with `bytes`; empty where nothing is.
    static func problems(of bytes: [UInt8]) -> [JobProblem] {
        problems { () throws(JobFileError) in
            try JobFile.parse(bytes: bytes, name: "job.yaml", directory: "/jobs", files: .unchecked)
        }
    }

    private static func problems(_ body: () throws(JobFileError) -> Job) -> [JobProblem] {
        do {
            _ = try body()
            return []
        } catch {
            return error.problems
        }
    }
}
