/// Reads a job from a YAML tree: names, types and required keys here, ranges and what must fit together in `JobRules`.
struct JobReader {
    let list = ProblemList()
    let directory: String
    let files: FileProbe

    /// A reader that finds files relative to `directory` with `files`.
    init(directory: String, files: FileProbe) {
        self.directory = directory
        self.files = files
    }

    /// The job that `root` describes, or everything that is wrong with it.
    func job(from root: JobNode) -> Result<Job, ProblemsFound> {
        let fields = Fields(
            root, path: "",
            known: [
                "name", "model", "corpus", "examples", "lanes", "seed", "phases", "optimizer", "evaluation", "target",
                "checkpoints", "sparsity", "compression",
            ], list: list)
        let name =
            fields.required("name", "letters, digits, '.', '-' and '_'")
            .flatMap { fields.text($0, key: "name", allowed: "letters, digits, '.', '-' and '_'") } ?? "job"
        let lanes: Int = fields.integer("lanes")
        let (corpus, dataset) = corpus(fields)
        let examples = examples(fields, like: dataset?.settings.examples ?? ExampleSettings())
        let phases = phases(fields, lanes: lanes, examples: examples)
        let job = Job(
            name: name, model: model(fields), corpus: corpus, examples: examples, lanes: lanes,
            seed: fields.integer("seed"), phases: phases, optimizer: optimizer(fields),
            evaluation: evaluation(fields, phases: phases), target: target(fields), checkpoints: checkpoints(fields),
            sparsity: sparsity(fields, phases: phases), compression: compression(fields))
        list.add(JobRules.violations(of: job))
        if let dataset { list.add(JobRules.violations(of: job, on: dataset)) }
        let problems = list.sorted()
        return problems.isEmpty ? .success(job) : .failure(ProblemsFound(problems: problems))
    }

    /// Everything wrong with a job.
    struct ProblemsFound: Error { let problems: [JobProblem] }

    // MARK: - Sections

    private func model(_ fields: Fields) -> ModelShape {
        let names = ModelShape.named.map(\.name)
        let allowed = "\(names.joined(separator: ", ")), or a mapping with layers, hidden and heads"
        let placeholder = ModelShape(layers: 2, hidden: 128, heads: 2)
        guard let node = fields.required("model", allowed) else { return placeholder }
        if case .scalar(let text, _, let line) = node {
            if let shape = ModelShape.named(text) { return shape }
            if text.isEmpty {
                list.add(JobProblem(line: line, key: "model", found: node.found, allowed: allowed))
            } else {
                list.add(.unknownName(text, of: names, line: line, key: "model"))
            }
            return placeholder
        }
        let model = Fields(
            node, path: "model",
            known: [
                "size", "layers", "hidden", "heads", "intermediate", "positions", "hidden_dropout",
                "attention_dropout", "activation",
            ], list: list)
        var base: ModelShape?
        if let size = model.node("size"),
            let text = model.text(size, key: "model.size", allowed: names.joined(separator: ", "))
        {
            base = ModelShape.named(text)
            if base == nil {
                list.add(.unknownName(text, of: names, line: size.line, key: "model.size"))
                base = placeholder
            }
        }
        let hidden: Int = model.integer("hidden", default: base?.hidden)
        // The convention; clamped because a width out of range is refused only later, by the rules.
        let feedForward = 4 * min(max(hidden, 1), 32_768)
        return ModelShape(
            layers: model.integer("layers", default: base?.layers), hidden: hidden,
            heads: model.integer("heads", default: base?.heads),
            intermediate: model.integer("intermediate", default: feedForward),
            positions: model.integer("positions", default: base?.positions ?? 512),
            hiddenDropout: model.number("hidden_dropout", default: base?.hiddenDropout ?? 0.1),
            attentionDropout: model.number("attention_dropout", default: base?.attentionDropout ?? 0.1),
            activation: model.choice("activation", default: base?.activation ?? .gelu))
    }

    private func examples(_ fields: Fields, like usual: ExampleSettings) -> ExampleSettings {
        guard let node = fields.node("examples") else { return usual }
        let examples = Fields(
            node, path: "examples",
            known: ["masked_share", "masking", "static_masks", "short_sequence_share", "next_sentence"], list: list)
        return ExampleSettings(
            maskedShare: examples.number("masked_share", default: usual.maskedShare),
            masking: examples.choice("masking", default: usual.masking),
            staticMasks: examples.optionalInteger("static_masks", default: usual.staticMasks),
            shortSequenceShare: examples.number("short_sequence_share", default: usual.shortSequenceShare),
            nextSentence: examples.flag("next_sentence", default: usual.nextSentence))
    }

    private func phases(_ fields: Fields, lanes: Int, examples: ExampleSettings) -> [Phase] {
        let allowed = "a list of phases, each with sequence, global_batch, steps and learning_rate"
        guard let node = fields.required("phases", allowed) else { return [] }
        guard case .sequence(let items, _) = node else {
            list.add(JobProblem(line: node.line, key: "phases", found: node.found, allowed: allowed))
            return []
        }
        return items.prefix(JobRules.phaseLimit + 1).enumerated().map { index, item in
            list.mark("phases[\(index)]", line: item.line)
            let phase = Fields(
                item, path: "phases[\(index)]",
                known: [
                    "sequence", "masked_positions", "global_batch", "micro_batch", "steps", "learning_rate",
                    "warmup_steps", "decay", "power",
                ], list: list)
            let sequence: Int = phase.integer("sequence")
            let globalBatch: Int = phase.integer("global_batch")
            let masked = examples.maskedPositions(ofSequence: sequence)
            return Phase(
                sequence: sequence, maskedPositions: phase.integer("masked_positions", default: masked),
                globalBatch: globalBatch,
                microBatch: phase.integer("micro_batch", default: lanes > 0 ? max(1, globalBatch / lanes) : 1),
                steps: phase.integer("steps"),
                schedule: Schedule(
                    peak: phase.number("learning_rate"), warmupSteps: phase.integer("warmup_steps", default: 0),
                    decay: phase.choice("decay", default: .linear), power: phase.number("power", default: 1)))
        }
    }

    private func optimizer(_ fields: Fields) -> OptimizerSettings {
        let usual = OptimizerSettings(kind: .adamw)
        guard let node = fields.node("optimizer") else { return usual }
        if case .scalar = node { return OptimizerSettings(kind: fields.choice(node, key: "optimizer") ?? usual.kind) }
        let optimizer = Fields(
            node, path: "optimizer", known: ["kind", "beta1", "beta2", "epsilon", "weight_decay", "clip_norm"],
            list: list)
        return OptimizerSettings(
            kind: optimizer.choice("kind", default: usual.kind), beta1: optimizer.number("beta1", default: usual.beta1),
            beta2: optimizer.number("beta2", default: usual.beta2),
            epsilon: optimizer.number("epsilon", default: usual.epsilon),
            weightDecay: optimizer.number("weight_decay", default: usual.weightDecay),
            clipNorm: optimizer.optionalNumber("clip_norm", default: usual.clipNorm))
    }

    private func evaluation(_ fields: Fields, phases: [Phase]) -> EvaluationSettings {
        // Twenty points draw a curve.
        let steps = phases.reduce(0) { $0 &+ min(max($1.steps, 0), JobRules.stepLimit) }
        let usual = EvaluationSettings(everySteps: max(1, steps / 20), sequences: 256)
        guard let node = fields.node("evaluation") else { return usual }
        let evaluation = Fields(node, path: "evaluation", known: ["every_steps", "sequences"], list: list)
        return EvaluationSettings(
            everySteps: evaluation.integer("every_steps", default: usual.everySteps),
            sequences: evaluation.integer("sequences", default: usual.sequences))
    }

    private func target(_ fields: Fields) -> Target? {
        guard let node = fields.node("target"), !Fields.isNone(node) else { return nil }
        let target = Fields(node, path: "target", known: ["mlm_accuracy", "mlm_loss", "consecutive"], list: list)
        guard case .mapping = node else { return nil }
        let quality: Target.Quality
        switch (target.node("mlm_accuracy"), target.node("mlm_loss")) {
        case (.some, nil): quality = .maskedAccuracy(target.number("mlm_accuracy"))
        case (nil, .some): quality = .maskedLoss(target.number("mlm_loss"))
        case (.some, .some), (nil, nil):
            let both = target.node("mlm_loss") != nil
            list.add(
                JobProblem(
                    line: node.line, key: "target", found: both ? "both 'mlm_accuracy' and 'mlm_loss'" : "no quality",
                    allowed: "one of 'mlm_accuracy' (a share) and 'mlm_loss' (nats)"))
            return nil
        }
        return Target(quality: quality, consecutive: target.integer("consecutive", default: 1))
    }

    private func checkpoints(_ fields: Fields) -> CheckpointSettings {
        guard let node = fields.node("checkpoints") else { return CheckpointSettings() }
        let checkpoints = Fields(
            node, path: "checkpoints", known: ["every_steps", "keep_last", "keep_best"], list: list)
        return CheckpointSettings(
            everySteps: checkpoints.optionalInteger("every_steps", default: nil),
            keepLast: checkpoints.integer("keep_last", default: 2), keepBest: checkpoints.optionalChoice("keep_best"))
    }
}
