import Jobs

extension RemedyReplay {
    /// The steps of phase `index` of `job` on the calibrated `machine`, replayed with each remedy.
    ///
    /// Processes share the cores, and exchanging gradients is their work as well: see `HostStep`.
    /// - Parameter workShares: each worker's own work in a step over the mean worker's; the slowest holds up the exchange.
    /// - Throws: as `HostStep`.
    public init(
        job: Job, phase index: Int, layout: HostStep.Layout, workShares: [Double], vocabularySize: Int,
        on machine: HostMachine
    ) throws(PerformanceModelError) {
        let step = try HostStep(job: job, phase: index, layout: layout, vocabularySize: vocabularySize, on: machine)
        let halved = try HostStep(
            job: job, phase: index, layout: layout, vocabularySize: vocabularySize, elementBytes: 2, on: machine)
        let even = workShares.isEmpty ? [1] : workShares.map { _ in 1.0 }
        let shares = workShares.isEmpty ? even : workShares
        let computing = step.compute * (shares.max() ?? 1) + step.waiting
        let isCrowded = layout.workers * layout.threads >= machine.cores
        var outcomes: [Outcome] = []
        for remedy in Remedy.allCases {
            switch remedy {
            case .infiniteNetwork: outcomes.append(.step(remedy, computing + step.optimizer))
            case .noStraggler: outcomes.append(.step(remedy, Self.seconds(step, shares: even)))
            case .perfectOverlap where isCrowded:
                outcomes.append(.coresCompute(remedy))
            case .perfectOverlap:
                outcomes.append(.step(remedy, max(computing, step.exchange) + step.optimizer))
            case .halfTheBytes where layout.transport == .sharedMemory:
                outcomes.append(.nothingTravels(remedy))
            case .halfTheBytes: outcomes.append(.step(remedy, Self.seconds(halved, shares: shares)))
            case .doubleMicroBatch:
                guard let doubled = Self.doubled(job, phase: index) else {
                    outcomes.append(.none(remedy, "a lane’s share of the global batch is a single micro-batch already"))
                    continue
                }
                let twice = try HostStep(
                    job: doubled, phase: index, layout: layout, vocabularySize: vocabularySize, on: machine)
                outcomes.append(.step(remedy, Self.seconds(twice, shares: shares)))
            }
        }
        self.init(seconds: Self.seconds(step, shares: shares), outcomes: outcomes)
    }

    /// The step where each worker computes its share of the mean one's time; the exchange begins with the last.
    private static func seconds(_ step: HostStep, shares: [Double]) -> Double {
        let ranks = shares.map { share in
            [StepReplay.Segment(seconds: step.compute * share + step.waiting, exchangeSeconds: step.exchange)]
        }
        return StepReplay(exchangeRate: 1).run(ranks: ranks).end + step.optimizer
    }

    /// `job` with twice the micro-batch in that phase; nil where a lane's share is no larger than one.
    private static func doubled(_ job: Job, phase index: Int) -> Job? {
        guard job.phases.indices.contains(index) else { return nil }
        let lane = job.phases[index].globalBatch / job.lanes
        guard job.phases[index].microBatch < lane else { return nil }
        var job = job
        job.phases[index].microBatch = min(lane, 2 * job.phases[index].microBatch)
        return job
    }
}
