import Corpus
import Jobs

/// What a corpus folder holds, as text.
struct CorpusText {
    private let style: OutputStyle
    /// The lines.
    private(set) var lines: [String] = []

    /// Columns of a bar of a histogram.
    private static let barWidth = 36

    /// The text of `summary` in a style.
    init(summary: CorpusSummary, style: OutputStyle) {
        self.style = style
        lines.append(summary.directory)
        let text = summary.text
        add(
            "text",
            "\(Figures.plural(text.documents, "document")), \(Figures.plural(text.sentences, "sentence")), "
                + "\(Figures.bytes(text.textBytes)) of \(Figures.plural(text.sources, "file"))"
                + (text.isComplete ? "" : "; the import isn't finished"))
        if let vocabulary = summary.vocabulary {
            add(
                "vocabulary",
                Figures.count(vocabulary.entries) + " entries, "
                    + (vocabulary.isLearnedHere ? "learned from this text" : "brought from elsewhere"))
        } else {
            add("vocabulary", "none yet: 'wafermark corpus vocabulary' learns one")
        }
        if let shards = summary.unfinishedShards {
            add("unfinished", "\(Figures.plural(shards, "shard")) of a build that hasn't come to its end")
        }
        guard let dataset = summary.dataset else {
            add("dataset", "none yet: 'wafermark corpus build' makes one")
            return
        }
        add(dataset)
    }

    private mutating func add(_ name: String, _ value: String) { lines.append("  \(name.padded(to: 11)) \(value)") }

    private mutating func add(_ dataset: CorpusSummary.Built) {
        let settings = dataset.settings
        add(
            "dataset",
            "\(dataset.digest.prefix(16)), \(Figures.bytes(dataset.bytes)) in \(Figures.plural(dataset.shards, "shard"))"
        )
        add(
            "split",
            "\(Figures.short(100 * settings.heldOut)) % of documents held out, seed \(settings.seed)")
        let examples = settings.examples
        let kind = examples.masking.rawValue.replacing("_", with: " ")
        add(
            "masks",
            "\(Figures.short(100 * examples.maskedShare)) % by \(kind), "
                + (examples.staticMasks.map { "\($0) fixed for each example" } ?? "drawn anew each epoch"))
        add("pairs", examples.nextSentence ? "for next-sentence prediction" : "none: single segments")
        if let reason = dataset.staleness { add("stale", reason + ": build again") }
        lines.append("")
        addCounts(dataset.sides)
        if let training = dataset.sides.first { addHistograms(training) }
    }

    private mutating func addCounts(_ sides: [CorpusSummary.Side]) {
        func row(_ name: String, _ value: (CorpusSummary.Side) -> String) {
            lines.append("  " + name.padded(to: 26) + sides.map { value($0).padded(before: 16) }.joined())
        }
        row("") { $0.split.words }
        row("documents") { Figures.count($0.counts.documents) }
        row("sentences") { Figures.count($0.counts.sentences) }
        row("tokens") { Figures.count($0.counts.tokens) }
        row("unknown tokens") { Figures.fixed(100 * $0.unknownShare, 3) + " %" }
        row("tokens of a document") { Figures.short($0.counts.documentLengths.mean) }
        row("tokens of a sentence") { Figures.short($0.counts.sentenceLengths.mean) }
        for (index, made) in (sides.first?.examples ?? []).enumerated() {
            row("examples of \(made.sequence) tokens") { Figures.count($0.examples[index].count) }
            row("  random pairs") {
                Figures.percent(Double($0.examples[index].randomPairs) / Double(max(1, $0.examples[index].count)))
            }
            row("  mean tokens, predicted") {
                Figures.fixed($0.examples[index].meanTokens, 1) + ", " + Figures.fixed($0.examples[index].meanMasked, 1)
            }
        }
    }

    private mutating func addHistograms(_ side: CorpusSummary.Side) {
        let lengths = side.counts.documentLengths
        lines.append("")
        lines.append(
            "  tokens of a training document: \(Figures.count(lengths.least)) to \(Figures.count(lengths.most))")
        let first = lengths.counts.firstIndex { $0 > 0 } ?? 0
        addBars(
            lengths.counts.enumerated().dropFirst(first).map { bucket, count in
                let range = lengths.range(ofBucket: bucket)
                return ("\(range.lowerBound)-\(range.upperBound)", count)
            })
        for made in side.examples where made.measured > 0 {
            lines.append("")
            lines.append(
                "  tokens of a training example of \(made.sequence)"
                    + (made.measured < made.count ? " (of \(Figures.count(made.measured)) evenly spread)" : ""))
            addBars(
                made.lengths.enumerated().map { eighth, count in
                    ("\(made.sequence * eighth / 8 + 1)-\(made.sequence * (eighth + 1) / 8)", count)
                })
        }
    }

    private mutating func addBars(_ rows: [(name: String, count: Int)]) {
        let most = max(1, rows.map(\.count).max() ?? 1)
        for row in rows {
            let cells = row.count * Self.barWidth / most
            let bar = String(repeating: style.glyphs.full, count: row.count > 0 ? max(1, cells) : 0)
            lines.append(
                "  \(row.name.padded(before: 15))  \(bar.padded(to: Self.barWidth)) \(Figures.count(row.count))")
        }
    }
}

extension String {
    /// Spaces up to `width` characters, followed by the text.
    func padded(before width: Int) -> String { String(repeating: " ", count: max(0, width - count)) + self }
}
