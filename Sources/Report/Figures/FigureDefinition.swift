/// A figure of a run that is shown in tables: what it is called, what it means, and where it is.
struct FigureDefinition: Sendable {
    /// Its key within a run of the JSON document. The unit is in it.
    var key: String
    /// What readers call it.
    var title: String
    /// What it is, in a few words; the clock is named for every duration and rate.
    var meaning: String
    /// The clock it was measured with; nil for what is no time.
    var clock: String?
    /// The unit, for formats whose values stand alone.
    var unit: String
    var format: FigureFormat
    /// Whether a ratio of two runs' values says something.
    var isCompared: Bool
    var value: @Sendable (RunFigures) -> Double?

    /// The group of figures that a table shows together.
    static let all: [FigureDefinition] = [
        FigureDefinition(
            key: "time_to_target_host_seconds", title: "Time to target", meaning: "host clock, first step to target",
            clock: "host", unit: "s", format: .duration, isCompared: true, value: { $0.timeToTargetHostSeconds }),
        FigureDefinition(
            key: "training_host_seconds", title: "Training time", meaning: "host clock, evaluations included",
            clock: "host", unit: "s", format: .duration, isCompared: true, value: { $0.trainingHostSeconds }),
        FigureDefinition(
            key: "steps_made", title: "Steps", meaning: "optimizer steps made", clock: nil, unit: "steps",
            format: .count, isCompared: false, value: { Double($0.stepsMade) }),
        FigureDefinition(
            key: "sequences_per_host_second", title: "Sequences a second", meaning: "host clock, steps alone",
            clock: "host", unit: "1/s", format: .rate, isCompared: true, value: { $0.sequencesPerHostSecond }),
        FigureDefinition(
            key: "tokens_per_host_second", title: "Tokens a second", meaning: "host clock, padding left out",
            clock: "host", unit: "1/s", format: .rate, isCompared: true, value: { $0.tokensPerHostSecond }),
        FigureDefinition(
            key: "step_median_host_seconds", title: "Median step", meaning: "host clock", clock: "host", unit: "s",
            format: .duration, isCompared: true, value: { $0.stepMedianHostSeconds }),
        FigureDefinition(
            key: "step_p05_host_seconds", title: "Step, 5th percentile", meaning: "host clock", clock: "host",
            unit: "s", format: .duration, isCompared: true, value: { $0.stepP05HostSeconds }),
        FigureDefinition(
            key: "step_p95_host_seconds", title: "Step, 95th percentile", meaning: "host clock", clock: "host",
            unit: "s", format: .duration, isCompared: true, value: { $0.stepP95HostSeconds }),
        FigureDefinition(
            key: "between_steps_host_seconds", title: "Between steps",
            meaning: "host clock, evaluations and checkpoints",
            clock: "host", unit: "s", format: .duration, isCompared: true, value: { $0.betweenStepsHostSeconds }),
        FigureDefinition(
            key: "first_loss_nats", title: "First loss", meaning: "training, MLM + NSP, nats", clock: nil, unit: "nats",
            format: .nats, isCompared: false, value: { $0.firstLossNats }),
        FigureDefinition(
            key: "final_loss_nats", title: "Final loss", meaning: "training, MLM + NSP, nats", clock: nil, unit: "nats",
            format: .nats, isCompared: false, value: { $0.finalLossNats }),
        FigureDefinition(
            key: "final_held_out_mlm_loss_nats", title: "Held-out MLM loss", meaning: "last evaluation, nats",
            clock: nil, unit: "nats", format: .nats, isCompared: false, value: { $0.finalHeldOutMlmLossNats }),
        FigureDefinition(
            key: "final_held_out_mlm_accuracy", title: "Held-out MLM accuracy", meaning: "last evaluation", clock: nil,
            unit: "share", format: .share, isCompared: false, value: { $0.finalHeldOutMlmAccuracy }),
        FigureDefinition(
            key: "baseline_mlm_accuracy", title: "Baseline accuracy", meaning: "always the most frequent token",
            clock: nil, unit: "share", format: .share, isCompared: false, value: { $0.baselineMlmAccuracy }),
        FigureDefinition(
            key: "final_held_out_nsp_accuracy", title: "Held-out NSP accuracy", meaning: "sentence pairs told right",
            clock: nil, unit: "share", format: .share, isCompared: false, value: { $0.finalHeldOutNspAccuracy }),
        FigureDefinition(
            key: "gradient_noise_scale_sequences", title: "Noise scale, sequences",
            meaning: "of the gradient: the critical batch", clock: nil, unit: "sequences", format: .significant,
            isCompared: false, value: { $0.gradientNoiseScaleSequences }),
    ]
}
