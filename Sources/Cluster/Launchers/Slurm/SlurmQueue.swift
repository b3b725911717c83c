import Foundation
import Subprocess
import SystemPackage

/// Slurm's queue, through its own programs. However many jobs are followed, it is asked for all of them at once.
actor SlurmQueue {
    private var followed: Set<String> = []
    private var states: [String: SlurmState] = [:]
    private var read: ContinuousClock.Instant?
    private var reading: Task<Void, Never>?

    /// How old an answer may be.
    private static let pause = Duration.seconds(1)
    /// The most that any of the programs may print.
    private static let limit = 4 << 20

    /// Hands in a batch script, and returns the job's number.
    ///
    /// - Throws: `LauncherError.scheduler` with what sbatch says.
    nonisolated func submit(_ script: String, arguments: [String]) async throws -> String {
        let answer = try await Self.run("sbatch", ["--parsable"] + arguments, input: script)
        // JOB or JOB;CLUSTER
        let number = answer.prefix { $0.isASCII && $0.isNumber }
        guard !number.isEmpty else {
            throw LauncherError.scheduler(program: "sbatch", reason: "it gave no number of a job: \(answer)")
        }
        return String(number)
    }

    /// Begins to follow job `number`.
    func follow(_ number: String) { followed.insert(number) }

    /// Forgets job `number`.
    func forget(_ number: String) {
        followed.remove(number)
        states[number] = nil
    }

    /// Where job `number` stands; nil where Slurm does not answer, or knows it no more.
    func state(of number: String) async -> SlurmState? {
        if let reading {
            await reading.value
        } else if read.map({ ContinuousClock.now - $0 >= Self.pause }) ?? true {
            let numbers = followed.sorted().joined(separator: ",")
            let task = Task { await self.readStates(of: numbers) }
            reading = task
            await task.value
            reading = nil
        }
        return states[number]
    }

    private func readStates(of numbers: String) async {
        let answer = try? await Self.run(
            "squeue", ["--noheader", "--states=all", "--format=%i|%T|%r", "--jobs=\(numbers)"])
        if let answer { states = SlurmState.states(answer) }
        read = ContinuousClock.now
    }

    /// How the worker of job `number` ended, which ended as `state`.
    nonisolated func exit(of number: String, state: String) async -> WorkerExit {
        let description = (try? await Self.run("scontrol", ["show", "job", number, "--oneliner"])) ?? ""
        return WorkerExit(state: state, description: description)
    }

    /// Ends job `number`, whether it waits or runs.
    nonisolated func cancel(_ number: String) async { _ = try? await Self.run("scancel", ["--quiet", number]) }

    private static func run(_ program: String, _ arguments: [String], input: String = "") async throws -> String {
        do {
            let result = try await Subprocess.run(
                .name(program), arguments: Arguments(arguments), input: .string(input),
                output: .string(limit: limit), error: .string(limit: limit))
            guard case .exited(0) = result.terminationStatus else {
                let words = result.standardError.trimmingCharacters(in: .whitespacesAndNewlines)
                throw LauncherError.scheduler(program: program, reason: words.isEmpty ? "it failed" : words)
            }
            return result.standardOutput.trimmingCharacters(in: .whitespacesAndNewlines)
        } catch let error as SubprocessError {
            throw LauncherError.scheduler(program: program, reason: "\(error)")
        }
    }
}
