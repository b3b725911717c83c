/// What must fit between a job and the dataset of the corpus folder that it names.
extension JobRules {
    /// Everything of `job` that `dataset` contradicts. What a job leaves out it takes from the dataset, so these are
    /// things that it says itself.
    static func violations(of job: Job, on dataset: BuiltDataset) -> [Violation] {
        guard case .built(let stated) = job.corpus else { return [] }
        var check = Check()
        func same<Value: Equatable>(_ key: String, _ found: Value, _ built: Value) {
            guard found != built else { return }
            check.add([key], found: words(found), allowed: "\(words(built)), as the corpus was built")
        }
        if stated.digest != dataset.corpus.digest {
            check.add(
                ["corpus.digest"], found: stated.digest,
                allowed: "\(dataset.corpus.digest): the corpus was built anew since the job was written")
        }
        same("corpus.vocabulary", stated.vocabularySize, dataset.corpus.vocabularySize)
        same("corpus.held_out", stated.heldOut, dataset.corpus.heldOut)
        let (mine, built) = (job.examples, dataset.settings.examples)
        same("examples.short_sequence_share", mine.shortSequenceShare, built.shortSequenceShare)
        same("examples.next_sentence", mine.nextSentence, built.nextSentence)
        same("examples.static_masks", mine.staticMasks, built.staticMasks)
        if built.staticMasks != nil {
            same("examples.masked_share", mine.maskedShare, built.maskedShare)
            same("examples.masking", mine.masking, built.masking)
        }
        for (index, phase) in job.phases.prefix(phaseLimit).enumerated() {
            if !dataset.settings.sequences.contains(phase.sequence) {
                let lengths = dataset.settings.sequences.map(String.init).joined(separator: ", ")
                check.add(
                    ["phases[\(index)].sequence"], found: "\(phase.sequence)",
                    allowed: "a length that the corpus was built for (\(lengths)); "
                        + "'wafermark corpus build' with --sequence \(phase.sequence) makes others")
            } else if built.staticMasks != nil {
                same(
                    "phases[\(index)].masked_positions", phase.maskedPositions,
                    built.maskedPositions(ofSequence: phase.sequence))
            }
        }
        return check.violations
    }

    private static func words(_ value: some Any) -> String {
        switch value {
        case let masking as ExampleSettings.Masking: masking.rawValue
        case let number as Int?: number.map(String.init) ?? "none"
        default: "\(value)"
        }
    }
}
