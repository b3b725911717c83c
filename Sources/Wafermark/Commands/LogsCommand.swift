import ArgumentParser
import Coordinator
import Foundation
import Jobs
import Runs

/// `wafermark logs`: what a run's processes have written.
struct LogsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "logs",
        abstract: "Show what a run's coordinator, workers, and the preparation of its text have written.",
        discussion: """
            Each line stands behind who wrote it. The coordinator's are JSON objects with
            time (UTC), level, run, rank and step; the others' are too, where the daemon
            was started with --log-format json. Control characters are escaped.
            """)

    @Argument(help: "The run's id, or a beginning of it.")
    var run: String

    @Option(help: ArgumentHelp("Only what this worker has written.", valueName: "n"))
    var worker: Int?

    @Flag(help: "Go on until the run has ended.")
    var follow = false

    @OptionGroup var state: StateOptions

    private static let pause = Duration.milliseconds(200)

    func validate() throws {
        if let worker, !(0...4_095).contains(worker) {
            throw ValidationError("--worker is \(worker); 0 to 4095 are allowed")
        }
    }

    func run() async throws {
        let directory = state.directory
        let store = try RunStore(readingFrom: directory.path)
        let id = try store.id(startingWith: run)
        let whole = RunLogs(of: directory.run(id), worker: worker.map { WorkerRank($0) })
        guard follow else {
            var logs = whole
            return logs.printNew(isLast: true)
        }
        try await Interruption.cancels {
            var logs = whole
            while true {
                // Looked at first: what is written before the end is then printed.
                let hasEnded = try store.run(id).state.isFinal
                logs.printNew(isLast: hasEnded)
                if hasEnded { return }
                try await Task.sleep(for: Self.pause)
            }
        }
    }
}

/// The log files of a run, and how far they were printed.
private struct RunLogs: Sendable {
    private let directory: RunDirectory
    private let worker: WorkerRank?
    private var offsets: [String: UInt64] = [:]

    /// The most of a file that is read at once.
    private static let chunk = 1 << 20

    init(of directory: RunDirectory, worker: WorkerRank?) {
        self.directory = directory
        self.worker = worker
    }

    /// The files, with the names of those who write them: the coordinator and the preparation first, then workers by their numbers.
    private var files: [(name: String, path: String)] {
        if let worker { return [("worker \(worker)", directory.log(of: worker))] }
        let names = (try? FileManager.default.contentsOfDirectory(atPath: directory.path)) ?? []
        let ranks = names.compactMap { name -> Int? in
            guard name.hasPrefix("worker-"), name.hasSuffix(".log") else { return nil }
            return Int(name.dropFirst("worker-".count).dropLast(".log".count))
        }
        return [("coordinator", directory.coordinatorLog), ("prepare", directory.preparationLog)]
            + ranks.sorted().map { ("worker \($0)", directory.log(of: WorkerRank($0))) }
    }

    /// Prints the whole lines that are new, and where it `isLast`, what no line ends.
    mutating func printNew(isLast: Bool) {
        for (name, path) in files {
            guard let file = FileHandle(forReadingAtPath: path) else { continue }
            defer { try? file.close() }
            while true {
                let offset = offsets[path, default: 0]
                guard (try? file.seek(toOffset: offset)) != nil,
                    let data = try? file.read(upToCount: Self.chunk), !data.isEmpty
                else { break }
                // A line longer than what is read at once is cut there.
                let end =
                    data.lastIndex(of: 0x0A).map { $0 + 1 }
                    ?? (isLast || data.count == Self.chunk ? data.endIndex : data.startIndex)
                if end == data.startIndex { break }
                offsets[path] = offset + UInt64(end - data.startIndex)
                for line in String(decoding: data[..<end], as: UTF8.self).split(separator: "\n") {
                    Console.print("\(name) | \(PrintableText.plain(String(line)))")
                }
            }
        }
    }
}
