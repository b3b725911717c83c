/// Reads and writes jobs.
///
/// A job read here is valid: every key is known, every value has its type and lies in its range, and what must fit
/// together does. Files that it names exist and are named by absolute path.
public enum JobFile {
    /// The job in the YAML file at `path`. Paths in it are relative to the file's own folder.
    ///
    /// - Throws: `JobFileError.unreadable` where there is no such regular file of at most 1 MiB, and
    ///   `JobFileError.invalid` with every problem of its text, each with line, key, what was found and what is allowed.
    public static func read(_ path: String, files: FileProbe = .fileSystem) throws(JobFileError) -> Job {
        if path.utf8.contains(0) { throw .unreadable(path: path, reason: "a path holds no NUL") }
        let bytes = try JobFileText.contents(of: path)
        let absolute = FileProbe.absolute(path, relativeTo: FileProbe.workingDirectory())
        let directory = absolute.lastIndex(of: "/").map { String(absolute[..<$0]) } ?? ""
        return try parse(bytes: bytes, name: path, directory: directory.isEmpty ? "/" : directory, files: files)
    }

    /// The job that the YAML `text` describes. `name` stands for the file in errors; paths are relative to `directory`, by
    /// default the working directory.
    public static func parse(
        _ text: String, name: String, directory: String? = nil, files: FileProbe = .fileSystem
    ) throws(JobFileError) -> Job {
        try parse(bytes: Array(text.utf8), name: name, directory: directory, files: files)
    }

    /// The job that the bytes of a YAML text describe.
    public static func parse(
        bytes: [UInt8], name: String, directory: String? = nil, files: FileProbe = .fileSystem
    ) throws(JobFileError) -> Job {
        let root: JobNode
        do {
            root = try JobNode.compose(try JobFileText.decode(bytes))
        } catch {
            throw .invalid(name: name, problems: [error])
        }
        let reader = JobReader(directory: directory ?? FileProbe.workingDirectory(), files: files)
        switch reader.job(from: root) {
        case .success(let job): return job
        case .failure(let found): throw .invalid(name: name, problems: found.problems)
        }
    }

    /// `job` as commented YAML with every key spelled out. Reading it gives the same job.
    public static func render(_ job: Job) -> String { JobDocument(job, named: true).yaml }

    /// `job` as one line of JSON with the job file's keys, always in the same order: equal jobs give equal text.
    public static func json(_ job: Job) -> String { JobDocument(job, named: false).json }

    /// The job that `json` describes, checked as a job file is, except that its files need not be there (whoever
    /// prepares the text finds that out).
    public static func decode(json: String) throws(JobFileError) -> Job {
        try parse(json, name: "job", directory: "/", files: .unchecked)
    }

    /// Everything impossible about `job`, for jobs that were made in code; empty for a valid one.
    public static func problems(of job: Job) -> [JobProblem] {
        JobRules.violations(of: job).map { JobProblem(key: $0.keys.first, found: $0.found, allowed: $0.allowed) }
    }
}
