import Jobs
import PerformanceModel
import Runs

/// The steps that a run made of one phase, without the first, in which memory is still being found.
struct MeasuredPhase {
    /// The phase, from 0.
    var index: Int
    /// Its steps.
    var steps: [StepRecord]
    /// The share of positions that held a token.
    var fill: Double

    /// Steps at the beginning of a phase that are left out.
    static let warmUpSteps = 2

    /// Those phases of `record` that have steps beyond the first.
    static func all(of record: RunRecord) -> [MeasuredPhase] {
        var first = 0
        return record.run.job.phases.enumerated().compactMap { index, phase in
            let range = first..<(first + phase.steps)
            first = range.upperBound
            let steps = Array(record.steps.filter { range.contains($0.step.index) }.dropFirst(warmUpSteps))
            let positions = Double(steps.count * phase.globalBatch * phase.sequence)
            guard positions > 0 else { return nil }
            return MeasuredPhase(
                index: index, steps: steps, fill: Double(steps.reduce(0) { $0 + $1.tokens }) / positions)
        }
    }

    /// How `run` deals its job on `host`.
    func layout(of run: Run, on host: HostMachine) -> HostStep.Layout {
        HostStep.Layout(
            workers: run.workers, threads: run.backend.threads(lanes: run.job.lanes, cores: host.cores), fill: fill,
            algorithm: run.algorithm ?? .direct)
    }

    /// Entries of the vocabulary of `run`, as far as that is known.
    func vocabularySize(of run: Run) -> Int { run.corpus?.vocabularySize ?? StepModel.assumedVocabularySize }
}

extension HostMachine {
    /// Whether `run` was made on this machine, as far as its record tells.
    func isMachine(of run: Run) -> Bool {
        run.machine.map {
            $0.processor == processor && $0.cores == cores && $0.instructionSet == instructionSet
        } ?? false
    }
}
