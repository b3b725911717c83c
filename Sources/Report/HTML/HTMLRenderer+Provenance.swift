extension HTMLRenderer {
    /// What was trained, on what text, on which machine.
    func jobSection(in page: inout Markup) {
        section("job", "Job and machine", in: &page) { page in
            page.raw("<div class=\"facts\">\n")
            facts("Job", jobFacts, in: &page)
            facts("Text", textFacts, in: &page)
            machineFacts(in: &page)
            page.raw("</div>\n")
        }
    }

    private typealias Fact = (name: String, value: Phrase)

    private func facts(_ title: String, _ facts: [Fact], in page: inout Markup) {
        page.raw("<div class=\"fact-group\">")
        page.element("h3", title)
        page.raw("<dl>")
        for fact in facts {
            page.raw("<div>")
            page.element("dt", fact.name)
            page.element("dd", fact.value)
            page.raw("</div>")
        }
        page.raw("</dl></div>\n")
    }

    private var jobFacts: [Fact] {
        let job = report.job
        func count(_ value: Int?, _ key: String) -> Phrase { "\(value.map(Double.init), .count, "/job/\(key)")" }
        var facts: [Fact] = [
            ("Job", "\(job.name)"),
            (
                "Model",
                """
                BERT \(job.modelName ?? "of its own shape"): \(phrase: count(job.layers, "layers")) layers, \
                width \(phrase: count(job.hidden, "hidden")), \(phrase: count(job.heads, "heads")) heads
                """
            ),
            ("Parameters", count(job.parameters, "parameters")),
        ]
        for (index, phase) in job.phases.enumerated() {
            let key = "/job/phases/\(index)"
            facts.append(
                (
                    job.phases.count == 1 ? "Schedule" : "Phase \(index + 1)",
                    """
                    \(Double(phase.steps), .count, key + "/steps") steps of \
                    \(Double(phase.globalBatchSequences), .count, key + "/global_batch_sequences") sequences of \
                    \(Double(phase.sequenceTokens), .count, key + "/sequence_tokens") tokens; learning rate to \
                    \(phase.peakLearningRate, .significant, key + "/peak_learning_rate"), \
                    \(Double(phase.warmupSteps), .count, key + "/warmup_steps") steps of warm-up, then \
                    \(phase.decay)
                    """
                ))
        }
        facts.append(
            (
                "Optimizer",
                """
                \(job.optimizer == "lamb" ? "LAMB" : "AdamW"), weight decay \
                \(job.weightDecay, .significant, "/job/weight_decay"), gradient norm clipped at \
                \(job.clipNorm, .significant, "/job/clip_norm")
                """
            ))
        facts.append(("Lanes", count(job.lanes, "lanes")))
        facts.append(("Seed", "\(String(job.seed))"))
        facts.append(("Target", job.target.map(\.phrase) ?? "none: all steps are made"))
        return facts
    }

    private var textFacts: [Fact] {
        let job = report.job
        var facts: [Fact] = []
        if job.text == "synthetic" {
            facts.append(("Source", "synthetic abstracts, written by Wafermark"))
        } else {
            facts.append(("Source", "\(job.textFiles.joined(separator: ", "))"))
        }
        if let index = report.runs.firstIndex(where: { $0.corpus != nil }), let corpus = report.runs[index].corpus {
            let key = "/runs/\(index)/corpus"
            facts += [
                (
                    "Training",
                    """
                    \(Double(corpus.trainingDocuments), .count, key + "/training_documents") documents, \
                    \(Double(corpus.trainingTokens), .count, key + "/training_tokens") tokens
                    """
                ),
                ("Held out", "\(Double(corpus.heldOutDocuments), .count, key + "/held_out_documents") documents"),
                ("Vocabulary", "\(Double(corpus.vocabularySize), .count, key + "/vocabulary_size") WordPieces"),
                ("Digest", "\(String(corpus.digest.prefix(16)))"),
            ]
        }
        facts.append(("Masked", "\(job.maskedShare, .share, "/job/masked_share") of tokens"))
        facts.append(
            (
                "Evaluation",
                """
                \(Double(job.evaluationSequences), .count, "/job/evaluation_sequences") held-out sequences \
                every \(Double(job.evaluationEverySteps), .count, "/job/evaluation_every_steps") steps
                """
            ))
        return facts
    }

    private func machineFacts(in page: inout Markup) {
        var seen: Set<MachineFigures> = []
        for (index, run) in report.runs.enumerated() {
            guard let machine = run.machine, seen.insert(machine).inserted else { continue }
            let key = "/runs/\(index)/machine"
            facts(
                seen.count == 1 ? "Machine" : "Machine of \(run.label)",
                [
                    ("Processor", "\(machine.processor)"),
                    ("Cores", "\(Double(machine.cores), .count, key + "/cores")"),
                    ("Memory", "\(Double(machine.memoryBytes), .bytes, key + "/memory_bytes")"),
                    ("Instructions", "\(machine.instructionSet)"),
                    ("System", "\(machine.operatingSystem)"),
                    ("oneDNN", "\(machine.onednnVersion)"),
                    ("ZeroMQ", "\(machine.zeromqVersion)"),
                    ("Wafermark", "\(machine.wafermarkVersion)"),
                ], in: &page)
        }
    }

    /// How to do it again.
    func reproductionSection(in page: inout Markup) {
        section("reproduce", "Do it again", in: &page) { page in
            page.element(
                "p",
                """
                The same job gives the same losses and weights, to the bit, on every machine that uses the same \
                kernels. 
                """
                    + "Times will differ.")
            page.raw("<pre tabindex=\"0\" role=\"region\" aria-label=\"Commands\"><code>")
            page.escaped(report.reproduction.commands.joined(separator: "\n"))
            page.raw("</code></pre>\n")
            if let jobFile = report.jobFile {
                page.element("h3", "job.yaml")
                page.raw("<pre tabindex=\"0\" role=\"region\" aria-label=\"The job file\"><code>")
                page.escaped(jobFile)
                page.raw("</code></pre>\n")
            }
            table("Runs of this report", class: "compact", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col">Run</th><th scope="col">Id</th><th scope="col">State</th><th \
                    scope="col">Submitted</th></tr></thead>\n<tbody>\n
                    """
                )
                for run in report.runs {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(run.label)
                    page.raw("</th><td>")
                    page.element("code", run.runId)
                    page.raw("</td><td>")
                    page.escaped(run.state)
                    page.raw("</td><td>")
                    time(run.submitted, in: &page)
                    page.raw("</td></tr>\n")
                }
                page.raw("</tbody>\n")
            }
        }
    }

    /// How the figures were obtained.
    func methodSection(in page: inout Markup) {
        section("method", "How the figures were obtained", in: &page) { page in
            page.raw("<dl class=\"method\">")
            for (name, text) in Self.method {
                page.element("dt", name)
                page.element("dd", text)
            }
            page.raw("</dl>\n")
        }
    }

    private static let method: [(String, String)] = [
        (
            "Host clock",
            """
            Wall time on the machine named above, by its monotonic clock. A step lasts from its start to its \
            end on the first worker, 
            """
                + "which waits for the slowest before it can apply the gradient; each worker’s parts are on its own "
                + "clock. Training time runs from the start of the first step to the end of the last, "
                + "evaluations included; preparing the text and starting the workers are not in it."
        ),
        (
            "Rates",
            """
            Sequences, or tokens without padding, of all steps, divided by the sum of the steps’ host times. \
            Evaluations 
            """
                + "are left out."
        ),
        (
            "Parts of a step",
            """
            Each worker times its own step. Communication is counted only while the worker had nothing else \
            left to do; 
            """
                + "what hides behind the backward pass counts as compute. The parts are means, so that they add up."
        ),
        (
            "Interval and significance",
            """
            A moving-block bootstrap: blocks of consecutive steps are drawn anew from each run (2,000 times, \
            seeded by 
            """
                + """
                the job), because steps that follow each other are slow or fast together; time between steps is \
                kept. 
                """
                + "The interval holds 95 % of the ratios so made. Where it includes one, or where the ratio is within "
                    + """
                    1 % of one, the report says “no significant difference”. It is made from one run each and can’t \
                    show 
                    """
                + "what differs between runs."
        ),
        (
            "What would help",
            """
            Each remedy’s step is computed anew, by a replay or from the measured parts of the steps, as the table says; so             it is on the modelled clock. An infinite network is what is left without any exchange; the other changes of the             exchange can’t gain more.
            """
        ),
        (
            "Critical path",
            """
            Workers report how long each part of a step took, not when it began. The parts are laid out in the order in             which a worker makes them; from the end of the last worker’s step the path leads back through its exchange to             the worker that had computed last.
            """
        ),
        (
            "Accuracy and baseline",
            "The share of masked tokens of held-out documents that the model predicts right, dropout off. The baseline "
                + "always guesses the most frequent token of the training text."
        ),
        (
            "Bit-identity",
            "The 64 bits of the loss of every step, and SHA-256 over all weights with their names and shapes."
        ),
    ]
}
