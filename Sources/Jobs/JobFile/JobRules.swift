/// What makes a job's values possible: ranges, and what must fit together.
///
/// The rules work on values, so they hold for a job however it arrived: from a file, or over the wire.
enum JobRules {
    /// The most phases of a job.
    static let phaseLimit = 32
    /// The most optimizer steps of a job.
    static let batchLimit = 16_777_216
    static let stepLimit = 1_000_000_000

    /// The most masked forms of an example.
    static let staticMaskLimit = 10_000

    /// A value, or several that do not fit together.
    struct Violation {
        /// The keys concerned; the first is the one to change.
        var keys: [String]
        var found: String
        var allowed: String
    }

    /// Everything impossible about `job`; empty for a valid job.
    static func violations(of job: Job) -> [Violation] {
        var check = Check()
        name(job.name, &check)
        model(job.model, &check)
        corpus(job.corpus, &check)
        check.within("examples.masked_share", job.examples.maskedShare, 0.01...0.9)
        if let masks = job.examples.staticMasks { check.within("examples.static_masks", masks, 1...staticMaskLimit) }
        check.within("examples.short_sequence_share", job.examples.shortSequenceShare, 0...1)
        check.within("lanes", job.lanes, 1...4096)
        phases(of: job, &check)
        optimizer(job.optimizer, &check)
        check.within("evaluation.every_steps", job.evaluation.everySteps, 1...stepLimit)
        check.within("evaluation.sequences", job.evaluation.sequences, 1...1_000_000)
        if let target = job.target {
            switch target.quality {
            case .maskedAccuracy(let share): check.above("target.mlm_accuracy", share, 0, upTo: 1)
            case .maskedLoss(let nats): check.above("target.mlm_loss", nats, 0, upTo: 100)
            }
            check.within("target.consecutive", target.consecutive, 1...1000)
        }
        if let steps = job.checkpoints.everySteps { check.within("checkpoints.every_steps", steps, 1...stepLimit) }
        check.within("checkpoints.keep_last", job.checkpoints.keepLast, 1...1000)
        if let sparsity = job.sparsity { self.sparsity(sparsity, of: job, &check) }
        if case .topK(let settings) = job.compression {
            check.within("compression.density", settings.density, 0.0001...0.5)
            check.within("compression.flush_every", settings.flushEvery, 1...stepLimit)
        }
        return check.violations
    }

    private static func name(_ name: String, _ check: inout Check) {
        let taken = name.unicodeScalars.allSatisfy {
            $0.isASCII && ($0.properties.isAlphabetic || ("0"..."9").contains($0) || "._-".unicodeScalars.contains($0))
        }
        // A name becomes part of file names.
        if !taken || !(1...64).contains(name.unicodeScalars.count) || name.hasPrefix(".") || name.hasPrefix("-") {
            check.add(
                ["name"], found: PrintableText.quoted(name),
                allowed: "1 to 64 letters, digits, '.', '-' and '_', not starting with '.' or '-'")
        }
    }

    private static func model(_ model: ModelShape, _ check: inout Check) {
        check.within("model.layers", model.layers, 1...256)
        check.within("model.hidden", model.hidden, 16...8192)
        check.within("model.heads", model.heads, 1...1024)
        check.within("model.intermediate", model.intermediate, 16...131_072)
        check.within("model.positions", model.positions, 8...8192)
        check.within("model.hidden_dropout", model.hiddenDropout, 0...0.9)
        check.within("model.attention_dropout", model.attentionDropout, 0...0.9)
        if model.heads > 0, model.hidden % model.heads != 0 {
            check.add(
                ["model.hidden", "model.heads"], found: "\(model.hidden)",
                allowed: "a multiple of heads (\(model.heads))")
        } else if model.hidden % 16 != 0 {
            // The kernels' rows are whole vectors.
            check.add(["model.hidden"], found: "\(model.hidden)", allowed: "a multiple of 16")
        }
        if model.intermediate % 16 != 0, model.intermediate / 4 != model.hidden {
            check.add(["model.intermediate"], found: "\(model.intermediate)", allowed: "a multiple of 16")
        }
    }

    private static func corpus(_ corpus: CorpusSource, _ check: inout Check) {
        check.above("corpus.held_out", corpus.heldOut, 0, upTo: 0.5)
        switch corpus {
        case .text(let corpus): text(corpus, &check)
        case .built(let corpus): built(corpus, &check)
        }
    }

    private static func text(_ corpus: TextCorpus, _ check: inout Check) {
        switch corpus.text {
        case .files(let paths):
            if !(1...10_000).contains(paths.count) {
                check.add(["corpus.text"], found: "\(paths.count) files", allowed: "1 to 10000 files")
            }
            for path in paths.prefix(10_000) where !isPath(path) {
                check.add(["corpus.text"], found: PrintableText.quoted(path), allowed: "an absolute path without NUL")
            }
        case .synthetic(let documents, _):
            check.within("corpus.synthetic.documents", documents, 10...10_000_000)
        }
        switch corpus.vocabulary {
        case .trained(let size):
            check.within("corpus.vocabulary", size, 64...1_000_000)
        case .file(let path):
            if !isPath(path) {
                check.add(
                    ["corpus.vocabulary"], found: PrintableText.quoted(path), allowed: "an absolute path without NUL")
            }
        }
    }

    private static func built(_ corpus: BuiltCorpus, _ check: inout Check) {
        if !isPath(corpus.directory) {
            check.add(
                ["corpus.built"], found: PrintableText.quoted(corpus.directory), allowed: "an absolute path without NUL"
            )
        }
        let isDigit = { (byte: UInt8) in "0123456789abcdef".utf8.contains(byte) }
        if corpus.digest.utf8.count != 64 || !corpus.digest.utf8.allSatisfy(isDigit) {
            check.add(
                ["corpus.digest"], found: PrintableText.quoted(corpus.digest),
                allowed: "64 lower-case hexadecimal digits")
        }
        check.within("corpus.vocabulary", corpus.vocabularySize, 6...(1 << 22))
    }

    private static func isPath(_ path: String) -> Bool { path.hasPrefix("/") && !path.utf8.contains(0) }

    private static func phases(of job: Job, _ check: inout Check) {
        if !(1...phaseLimit).contains(job.phases.count) {
            check.add(["phases"], found: "\(job.phases.count) phases", allowed: "1 to \(phaseLimit) phases")
        }
        var steps = 0
        for (index, phase) in job.phases.prefix(phaseLimit).enumerated() {
            self.phase(phase, "phases[\(index)]", job, &check)
            steps += min(max(0, phase.steps), stepLimit)
        }
        if steps > stepLimit, job.phases.allSatisfy({ $0.steps <= stepLimit }) {
            check.add(["phases"], found: "\(steps) steps in all", allowed: "at most \(stepLimit)")
        }
    }

    private static func phase(_ phase: Phase, _ path: String, _ job: Job, _ check: inout Check) {
        // [CLS] a [SEP] b [SEP], with something to predict.
        check.within("\(path).sequence", phase.sequence, 8...8192)
        if phase.sequence > job.model.positions {
            check.add(
                ["\(path).sequence", "model.positions"], found: "\(phase.sequence)",
                allowed: "at most the model's positions (\(job.model.positions))")
        }
        check.within("\(path).masked_positions", phase.maskedPositions, 1...8192)
        if phase.maskedPositions >= phase.sequence {
            check.add(
                ["\(path).masked_positions", "\(path).sequence"], found: "\(phase.maskedPositions)",
                allowed: "fewer than the sequence (\(phase.sequence))")
        }
        check.within("\(path).global_batch", phase.globalBatch, 1...batchLimit)
        if job.lanes > 0, phase.globalBatch > 0, phase.globalBatch % job.lanes != 0 {
            check.add(
                ["\(path).global_batch", "lanes"], found: "\(phase.globalBatch)",
                allowed: "a multiple of lanes (\(job.lanes))")
        }
        check.within("\(path).micro_batch", phase.microBatch, 1...65_536)
        if job.lanes > 0, phase.globalBatch > 0, phase.globalBatch % job.lanes == 0,
            phase.microBatch > phase.globalBatch / job.lanes
        {
            check.add(
                ["\(path).micro_batch", "\(path).global_batch", "lanes"], found: "\(phase.microBatch)",
                allowed: "at most a lane's share of the global batch (\(phase.globalBatch / job.lanes))")
        }
        check.within("\(path).steps", phase.steps, 1...stepLimit)
        check.above("\(path).learning_rate", phase.schedule.peak, 0, upTo: 10)
        check.within("\(path).warmup_steps", phase.schedule.warmupSteps, 0...stepLimit)
        if phase.schedule.warmupSteps > phase.steps {
            check.add(
                ["\(path).warmup_steps", "\(path).steps"], found: "\(phase.schedule.warmupSteps)",
                allowed: "at most the phase's steps (\(phase.steps))")
        }
        check.above("\(path).power", phase.schedule.power, 0, upTo: 16)
    }

    private static func optimizer(_ optimizer: OptimizerSettings, _ check: inout Check) {
        check.below("optimizer.beta1", optimizer.beta1, 1, from: 0)
        check.below("optimizer.beta2", optimizer.beta2, 1, from: 0)
        check.above("optimizer.epsilon", optimizer.epsilon, 0, upTo: 1)
        check.within("optimizer.weight_decay", optimizer.weightDecay, 0...10)
        if let norm = optimizer.clipNorm { check.above("optimizer.clip_norm", norm, 0, upTo: 1_000_000) }
    }

    /// Collects violations. Comparisons are written so that a NaN fails them.
    struct Check {
        var violations: [Violation] = []

        mutating func add(_ keys: [String], found: String, allowed: String) {
            violations.append(Violation(keys: keys, found: found, allowed: allowed))
        }

        mutating func within<Value: Comparable>(_ key: String, _ value: Value, _ range: ClosedRange<Value>) {
            if !range.contains(value) {
                add([key], found: "\(value)", allowed: "\(range.lowerBound) to \(range.upperBound)")
            }
        }

        mutating func above<Value: BinaryFloatingPoint>(_ key: String, _ value: Value, _ low: Value, upTo high: Value) {
            if !(value > low && value <= high) { add([key], found: "\(value)", allowed: "above \(low), up to \(high)") }
        }

        mutating func below<Value: BinaryFloatingPoint>(_ key: String, _ value: Value, _ high: Value, from low: Value) {
            if !(value >= low && value < high) { add([key], found: "\(value)", allowed: "\(low) to below \(high)") }
        }
    }
}
