import Jobs

/// What a dataset is made of: text, vocabulary and settings. Nothing of the model or the machine.
public struct DatasetRequest: Hashable, Sendable {
    /// The text.
    public enum Text: Hashable, Sendable {
        /// Files of one sentence a line and a blank line between documents, `.gz` or plain, in order.
        case files([TextFile])
        /// Abstracts that the package writes itself.
        case synthetic(documents: Int, seed: UInt64)
    }

    /// A text file.
    public struct TextFile: Hashable, Sendable {
        /// Where it lies.
        public var path: String
        /// SHA-256 of it as it lies on disk, where that is known already; it is checked while the file is read.
        public var digest: String?

        /// A file.
        public init(path: String, digest: String? = nil) {
            self.path = path
            self.digest = digest
        }
    }

    /// The text.
    public var text: Text
    /// The vocabulary.
    public var vocabulary: TextCorpus.Vocabulary
    /// The split, the lengths, and how text becomes examples.
    public var settings: DatasetSettings
    /// Where the text comes from, for the manifest; nil where nothing but its files is known.
    public var origin: DatasetManifest.Origin?

    /// A request of the given parts.
    public init(
        text: Text, vocabulary: TextCorpus.Vocabulary, settings: DatasetSettings,
        origin: DatasetManifest.Origin? = nil
    ) {
        self.text = text
        self.vocabulary = vocabulary
        self.settings = settings
        self.origin = origin
    }

    /// The dataset of `corpus` that `job` needs.
    ///
    /// Where masks are drawn anew each epoch, their share and kind don't shape the dataset, and jobs that differ in them
    /// alone share one.
    public init(corpus: TextCorpus, for job: Job) {
        let text: Text =
            switch corpus.text {
            case .files(let paths): .files(paths.map { TextFile(path: $0) })
            case .synthetic(let documents, let seed): .synthetic(documents: documents, seed: seed)
            }
        var examples = job.examples
        if examples.staticMasks == nil {
            let usual = ExampleSettings()
            examples.maskedShare = usual.maskedShare
            examples.masking = usual.masking
        }
        self.init(
            text: text, vocabulary: corpus.vocabulary,
            settings: DatasetSettings(
                sequences: job.phases.map(\.sequence), heldOut: corpus.heldOut, seed: job.seed, examples: examples))
    }

    /// Throws `.badSetting` for the first value outside its range.
    func validate() throws {
        func require(_ condition: Bool, _ name: String, _ found: Any, _ allowed: String) throws {
            if !condition { throw CorpusError.badSetting(name: name, found: "\(found)", allowed: allowed) }
        }
        try require(!settings.sequences.isEmpty, "sequence lengths", "none", "at least one")
        try require(settings.sequences.count <= 16, "sequence lengths", settings.sequences.count, "at most 16")
        for sequence in settings.sequences {
            try require((8...8192).contains(sequence), "sequence", sequence, "8 to 8192")
        }
        try require(
            settings.heldOut > 0 && settings.heldOut <= 0.5, "held-out share", settings.heldOut,
            "above 0, at most 0.5")
        let examples = settings.examples
        try require(
            examples.maskedShare >= 0.01 && examples.maskedShare <= 0.9, "masked share", examples.maskedShare,
            "0.01 to 0.9")
        try require(
            (0...1).contains(examples.shortSequenceShare), "short sequence share", examples.shortSequenceShare, "0 to 1"
        )
        if let masks = examples.staticMasks {
            try require((1...10_000).contains(masks), "static masks", masks, "1 to 10000")
        }
        switch text {
        case .files(let files): try require(!files.isEmpty, "corpus files", "none", "at least one")
        case .synthetic(let documents, _):
            try require((2...10_000_000).contains(documents), "synthetic documents", documents, "2 to 10000000")
        }
        if case .trained(let size) = vocabulary { try VocabularyTrainer.Settings(size: size).validate() }
    }
}

extension VocabularyTrainer.Settings {
    /// Throws `.badSetting` where the size is outside its range.
    func validate() throws {
        guard (64...Vocabulary.largestSize).contains(size) else {
            throw CorpusError.badSetting(
                name: "vocabulary size", found: "\(size)", allowed: "64 to \(Vocabulary.largestSize)")
        }
    }
}

extension DatasetSettings {
    /// The side that `document` falls on: by its contents, so that copies never stand on both sides.
    func split(of document: TextDocument) -> Split {
        Split.of(document, heldOut: heldOut, seed: seed)
    }
}

extension Split {
    /// The side that `document` falls on where the share `heldOut` is held out under `seed`.
    static func of(_ document: TextDocument, heldOut: Double, seed: UInt64) -> Split {
        var random = CounterRandom(seed: seed, purpose: .heldOutSplit, step: document.contentHash)
        return Double(random.nextUnit()) < heldOut ? .heldOut : .training
    }
}
