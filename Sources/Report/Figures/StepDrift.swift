import Jobs

/// How much longer a run's later steps took than its earlier ones: what a processor that throttles, or another program,
/// does to a measurement.
struct StepDrift: Sendable {
    /// The median step of the second half over that of the first, host clock.
    let ratio: Double

    /// Steps that are needed in each half for their medians to mean anything.
    private static let leastSteps = 8
    /// Less than this, either way, is nothing to speak of: medians of halves of quiet runs differ by a few per cent.
    private static let notableRatio = 1.25

    /// The drift over `steps`, in order, of equal work; nil where there are too few. The first, in which memory is touched
    /// and connections are made, is left out.
    init?(_ steps: [Double]) {
        let steps = steps.dropFirst().filter { $0.isFinite && $0 > 0 }
        guard steps.count >= 2 * Self.leastSteps else { return nil }
        let half = steps.count / 2
        guard let early = Quantiles(Array(steps.prefix(half))).median,
            let late = Quantiles(Array(steps.suffix(half))).median, early > 0
        else { return nil }
        ratio = late / early
    }

    /// Whether it is worth a note.
    var isNotable: Bool { ratio >= Self.notableRatio || ratio <= 1 / Self.notableRatio }

    /// What is to be said of the run called `label`; nil for nothing.
    func note(_ label: String) -> Note? {
        guard isNotable else { return nil }
        let times = FigureFormat.ratio.text(ratio)
        return Note(
            kind: .stepsDrift, title: "\(label): steps of unequal length",
            text:
                "The median step of the second half took \(times) that of the first. The processor's clock, other programs or "
                + "the number of workers changed on the way, so the run's time is that of no one machine.",
            isWarning: true)
    }
}
