import Jobs
import PerformanceModel
import Runs

/// The steps that a run made of one phase, without the first, in which memory is still being found.
struct MeasuredPhase {
    /// The phase, from 0.
    var index: Int
    /// Its steps.
    var steps: [StepRecord]
    /// How long their sequences were.
    var lengths: SequenceLengths

    /// Steps at the beginning of a phase that are left out.
    static let warmUpSteps = 2

    /// Those phases of `record` that have steps beyond the first.
    static func all(of record: RunRecord) -> [MeasuredPhase] {
        var first = 0
        return record.run.job.phases.enumerated().compactMap { index, phase in
            let range = first..<(first + phase.steps)
            first = range.upperBound
            let all = record.steps.filter { range.contains($0.step.index) }
            let steps = Array(all.dropFirst(warmUpSteps))
            guard !steps.isEmpty,
                let lengths = SequenceLengths(measuredIn: all, of: phase, expected: record.run.job.examples)
            else { return nil }
            return MeasuredPhase(index: index, steps: steps, lengths: lengths)
        }
    }

    /// How `run` deals its job on `host`.
    func layout(of run: Run, on host: HostMachine) -> HostStep.Layout {
        // The median step is one of those that measure the gradients' norms, or of those that don't.
        let measuring = steps.count { $0.laneGradientSquaredNorm != nil }
        let exchange = run.exchange ?? ExchangeSettings(transport: .ipc)
        return HostStep.Layout(
            workers: run.workers, threads: run.backend.threads(lanes: run.job.lanes, cores: host.cores),
            lengths: lengths, algorithm: exchange.algorithm, transport: exchange.transport, bucket: exchange.bucket,
            gradientNoiseShare: 2 * measuring > steps.count ? 1 : 0)
    }

    /// The replay of each step on `host`, which knows how many tokens it had, and whether the gradients' norms were measured.
    ///
    /// - Throws: as `HostStep`.
    func replays(of run: Run, on host: HostMachine) throws(PerformanceModelError) -> [HostStep] {
        struct Kind: Hashable {
            var tokens: Int
            var measuresNoise: Bool
        }
        let positions = Double(run.job.phases[index].globalBatch * run.job.phases[index].sequence)
        var layout = layout(of: run, on: host)
        var known: [Kind: HostStep] = [:]
        var replays: [HostStep] = []
        for step in steps {
            let kind = Kind(tokens: step.tokens, measuresNoise: step.laneGradientSquaredNorm != nil)
            if let replay = known[kind] {
                replays.append(replay)
                continue
            }
            layout.lengths.fill = Double(kind.tokens) / positions
            layout.gradientNoiseShare = kind.measuresNoise ? 1 : 0
            let replay = try HostStep(
                job: run.job, phase: index, layout: layout, vocabularySize: vocabularySize(of: run), on: host)
            known[kind] = replay
            replays.append(replay)
        }
        return replays
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

extension SequenceLengths {
    /// Steps from which on their tokens tell how much lengths vary.
    private static let stepsForSpread = 8

    /// What the tokens of `steps` tell of the sequences' lengths: sequences are independent, so that a step's tokens vary
    /// by the sum of their variances. Few steps tell less than what is `expected` of the examples does. Nil without steps.
    init?(measuredIn steps: [StepRecord], of phase: Phase, expected: ExampleSettings) {
        let batch = Double(phase.globalBatch)
        let fills = steps.map { Double($0.tokens) / (batch * Double(phase.sequence)) }
        let mean = fills.reduce(0, +) / Double(max(1, fills.count))
        guard mean > 0 else { return nil }
        let squares = fills.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        self.init(
            fill: mean,
            spread: fills.count < Self.stepsForSpread
                ? SequenceLengths(expectedOf: expected).spread
                : (batch * squares / Double(fills.count - 1)).squareRoot() / mean)
    }
}
