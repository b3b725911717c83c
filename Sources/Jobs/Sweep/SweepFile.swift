/// Reads sweeps.
///
/// A sweep read here is valid as a job file is: every key is known, every value has its type and lies in its range, and
/// every run of the grid is possible.
public enum SweepFile {
    /// What only others can tell of a run: whether there is such a machine, and whether it can be emulated so.
    public struct Checks: Sendable {
        /// Why `hardware` can't be stood for by the backend; nil where it can.
        public var hardware: @Sendable (_ hardware: String, Backend) -> String?
        /// Why so many workers can't emulate the machine; nil where they can.
        public var emulation: @Sendable (EmulationSettings, _ workers: Int, _ hardware: String?) -> String?

        /// The given checks.
        public init(
            hardware: @escaping @Sendable (String, Backend) -> String?,
            emulation: @escaping @Sendable (EmulationSettings, Int, String?) -> String?
        ) {
            self.hardware = hardware
            self.emulation = emulation
        }
    }

    /// The names of what can be varied.
    public static let axes = SweepAxis.allCases.map(\.rawValue)

    /// The sweep in the YAML file at `path`. Paths in it are relative to the file's own folder.
    ///
    /// - Throws: `JobFileError`, of the sweep's file or of its job's.
    public static func read(_ path: String, checks: Checks) throws(JobFileError) -> SweepPlan {
        if path.utf8.contains(0) { throw .unreadable(path: path, reason: "a path holds no NUL") }
        let bytes = try JobFileText.contents(of: path)
        let absolute = FileProbe.absolute(path, relativeTo: FileProbe.workingDirectory())
        let directory = absolute.lastIndex(of: "/").map { String(absolute[..<$0]) } ?? ""
        return try parse(bytes: bytes, name: path, directory: directory.isEmpty ? "/" : directory, checks: checks) {
            (path) throws(JobFileError) in try JobFile.read(path)
        }
    }

    /// The sweep that the bytes of a YAML text describe. `name` stands for the file in errors; `readJob` gives the job at an
    /// absolute path.
    package static func parse(
        bytes: [UInt8], name: String, directory: String, checks: Checks,
        readJob: (String) throws(JobFileError) -> Job
    ) throws(JobFileError) -> SweepPlan {
        let root: JobNode
        do {
            root = try JobNode.compose(try JobFileText.decode(bytes))
        } catch {
            throw .invalid(name: name, problems: [error.ofASweep])
        }
        let list = ProblemList()
        let fields = Fields(root, path: "", known: SweepReader.keys, list: list)
        // Nothing can be said about the axes before the job is known.
        guard let node = fields.required("job", "the path of a job file"),
            let file = fields.text(node, key: "job", allowed: "the path of a job file"), !file.isEmpty
        else { throw .invalid(name: name, problems: list.sorted()) }
        let job = try readJob(FileProbe.absolute(file, relativeTo: directory))
        let reader = SweepReader(fields: fields, list: list, job: job, directory: directory, checks: checks)
        let plan = reader.plan()
        let problems = list.sorted()
        guard problems.isEmpty else { throw .invalid(name: name, problems: problems) }
        return plan
    }
}

extension JobProblem {
    /// The same, where what was to be read is a sweep.
    fileprivate var ofASweep: JobProblem {
        var problem = self
        if found == "an empty file" {
            problem.allowed = "a sweep: keys such as 'job: job.yaml' and 'workers: [1, 2, 4]'"
        }
        return problem
    }
}
