import Jobs

/// What `diff` prints to people.
public enum DifferenceText {
    /// The difference in tables, within `width` characters.
    public static func text(_ difference: RunDifference, width: Int = 80) -> String {
        var text = "\(difference.runId) (A) beside \(difference.referenceRunId) (B)\n"
        switch difference.bitIdentical {
        case true?: text += "Losses at every step and the weights are the same to the bit.\n"
        case false?: text += "Losses or weights are not the same.\n"
        case nil: break
        }
        text += "\n" + configuration(difference.configuration, width: width)
        if let effect = difference.compression {
            text +=
                "\n"
                + WrappedText.lines(
                    "How gradients are compressed is all that differs in the job. Beside B, " + effect.phrase("").plain,
                    indent: 0, width: width, first: "")
        }
        let isOne = difference.phases.count == 1
        for phase in difference.phases { text += "\n" + Self.phase(phase, isOne: isOne, width: width) }
        if !difference.figures.isEmpty { text += "\n" + figures(difference.figures, width: width) }
        return text
    }

    private static func configuration(_ settings: [RunDifference.Setting], width: Int) -> String {
        if settings.isEmpty { return "Nothing differs in configuration.\n" }
        return "Configuration\n"
            + TextTable(
                [
                    TextTable.Column("KEY"), TextTable.Column("A", mayShrink: true),
                    TextTable.Column("B", mayShrink: true),
                ],
                rows: settings.map { [$0.key, $0.value ?? "–", $0.referenceValue ?? "–"] }
            ).text(width: width)
    }

    private static func phase(_ phase: RunDifference.PhaseDifference, isOne: Bool, width: Int) -> String {
        let name = isOne ? "" : " in phase \(phase.phase), \(phase.sequenceTokens) tokens"
        let format = FigureFormat.column(through: max(phase.stepHostSeconds, phase.referenceStepHostSeconds))
        func row(_ name: String, _ value: Double, _ reference: Double) -> [String] {
            let difference = value - reference
            let sign = difference > 0 ? "+" : ""
            return [name, format.text(value), format.text(reference), sign + format.text(difference)]
        }
        let rows = phase.parts.map { part in
            row(StepPart(rawValue: part.part)?.title ?? part.part, part.hostSeconds, part.referenceHostSeconds)
        }
        var text = "Where a step's time goes\(name) (mean, host clock)\n"
        text += TextTable(
            [
                TextTable.Column("PART"), TextTable.Column("A", isNumeric: true),
                TextTable.Column("B", isNumeric: true),
                TextTable.Column("A - B", isNumeric: true),
            ], rows: rows + [row("Step", phase.stepHostSeconds, phase.referenceStepHostSeconds)]
        ).text(width: width)
        guard let ratio = phase.ratio, let low = phase.ratioLow, let high = phase.ratioHigh, let verdict = phase.verdict
        else {
            return text + "Too few steps to say whether that is chance.\n"
        }
        let words =
            switch verdict {
            case .faster: "A is faster"
            case .slower: "A is slower"
            case .noSignificantDifference: "no significant difference"
            }
        func times(_ value: Double) -> String { FigureFormat.ratio.text(value) }
        return text + "A over B \(times(ratio)), 95 % interval \(times(low)) to \(times(high)): \(words).\n"
    }

    private static func figures(_ figures: [RunDifference.FigureDifference], width: Int) -> String {
        let definitions = Dictionary(FigureDefinition.all.map { ($0.key, $0) }) { first, _ in first }
        return "What came of it\n"
            + TextTable(
                [
                    TextTable.Column("FIGURE"), TextTable.Column("A", isNumeric: true),
                    TextTable.Column("B", isNumeric: true), TextTable.Column("A / B", isNumeric: true),
                ],
                rows: figures.compactMap { figure in
                    definitions[figure.key].map { definition in
                        [
                            definition.title + (definition.clock.map { " (\($0))" } ?? ""),
                            definition.format.text(figure.value), definition.format.text(figure.referenceValue),
                            figure.ratio.map { FigureFormat.ratio.text($0) } ?? "",
                        ]
                    }
                }
            ).text(width: width)
    }
}
