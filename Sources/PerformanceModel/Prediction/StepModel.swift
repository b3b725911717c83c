import Jobs

/// Predicts the steps of a job on a machine, without running it.
public enum StepModel {
    /// The vocabulary that is assumed where a job names a file that nobody has counted: BERT's own.
    public static let assumedVocabularySize = 30_522

    /// The step of phase `phase` of `job` on `profile`.
    ///
    /// - Parameters:
    ///   - workers: ranks that share the global batch: devices of a cluster; ignored on a wafer.
    ///   - phase: the phase's index.
    ///   - precision: the matrix products' format on a cluster.
    ///   - vocabularySize: entries of the vocabulary where they are known; else the job's or BERT's.
    /// - Throws: `PerformanceModelError` where the machine can't do it: a format that it lacks, more workers than sequences.
    public static func predict(
        job: Job, profile: HardwareProfile, workers: Int, phase index: Int = 0, precision: Precision = .fp16,
        vocabularySize: Int? = nil
    ) throws(PerformanceModelError) -> ModelledStep {
        guard job.phases.indices.contains(index) else {
            throw .unsupported("the job '\(job.name)' has \(job.phases.count) phases; there is no phase \(index)")
        }
        let phase = job.phases[index]
        guard workers > 0, workers <= phase.globalBatch else {
            throw .unsupported(
                "\(workers) workers can't share a global batch of \(phase.globalBatch) sequences; allowed: 1 to "
                    + "\(phase.globalBatch)")
        }
        var workload = Workload(
            model: job.model, vocabularySize: vocabularySize ?? job.statedVocabularySize ?? assumedVocabularySize,
            sequence: phase.sequence, maskedPositions: phase.maskedPositions, microBatch: 1,
            nextSentence: job.examples.nextSentence, optimizer: job.optimizer.kind)
        switch profile.machine {
        case .wafer(let machine):
            return WaferStep.predict(
                graph: OperatorGraph(workload), machine: machine, profile: profile.name,
                globalBatch: phase.globalBatch)
        case .cluster(let machine):
            let share = (phase.globalBatch + workers - 1) / workers
            workload.microBatch = min(phase.microBatch, share)
            let accumulation = (share + workload.microBatch - 1) / workload.microBatch
            return try ClusterStep.predict(
                graph: OperatorGraph(workload), machine: machine, profile: profile.name, workers: workers,
                accumulation: accumulation, globalBatch: phase.globalBatch, precision: precision)
        }
    }
}

extension Job {
    /// The vocabulary's size where the job itself says it.
    var statedVocabularySize: Int? {
        switch corpus.vocabulary {
        case .trained(let size): size
        case .file: nil
        }
    }
}
