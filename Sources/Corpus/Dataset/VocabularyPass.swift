import Jobs

/// Learns a vocabulary from the training side of a text.
struct VocabularyPass: Sendable {
    let text: InputText
    /// The side that isn't learned from, not even the vocabulary.
    let heldOut: Double
    let seed: UInt64
    let monitor: PreparationMonitor

    /// The vocabulary. Words are counted group by group and the counts added in the groups' order, so the result doesn't
    /// depend on the number of threads, even where rare words had to be forgotten.
    func train(_ settings: VocabularyTrainer.Settings, threads: Int) throws -> Vocabulary {
        monitor.begin(.countingWords, parts: text.parts)
        var trainer = VocabularyTrainer(settings)
        try WorkerThreads.runInOrder(jobs: text.groups.count, threads: threads) { [self] group in
            var counter = VocabularyTrainer(settings)
            _ = try text.forEachDocument(of: text.groups[group], monitor: monitor) { document in
                if Split.of(document, heldOut: heldOut, seed: seed) == .training { counter.add(document) }
            }
            return counter
        } take: { _, counter in
            trainer.merge(counter)
        }
        monitor.begin(.trainingVocabulary, parts: settings.size)
        var told = 0
        return try trainer.train { entries in
            try monitor.advance(parts: entries - told)
            told = entries
        }
    }
}
