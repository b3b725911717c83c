import Foundation
import Jobs
import Runs

extension RunFigures {
    /// The figures of `record`, called `label`.
    init(_ record: RunRecord, label: String) {
        let run = record.run
        let steps = record.steps
        let durations = steps.map(\.duration.seconds)
        let spread = Quantiles(durations)
        let stepsTime = durations.isEmpty ? nil : durations.reduce(0, +)
        let elapsed = [steps.last?.elapsed.seconds, record.evaluations.last?.elapsed.seconds].compactMap { $0 }.max()
        let trainingTime = run.outcome?.trainingTime.seconds ?? elapsed

        runId = run.id.text
        self.label = label
        backend = run.backend
        workers = run.workers
        hardware = run.hardware
        algorithm = run.exchange?.algorithm
        transport = run.exchange?.transport
        state = run.state.name
        failure = if case .failed(let reason) = run.state { reason } else { nil }
        submitted = run.submitted
        started = run.started
        ended = run.ended
        machine = run.machine.map(MachineFigures.init)
        corpus = run.corpus.map(CorpusFigures.init)

        stepsMade = run.outcome?.steps ?? steps.last.map { $0.step.index + 1 } ?? 0
        stepsPlanned = run.job.totalSteps
        trainingHostSeconds = finite(trainingTime)
        timeToTargetHostSeconds = finite(run.outcome?.timeToTarget?.seconds)
        stepsToTarget = Self.stepsToTarget(record)
        sequencesPerHostSecond = Self.rate(steps.reduce(0) { $0 + $1.sequences }, over: stepsTime)
        tokensPerHostSecond = Self.rate(steps.reduce(0) { $0 + $1.tokens }, over: stepsTime)
        stepMedianHostSeconds = spread.median
        stepP05HostSeconds = spread.quantile(0.05)
        stepP95HostSeconds = spread.quantile(0.95)
        stepsHostSeconds = finite(stepsTime)
        betweenStepsHostSeconds = trainingTime.flatMap { total in stepsTime.map { max(0, total - $0) } }
        firstLossNats = finite(steps.first?.loss)
        finalLossNats = finite(steps.last?.loss)
        let last = record.evaluations.last
        finalHeldOutMlmAccuracy = finite(last?.maskedAccuracy)
        finalHeldOutMlmLossNats = finite(last?.maskedLoss)
        finalHeldOutNspAccuracy = finite(last?.nextSentenceAccuracy)
        baselineMlmAccuracy = finite(last?.baselineAccuracy)
        gradientNoiseScaleSequences = finite(record.evaluations.last { $0.noise?.scale != nil }?.noise?.scale)
        weightsDigest = run.outcome?.weightsDigest
        modelDirectory = run.outcome?.modelDirectory
        let examples = run.outcome?.examples
        examplesUsed = examples?.examples
        wholePasses = examples?.wholePasses
        examplesChecksum = examples.map { String($0.checksum, radix: 16) }
        examplesChecksumDue = examples.map { String($0.checksumDue, radix: 16) }

        compression = CompressionFigures(record)
        emulation = EmulationFigures(record)
        sparsity = SparsityFigures(record)
        activationZeros = ActivationZeroFigures(record)
        workerParts = WorkerParts.all(of: record.workerSteps)
        stepParts = StepParts(meanOf: record.workerSteps)
        evaluations = record.evaluations.map(EvaluationFigures.init)
        series = StepSeries(steps)
        let origin = run.started ?? run.submitted
        events = record.events.map { EventFigures($0, since: origin) }
    }

    /// The evaluation with which the target was met, found again in the record.
    private static func stepsToTarget(_ record: RunRecord) -> Int? {
        guard let target = record.run.job.target, record.run.outcome?.timeToTarget != nil else { return nil }
        var inARow = 0
        for evaluation in record.evaluations {
            let isMet = target.isMet(maskedAccuracy: evaluation.maskedAccuracy, maskedLoss: evaluation.maskedLoss)
            inARow = isMet ? inARow + 1 : 0
            if inARow >= target.consecutive { return evaluation.stepsMade }
        }
        return nil
    }

    private static func rate(_ count: Int, over seconds: Double?) -> Double? {
        guard let seconds, seconds > 0 else { return nil }
        return finite(Double(count) / seconds)
    }
}

/// `value` where it is a finite number, which JSON can hold.
package func finite(_ value: Double?) -> Double? {
    guard let value, value.isFinite else { return nil }
    return value
}

extension StepParts {
    /// The mean over `records`; nil where there are none.
    init?(meanOf records: some Collection<WorkerStepRecord>) {
        guard !records.isEmpty else { return nil }
        let count = Double(records.count)
        func mean(_ part: (WorkerStepRecord) -> Double) -> Double { records.reduce(0) { $0 + part($1) } / count }
        inputHostSeconds = mean(\.input.seconds)
        computeHostSeconds = mean(\.compute.seconds)
        exposedCommunicationHostSeconds = mean(\.exposedCommunication.seconds)
        waitingHostSeconds = mean(\.waiting.seconds)
        optimizerHostSeconds = mean(\.optimizer.seconds)
        otherHostSeconds = mean(\.other.seconds)
        totalHostSeconds =
            inputHostSeconds + computeHostSeconds + exposedCommunicationHostSeconds + waitingHostSeconds
            + optimizerHostSeconds + otherHostSeconds
        shares = [:]
        let total = totalHostSeconds
        for (part, seconds) in all { shares[part.rawValue] = total > 0 ? seconds / total : 0 }
    }
}

extension WorkerParts {
    /// One for each worker in `records`, by rank.
    static func all(of records: [WorkerStepRecord]) -> [WorkerParts] {
        let paces = Dictionary(uniqueKeysWithValues: WorkerPace.all(of: records).map { ($0.rank, $0) })
        return Dictionary(grouping: records, by: \.rank).sorted { $0.key < $1.key }.compactMap { rank, records in
            guard let parts = StepParts(meanOf: records) else { return nil }
            let sent = records.reduce(0.0) { $0 + Double($1.sent.count) }
            let lanes = records.reduce(0.0) { $0 + Double($1.lanes) }
            return WorkerParts(
                rank: rank.index, steps: records.count, stepParts: parts,
                sentBytesPerStep: sent / Double(records.count),
                lanesPerStep: lanes > 0 ? lanes / Double(records.count) : nil,
                ownWorkPerLaneHostSeconds: finite(paces[rank]?.perLane.seconds),
                ownWorkRatio: finite(paces[rank]?.ratio), stragglerZScore: finite(paces[rank]?.zScore))
        }
    }
}

extension EvaluationFigures {
    init(_ record: EvaluationRecord) {
        self.init(
            stepsMade: record.stepsMade, elapsedHostSeconds: record.elapsed.seconds,
            mlmAccuracy: finite(record.maskedAccuracy), mlmLossNats: finite(record.maskedLoss),
            nspAccuracy: finite(record.nextSentenceAccuracy), baselineMlmAccuracy: finite(record.baselineAccuracy),
            maskedTokens: record.maskedTokens, gradientNoiseScaleSequences: finite(record.noise?.scale),
            gradientSquaredNorm: finite(record.noise?.squaredNorm),
            gradientCovarianceTrace: finite(record.noise?.covarianceTrace))
    }
}

extension StepSeries {
    /// The most steps that are kept.
    static let most = 2_000

    init(_ steps: [StepRecord]) {
        let stride = max(1, (steps.count + Self.most - 1) / Self.most)
        // The last step is always there.
        let kept = steps.enumerated().filter { index, _ in
            index.isMultiple(of: stride) || index == steps.count - 1
        }.map(\.element)
        everySteps = stride
        step = kept.map(\.step.index)
        elapsedHostSeconds = kept.map(\.elapsed.seconds)
        stepHostSeconds = kept.map(\.duration.seconds)
        lossNats = kept.map { finite($0.loss) }
        mlmAccuracy = kept.map { finite($0.maskedAccuracy) }
    }
}

extension EventFigures {
    init(_ event: RunEvent, since origin: Date) {
        self.init(
            time: event.time, sinceStartWallSeconds: event.time.timeIntervalSince(origin), kind: event.kind.rawValue,
            message: event.message, rank: event.rank?.index, step: event.step?.index)
    }
}

extension MachineFigures {
    init(_ machine: Machine) {
        self.init(
            processor: machine.processor, cores: machine.cores, instructionSet: machine.instructionSet,
            memoryBytes: machine.memory.count, operatingSystem: machine.operatingSystem,
            onednnVersion: machine.oneDNN, zeromqVersion: machine.zeroMQ, wafermarkVersion: machine.wafermark)
    }
}

extension CorpusFigures {
    init(_ facts: CorpusFacts) {
        self.init(
            isSynthetic: facts.isSynthetic, trainingDocuments: facts.trainingDocuments,
            heldOutDocuments: facts.heldOutDocuments, trainingTokens: facts.trainingTokens,
            vocabularySize: facts.vocabularySize, digest: facts.digest)
    }
}
