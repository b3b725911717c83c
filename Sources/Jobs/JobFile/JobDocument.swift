/// A job as an ordered tree of keys, from which both the YAML and the JSON form are printed.
struct JobDocument {
    /// A value of the tree.
    indirect enum Value {
        /// A number or a word that is printed as it stands.
        case bare(String)
        case text(String)
        case none
        case list([Value])
        case map([Entry])
    }

    /// A key, its value, and what the YAML says about it.
    struct Entry {
        var key: String
        var value: Value
        var comment: String?
    }

    /// The tree's entries.
    let entries: [Entry]

    /// The tree of `job`. Where `named`, a shape that has a name is printed by it.
    init(_ job: Job, named: Bool) {
        let dense = [
            Entry(key: "name", value: .text(job.name), comment: "for people; part of file names"),
            Entry(key: "model", value: Self.model(job.model, named: named), comment: nil),
            Entry(key: "corpus", value: Self.corpus(job.corpus), comment: nil),
            Entry(
                key: "examples",
                value: .map([
                    Entry(
                        key: "masked_share", value: .bare("\(job.examples.maskedShare)"),
                        comment: "share of tokens predicted"),
                    Entry(
                        key: "masking", value: .bare(job.examples.masking.rawValue),
                        comment: "token, whole_word or span: what is chosen at once"),
                    Entry(
                        key: "static_masks", value: job.examples.staticMasks.map { .bare("\($0)") } ?? .none,
                        comment: "none: masked anew each epoch"),
                    Entry(
                        key: "short_sequence_share", value: .bare("\(job.examples.shortSequenceShare)"),
                        comment: "share of examples made shorter"),
                    Entry(
                        key: "next_sentence", value: .bare("\(job.examples.nextSentence)"),
                        comment: "whether sentence pairs are told apart"),
                ])),
            Entry(
                key: "lanes", value: .bare("\(job.lanes)"),
                comment: "equal slices of every batch; workers own whole ones"),
            Entry(key: "seed", value: .bare("\(job.seed)"), comment: "the key of every random number"),
            Entry(
                key: "phases", value: .list(job.phases.map(Self.phase)),
                comment: "in order; the optimizer's state is kept"),
            Entry(key: "optimizer", value: Self.optimizer(job.optimizer)),
            Entry(
                key: "evaluation",
                value: .map([
                    Entry(
                        key: "every_steps", value: .bare("\(job.evaluation.everySteps)"),
                        comment: "and after the last step"),
                    Entry(
                        key: "sequences", value: .bare("\(job.evaluation.sequences)"),
                        comment: "held-out sequences of one"),
                ])),
            Entry(key: "target", value: Self.target(job.target), comment: "the quality that ends the run early"),
            Entry(
                key: "checkpoints",
                value: .map([
                    Entry(
                        key: "every_steps", value: job.checkpoints.everySteps.map { .bare("\($0)") } ?? .none,
                        comment: "none: one at the end"),
                    Entry(
                        key: "keep_last", value: .bare("\(job.checkpoints.keepLast)"), comment: "of the newest"),
                    Entry(
                        key: "keep_best", value: job.checkpoints.keepBest.map { .bare($0.rawValue) } ?? .none,
                        comment: "the best too: none, mlm_accuracy or mlm_loss"),
                ])),
        ]
        entries =
            dense + (job.sparsity.map { [Self.sparsity($0)] } ?? [])
            + (job.compression.map { [Self.compression($0)] } ?? [])
    }

    private static func model(_ model: ModelShape, named: Bool) -> Value {
        if named, let name = model.name, ModelShape.named(name) == model { return .text(name) }
        let shape = [
            Entry(key: "layers", value: .bare("\(model.layers)")),
            Entry(key: "hidden", value: .bare("\(model.hidden)")),
            Entry(key: "heads", value: .bare("\(model.heads)")),
            Entry(key: "intermediate", value: .bare("\(model.intermediate)")),
            Entry(key: "positions", value: .bare("\(model.positions)")),
            Entry(key: "hidden_dropout", value: .bare("\(model.hiddenDropout)")),
            Entry(key: "attention_dropout", value: .bare("\(model.attentionDropout)")),
        ]
        // The usual one is left out, so that its jobs' texts are what they were before there was a choice.
        let activation = [Entry(key: "activation", value: .bare(model.activation.rawValue))]
        return .map(shape + (model.activation == .gelu ? [] : activation))
    }

    private static func corpus(_ corpus: CorpusSource) -> Value {
        switch corpus {
        case .text(let corpus): text(corpus)
        case .built(let corpus):
            .map([
                Entry(
                    key: "built", value: .text(corpus.directory),
                    comment: "a folder that 'wafermark corpus build' filled"),
                Entry(key: "digest", value: .text(corpus.digest), comment: "of its dataset"),
                Entry(key: "vocabulary", value: .bare("\(corpus.vocabularySize)"), comment: "WordPiece entries"),
                Entry(key: "held_out", value: .bare("\(corpus.heldOut)"), comment: "share kept for evaluation"),
            ])
        }
    }

    private static func text(_ corpus: TextCorpus) -> Value {
        var entries: [Entry] = []
        switch corpus.text {
        case .files(let paths):
            entries.append(Entry(key: "text", value: .list(paths.map { .text($0) })))
        case .synthetic(let documents, let seed):
            entries.append(
                Entry(
                    key: "synthetic",
                    value: .map([
                        Entry(key: "documents", value: .bare("\(documents)")),
                        Entry(key: "seed", value: .bare("\(seed)")),
                    ]), comment: "text that the package writes itself"))
        }
        switch corpus.vocabulary {
        case .trained(let size):
            entries.append(
                Entry(key: "vocabulary", value: .bare("\(size)"), comment: "WordPiece entries, trained on the text"))
        case .file(let path):
            entries.append(Entry(key: "vocabulary", value: .text(path)))
        }
        entries.append(
            Entry(key: "held_out", value: .bare("\(corpus.heldOut)"), comment: "share of documents kept for evaluation")
        )
        return .map(entries)
    }

    private static func phase(_ phase: Phase) -> Value {
        .map([
            Entry(key: "sequence", value: .bare("\(phase.sequence)"), comment: "tokens, padding included"),
            Entry(key: "masked_positions", value: .bare("\(phase.maskedPositions)"), comment: "at most, of a sequence"),
            Entry(key: "global_batch", value: .bare("\(phase.globalBatch)"), comment: "sequences of one step"),
            Entry(
                key: "micro_batch", value: .bare("\(phase.microBatch)"),
                comment: "sequences that a lane computes at once"),
            Entry(key: "steps", value: .bare("\(phase.steps)")),
            Entry(key: "learning_rate", value: .bare("\(phase.schedule.peak)"), comment: "at its peak"),
            Entry(key: "warmup_steps", value: .bare("\(phase.schedule.warmupSteps)")),
            Entry(key: "decay", value: .bare(phase.schedule.decay.rawValue)),
            Entry(key: "power", value: .bare("\(phase.schedule.power)"), comment: "of a polynomial decay"),
        ])
    }

    private static func optimizer(_ optimizer: OptimizerSettings) -> Value {
        .map([
            Entry(key: "kind", value: .bare(optimizer.kind.rawValue)),
            Entry(key: "beta1", value: .bare("\(optimizer.beta1)")),
            Entry(key: "beta2", value: .bare("\(optimizer.beta2)")),
            Entry(key: "epsilon", value: .bare("\(optimizer.epsilon)")),
            Entry(key: "weight_decay", value: .bare("\(optimizer.weightDecay)")),
            Entry(key: "clip_norm", value: optimizer.clipNorm.map { .bare("\($0)") } ?? .none),
        ])
    }

    private static func target(_ target: Target?) -> Value {
        guard let target else { return .none }
        let quality: Entry
        switch target.quality {
        case .maskedAccuracy(let share): quality = Entry(key: "mlm_accuracy", value: .bare("\(share)"))
        case .maskedLoss(let nats): quality = Entry(key: "mlm_loss", value: .bare("\(nats)"))
        }
        return .map([
            quality, Entry(key: "consecutive", value: .bare("\(target.consecutive)"), comment: "evaluations in a row"),
        ])
    }

    // MARK: - Printing

    /// The tree as one line of JSON, always with the same keys in the same order.
    var json: String { Self.json(.map(entries)) }

    private static func json(_ value: Value) -> String {
        switch value {
        case .bare(let word): isNumberOrFlag(word) ? word : escaped(word)
        case .text(let text): escaped(text)
        case .none: "null"
        case .list(let items): "[" + items.map(json).joined(separator: ",") + "]"
        case .map(let entries):
            "{" + entries.map { escaped($0.key) + ":" + json($0.value) }.joined(separator: ",") + "}"
        }
    }

    /// The tree as commented YAML.
    var yaml: String {
        var lines: [String] = []
        Self.yaml(entries, indent: "", first: "", into: &lines)
        return lines.joined(separator: "\n") + "\n"
    }

    private static func yaml(_ entries: [Entry], indent: String, first: String, into lines: inout [String]) {
        for (index, entry) in entries.enumerated() {
            let start = (index == 0 && !first.isEmpty ? first : indent) + entry.key + ":"
            let comment = entry.comment.map { "  # " + $0 } ?? ""
            switch entry.value {
            case .bare(let word): lines.append(start + " " + word + comment)
            case .text(let text): lines.append(start + " " + spelled(text) + comment)
            case .none: lines.append(start + " none" + comment)
            case .map(let inner):
                lines.append(start + comment)
                yaml(inner, indent: indent + "  ", first: "", into: &lines)
            case .list(let items):
                lines.append(start + comment)
                for item in items {
                    switch item {
                    case .map(let inner): yaml(inner, indent: indent + "    ", first: indent + "  - ", into: &lines)
                    case .bare(let word): lines.append(indent + "  - " + word)
                    case .text(let text): lines.append(indent + "  - " + spelled(text))
                    case .none, .list: lines.append(indent + "  - none")
                    }
                }
            }
        }
    }

    /// `text` plain where YAML takes it for the same text, else in double quotes.
    private static func spelled(_ text: String) -> String {
        let plain = text.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0))
        }
        let startsWithLetter = text.unicodeScalars.first.map { $0.isASCII && $0.properties.isAlphabetic } ?? false
        return plain && startsWithLetter && !["none", "null", "true", "false"].contains(text.lowercased())
            ? text : escaped(text)
    }

    private static func isNumberOrFlag(_ word: String) -> Bool {
        Double(word) != nil || word == "true" || word == "false"
    }

    /// `text` in double quotes, escaped so that JSON and YAML both read it back.
    private static func escaped(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar.value {
            case 0x22: result += "\\\""
            case 0x5C: result += "\\\\"
            case 0x20...0x7E, 0xA0...0x2027, 0x202A...0xFEFE, 0xFF00...0xFFFD, 0x10000...:
                result.unicodeScalars.append(scalar)
            default:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            }
        }
        return result + "\""
    }
}
