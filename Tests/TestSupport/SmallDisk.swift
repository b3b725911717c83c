import Foundation

/// A file system of a given size that only the program under test sees: tmpfs in a mount namespace of its own.
public struct SmallDisk: Sendable {
    /// Where it is mounted, for the programs that run on it; an empty folder for everybody else.
    public let path: String
    private let kibibytes: Int
    private let folder: TemporaryFolder

    /// A disk of `kibibytes`.
    public init(kibibytes: Int) throws {
        self.kibibytes = kibibytes
        folder = try TemporaryFolder()
        path = folder.path + "/disk"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// Whether this machine lets a test mount one.
    public static let isPossible: Bool = {
        guard let disk = try? SmallDisk(kibibytes: 64), let outcome = try? disk.run([]) else { return false }
        return outcome.isEmpty
    }()

    /// Runs the program once for each list of arguments, one after the other on the same disk; gives what each left.
    public func run(_ commands: [[String]], seconds: Double = 120) throws -> [Program.Outcome] {
        let results = folder.path + "/results"
        try FileManager.default.createDirectory(atPath: results, withIntermediateDirectories: true)
        let program = try Program.path()
        var script = "mount -t tmpfs -o size=\(kibibytes)k tmpfs \(path) || exit 99\n"
        for (index, arguments) in commands.enumerated() {
            let line = ([program] + arguments).map { "'\($0)'" }.joined(separator: " ")
            script +=
                "\(line) >\(results)/\(index).out 2>\(results)/\(index).err; echo $? >\(results)/\(index).status\n"
        }
        let shell = try RunningProgram(
            path: "/usr/bin/unshare", arguments: ["--map-root-user", "--mount", "sh", "-c", script], environment: [:])
        let outcome = try shell.wait(seconds: seconds)
        guard outcome.status == 0 else { throw ProgramError.noSmallDisk(outcome.standardError) }
        return try commands.indices.map { index in
            func text(_ end: String) throws -> String {
                try String(contentsOfFile: "\(results)/\(index).\(end)", encoding: .utf8)
            }
            return Program.Outcome(
                status: Int32(try text("status").trimmingCharacters(in: .whitespacesAndNewlines)) ?? -1,
                standardOutput: try text("out"), standardError: try text("err"))
        }
    }
}
