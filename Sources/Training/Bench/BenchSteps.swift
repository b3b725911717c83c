import Jobs

/// Makes a bench's steps and times their parts.
struct BenchSteps {
    /// The host time of one step's parts, in seconds.
    struct Parts {
        var input: Double
        var compute: Double
        var optimizer: Double
        /// Whether the norms of the lanes' gradients were measured.
        var measuresNoise = false

        var total: Double { input + compute + optimizer }
    }

    let trainer: Trainer
    private(set) var parts: [Parts] = []
    private(set) var loss = 0.0

    init(_ settings: BenchSettings) throws { trainer = try settings.trainer() }

    /// Makes `count` steps; keeps their times where they are `measured`.
    mutating func run(_ count: Int, measured: Bool) throws {
        for _ in 0..<count {
            let parts = try makeStep(StepNumber(trainer.stepsMade))
            if measured { self.parts.append(parts) }
        }
    }

    private mutating func makeStep(_ step: StepNumber) throws -> Parts {
        var stopwatch = Stopwatch()
        try trainer.loadStep(step)
        let input = stopwatch.lap()
        loss = StepSummary(try trainer.computeGradients(step)).loss
        let compute = stopwatch.lap()
        _ = try trainer.applyOptimizer(step)
        return Parts(
            input: input.seconds, compute: compute.seconds, optimizer: stopwatch.lap().seconds,
            measuresNoise: trainer.plan.job.measuresGradientNoise(at: step))
    }

    /// By how much longer the median step takes whose lanes' gradients are measured, as a share; nil where not both kinds
    /// of step were made.
    var gradientNoiseCost: Double? {
        guard let measured = Quantiles(parts.filter(\.measuresNoise).map(\.total)).median,
            let plain = Quantiles(parts.filter { !$0.measuresNoise }.map(\.total)).median
        else { return nil }
        return measured / plain - 1
    }

    /// The median over the measured steps of what `part` picks.
    func median(_ part: (Parts) -> Double) -> Double { Quantiles(parts.map(part)).median ?? 0 }
}
