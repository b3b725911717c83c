import Foundation
import Jobs
import Runs

/// Records made up for tests. No run was made: the figures are drawn so that they look like one.
enum FabricatedRuns {
    static let start = Date(timeIntervalSince1970: 1_795_000_000)

    static func job(
        name: String = "demo", steps: Int = 300, target: Target? = nil, seed: UInt64 = 42,
        text: TextCorpus.Text = .synthetic(documents: 4_000, seed: 7)
    ) -> Job {
        Job(
            name: name, model: ModelShape(layers: 4, hidden: 256, heads: 4),
            corpus: CorpusSource(text: text, vocabulary: .trained(size: 2_048)), examples: ExampleSettings(), lanes: 8,
            seed: seed,
            phases: [
                Phase(
                    sequence: 128, maskedPositions: 20, globalBatch: 32, microBatch: 4, steps: steps,
                    schedule: Schedule(peak: 1e-3, warmupSteps: 30, decay: .linear))
            ], optimizer: OptimizerSettings(kind: .adamw),
            evaluation: EvaluationSettings(everySteps: 25, sequences: 256), target: target,
            checkpoints: CheckpointSettings())
    }

    static let machine = Machine(
        processor: "Intel(R) Xeon(R) Processor @ 2.10GHz", cores: 2, instructionSet: "avx512f",
        memory: Bytes.mebibytes(24_576), operatingSystem: "Linux 6.1.0-18-amd64", oneDNN: "2.6.3", zeroMQ: "4.3.4",
        wafermark: "0.1.0")

    static let corpus = CorpusFacts(
        isSynthetic: true, trainingDocuments: 3_800, heldOutDocuments: 200, trainingTokens: 812_345,
        vocabularySize: 2_048, digest: "5b1f8c40a7e24d10c9a6a2f0b6d5f1b2c3d4e5f60718293a4b5c6d7e8f901234")

    /// A record of a run that made `made` steps; `stepTime` is what one takes in seconds, `seed` moves its spread.
    static func record(
        _ id: String, backend: Backend, workers: Int = 1, job: Job = job(), made: Int? = nil, stepTime: Double,
        state: RunState = .finished, spread: Double = 0.05, seed: UInt64 = 1, hardware: String? = nil
    ) -> RunRecord {
        guard let id = RunID(id) else { preconditionFailure("'\(id)' is no run id") }
        var random = CounterRandom(seed: seed, purpose: .statistics, step: 7)
        // The loss of a job is the same on every backend, so its noise has a stream of its own.
        var lossRandom = CounterRandom(seed: job.seed, purpose: .statistics, step: 8)
        var run = Run(id: id, job: job, backend: backend, workers: workers, hardware: hardware, submitted: start)
        run.state = state
        run.started = start.addingTimeInterval(0.4)
        run.machine = machine
        run.corpus = corpus
        var record = RunRecord(run: run)
        var elapsed = 0.0
        var timeToTarget: Double?
        let planned = job.totalSteps
        for index in 0..<(made ?? planned) {
            var slow = Double(random.nextUnit())
            slow = slow * slow * slow * spread * 4
            let duration = stepTime * (1 + slow + (index == 0 ? 0.8 : 0))
            elapsed += duration
            let progress = Double(index) / Double(max(1, planned))
            let masked = 2.35 + 5.25 * exp(-4.2 * progress) + 0.22 * (Double(lossRandom.nextUnit()) - 0.5)
            let sentence = 0.69 - 0.25 * progress + 0.1 * (Double(lossRandom.nextUnit()) - 0.5)
            record.steps.append(
                StepRecord(
                    step: StepNumber(index), loss: masked + sentence, maskedLoss: masked, nextSentenceLoss: sentence,
                    maskedAccuracy: 0.5 * (1 - exp(-3 * progress)), learningRate: 1e-3 * (1 - progress),
                    gradientNorm: 1.5, sequences: 32, tokens: 3_712, elapsed: HostSeconds(elapsed),
                    duration: HostSeconds(duration)))
            for rank in 0..<workers {
                let isCluster = backend == .cluster
                let skew = isCluster ? 0.03 * Double(rank) : 0
                let compute = duration * ((isCluster ? 0.80 : 0.93) - skew)
                let exposed = isCluster ? duration * 0.085 : 0
                let waiting = isCluster ? duration * (0.03 + skew) : 0
                let read = duration * 0.004
                let exposedFrom = read + compute + waiting * 0.75
                let parts = PartStarts(
                    compute: HostSeconds(read), waiting: HostSeconds(read + compute),
                    exposedCommunication: HostSeconds(exposedFrom), commit: HostSeconds(exposedFrom + exposed),
                    optimizer: HostSeconds(exposedFrom + exposed + waiting * 0.25))
                record.workerSteps.append(
                    WorkerStepRecord(
                        step: StepNumber(index), rank: WorkerRank(rank), input: HostSeconds(read),
                        compute: HostSeconds(compute), exposedCommunication: HostSeconds(exposed),
                        waiting: HostSeconds(waiting), optimizer: HostSeconds(duration * (isCluster ? 0.035 : 0.05)),
                        duration: HostSeconds(duration),
                        sent: Bytes(isCluster ? 13_500_000 : 0), lanes: job.lanes / workers,
                        timeline: WorkerStepRecord.Timeline(
                            started: HostSeconds(elapsed - duration + 0.002 * duration * Double(rank)), parts: parts)))
            }
            if (index + 1).isMultiple(of: job.evaluation.everySteps) || index == planned - 1 {
                elapsed += stepTime * 2.5
                let share = Double(index + 1) / Double(planned)
                let evaluation = EvaluationRecord(
                    stepsMade: index + 1, elapsed: HostSeconds(elapsed), maskedLoss: 2.3 + 5 * exp(-4.4 * share),
                    maskedAccuracy: 0.052 + 0.41 * (1 - exp(-3.1 * share)),
                    nextSentenceAccuracy: 0.5 + 0.27 * share, baselineAccuracy: 0.0612, maskedTokens: 4_897,
                    noise: GradientNoise(squaredNorm: 0.02 + 0.4 * exp(-5 * share), covarianceTrace: 9 + 4 * share))
                record.evaluations.append(evaluation)
                if timeToTarget == nil, let target = job.target,
                    target.isMet(maskedAccuracy: evaluation.maskedAccuracy, maskedLoss: evaluation.maskedLoss)
                {
                    timeToTarget = elapsed
                }
            }
        }
        record.run.ended = start.addingTimeInterval(elapsed + 2)
        if state == .finished {
            record.run.outcome = RunOutcome(
                steps: record.steps.count, trainingTime: HostSeconds(elapsed),
                timeToTarget: timeToTarget.map { HostSeconds($0) },
                weightsDigest: "9f2b6c1d0e8a47535b1f8c40a7e24d10c9a6a2f0b6d5f1b2c3d4e5f607182933",
                modelDirectory: "/home/someone/.local/state/wafermark/runs/\(id)/model")
        }
        record.events = events(of: record, elapsed: elapsed)
        return record
    }

    private static func events(of record: RunRecord, elapsed: Double) -> [RunEvent] {
        let begun = start.addingTimeInterval(0.4)
        var events = [
            RunEvent(
                time: begun, kind: .datasetPrepared,
                message: "3,800 documents, 812,345 tokens, a vocabulary of 2,048; taken from the cache")
        ]
        for rank in 0..<record.run.workers {
            events.append(
                RunEvent(
                    time: begun.addingTimeInterval(0.12 + 0.05 * Double(rank)), kind: .workerJoined,
                    message: "worker \(rank) joined with lanes \(rank * 4)–\(rank * 4 + 3)", rank: WorkerRank(rank)))
        }
        let given = begun.addingTimeInterval(0.3)
        events.append(
            RunEvent(time: given, kind: .membershipChanged, message: "lanes are dealt", step: StepNumber(0)))
        if let time = record.run.outcome?.timeToTarget {
            // A twentieth of a second is for loading.
            events.append(
                RunEvent(
                    time: given.addingTimeInterval(0.05 + time.seconds), kind: .targetReached,
                    message: "the target was reached"))
        }
        events.append(
            RunEvent(
                time: begun.addingTimeInterval(elapsed + 1.1), kind: .checkpointWritten,
                message: "the final weights, 14.1 MiB"))
        events.append(
            RunEvent(
                time: begun.addingTimeInterval(elapsed + 1.2), kind: .stateChanged, message: record.run.state.name))
        return events
    }

    static let jobFile = """
        # The demo: a BERT of four layers on synthetic abstracts.
        name: demo
        model: mini
        corpus:
          synthetic: { documents: 4000, seed: 7 }
          vocabulary: 2048
        lanes: 8
        seed: 42
        phases:
          - sequence: 128
            global_batch: 32
            steps: 300
            learning_rate: { peak: 1e-3, warmup_steps: 30, decay: linear }
        """

    /// A job under several seeds on both backends; the cluster stands for a machine where `hardware` is named.
    static func seeds(
        _ seeds: [UInt64] = [42, 43, 44], cluster: Double = 0.15, wafer: Double = 0.12,
        target: Target? = Target(quality: .maskedAccuracy(0.4)), hardware: String? = nil
    ) -> [RunRecord] {
        seeds.enumerated().flatMap { index, seed in
            let job = job(target: target, seed: seed)
            // Runs of a seed are slow or fast together, and a little by themselves.
            let drift = 1 + 0.04 * Double(index) + 0.003 * Double(index % 2)
            return [
                record(
                    "1000000\(index)", backend: .cluster, workers: 2, job: job, stepTime: cluster * drift,
                    seed: 10 + seed, hardware: hardware),
                record("2000000\(index)", backend: .wafer, job: job, stepTime: wafer * drift, seed: 20 + seed),
            ]
        }
    }

    /// A run without compression, one with half the bytes whose losses are higher by a hundredth, and one on the wafer, whose
    /// losses are higher by a tenth.
    static func compressed() -> [RunRecord] {
        var half = job()
        half.compression = .bf16
        var held = job()
        held.compression = .topK(TopKSettings(density: 0.05, flushEvery: 64))
        var runs = [
            record("7aaaaaaa", backend: .cluster, workers: 4, stepTime: 0.15),
            record("7bbbbbbb", backend: .cluster, workers: 2, job: half, stepTime: 0.14),
            record("7ccccccc", backend: .wafer, job: held, stepTime: 0.13),
        ]
        for (index, more) in [(1, 0.01), (2, 0.1)] {
            for step in runs[index].steps.indices { runs[index].steps[step].loss += more }
            for place in runs[index].evaluations.indices { runs[index].evaluations[place].maskedLoss += more }
        }
        for index in runs[1].workerSteps.indices { runs[1].workerSteps[index].uncompressed = Bytes(27_000_000) }
        for index in 0..<2 { runs[index].run.exchange = ExchangeSettings(transport: .ipc) }
        return runs
    }

    /// A wafer's run of a model with ReLU: each step of 3,584 real tokens computed 12,000,000 inner activations, of which
    /// 3,000,000 were zero, and left out two thirds of these.
    static func rectified() -> RunRecord {
        var job = job()
        job.model.activation = .relu
        var run = record("7ddddddd", backend: .wafer, job: job, stepTime: 0.12)
        for step in run.steps.indices {
            run.steps[step].tokens = 3_584
            run.steps[step].activationZeros = ActivationZeros(
                counted: 12_000_000, zero: 3_000_000, skipped: 2_000_000)
        }
        return run
    }

    static func pair(target: Target? = nil, wafer: Double = 0.128, cluster: Double = 0.141) -> [RunRecord] {
        let job = job(target: target)
        return [
            record("4kq7x2mz", backend: .cluster, workers: 2, job: job, stepTime: cluster, seed: 3),
            record("9c0ht5vw", backend: .wafer, job: job, stepTime: wafer, seed: 2),
        ]
    }
}
