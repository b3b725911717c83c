extension HTMLRenderer {
    /// Whether the runs gave the same bits.
    func identitySection(in page: inout Markup) {
        if report.identity.isEmpty { return }
        section("identity", "Are the bits the same?", in: &page) { page in
            for (index, check) in report.identity.enumerated() { verdict(check, index, in: &page) }
            table("SHA-256 of all weights", class: "compact digests", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col">Run</th><th scope="col">SHA-256 of all \
                    weights</th></tr></thead>\n<tbody>\n
                    """
                )
                for run in report.runs {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(run.label)
                    page.raw("</th><td>")
                    page.element("code", run.weightsDigest ?? "none: the run has no final weights")
                    if let words = run.exampleWords {
                        page.raw("<br>")
                        page.escaped("Examples: " + words)
                    }
                    page.raw("</td></tr>\n")
                }
                page.raw("</tbody>\n")
            }
        }
    }

    private func verdict(_ check: IdentityCheck, _ index: Int, in page: inout Markup) {
        let key = "/identity/\(index)"
        let names = "\(label(of: check.runId)) beside \(label(of: check.referenceRunId))"
        let compared: Phrase = "\(Double(check.stepsCompared), .count, key + "/steps_compared")"
        let equal: Phrase = "\(Double(check.stepsEqual), .count, key + "/steps_equal")"
        let (style, mark, word, text): (String, String, String, Phrase) =
            switch check.bitIdentical {
            case true:
                (
                    "good", "✓", "Bit-identical",
                    """
                    \(names): the losses of \(phrase: equal) of \(phrase: compared) steps are equal in all 64 \
                    bits, and so are the digests of the weights.
                    """
                )
            case false:
                (
                    "bad", "✗", "Not bit-identical",
                    difference(check, key: key, names: names, compared: compared, equal: equal)
                )
            case nil:
                (
                    "open", "–", "Not judged",
                    """
                    \(names): \(check.obstacle ?? "nothing to compare"). Of \(phrase: compared) steps that both \
                    have, \(phrase: equal) have equal losses.
                    """
                )
            }
        page.raw("<div class=\"verdict \(style)\"><span class=\"sign\" aria-hidden=\"true\">\(mark)</span><div>")
        page.element("h3", word)
        page.element("p", text)
        page.raw("</div></div>\n")
    }

    private func difference(_ check: IdentityCheck, key: String, names: String, compared: Phrase, equal: Phrase)
        -> Phrase
    {
        var text: Phrase = "\(names): \(phrase: equal) of \(phrase: compared) steps have equal losses"
        if let step = check.firstDifferingStep {
            text =
                text
                    + """
                    ; the first to differ is step \(Double(step), .count, key + "/first_differing_step"), with \
                    \(check.lossThereNats, .nats, key + "/loss_there_nats") beside \
                    \(check.referenceLossThereNats, .nats, key + "/reference_loss_there_nats") nats
                    """
        }
        return switch check.weightsEqual {
        case true: text + ". The digests of the weights are equal."
        case false: text + ". The digests of the weights differ."
        case nil: text + "."
        }
    }

    /// What the run of that id is called.
    func label(of runID: String) -> String { report.runs.first { $0.runId == runID }?.label ?? runID }

    /// What the performance model says of the machines that the backends stand for.
    func modelledSection(in page: inout Markup) {
        if report.modelled.isEmpty { return }
        section("modelled", "On the machines they stand for", in: &page) { page in
            page.element(
                "p", class: "lead", "Modelled clock: computed from a trace and a hardware profile, not measured.")
            table("Modelled times", class: "figures", in: &page) { page in
                page.raw(
                    """
                    <thead><tr><th scope="col">Machine</th><th scope="col" class="number">A step</th><th \
                    scope="col" class="number">Time to target</th></tr></thead>\n<tbody>\n
                    """
                )
                for (index, row) in report.modelled.enumerated() {
                    page.raw("<tr><th scope=\"row\">")
                    page.escaped(row.hardware)
                    page.raw(" ")
                    page.element("span", class: "meaning", "modelled clock; " + row.basis)
                    page.raw("</th><td class=\"number\">")
                    page.figure(row.stepModelledSeconds, .duration, "/modelled/\(index)/step_modelled_seconds")
                    page.raw("</td><td class=\"number\">")
                    page.figure(
                        row.timeToTargetModelledSeconds, .duration,
                        "/modelled/\(index)/time_to_target_modelled_seconds")
                    page.raw("</td></tr>\n")
                }
                page.raw("</tbody>\n")
            }
            for (index, row) in report.modelled.enumerated() {
                if let plan = row.floorPlan {
                    let title = "\(report.job.name), first phase, on \(row.hardware)"
                    page.raw("<figure class=\"wide\">\n" + FloorPlanPicture(plan, title: title).svg() + "\n</figure>\n")
                }
                if let table = row.sensitivity {
                    sensitivity(table, of: row.hardware, "/modelled/\(index)/sensitivity", in: &page)
                }
            }
        }
    }

    /// What happened, run by run.
    func eventsSection(in page: inout Markup) {
        section("events", "What happened", in: &page) { page in
            for (index, run) in report.runs.enumerated() {
                page.element("h3", run.label)
                if run.events.isEmpty {
                    page.element("p", "No event was recorded.")
                    continue
                }
                events(of: run, index, in: &page)
            }
        }
    }

    private func events(of run: RunFigures, _ index: Int, in page: inout Markup) {
        // The beginning and the end say most; the JSON document has all.
        let most = 60
        let shown = run.events.indices.filter { $0 < most / 2 || $0 >= run.events.count - most / 2 }
        table("Events of \(run.label); wall clock, since the run was started", class: "compact events", in: &page) {
            page in
            page.raw(
                """
                <thead><tr><th scope="col" class="number">Wall clock</th><th scope="col">What</th><th \
                scope="col">In words</th></tr></thead>\n<tbody>\n
                """
            )
            for number in shown {
                let event = run.events[number]
                if number > 0, !shown.contains(number - 1) {
                    page.raw("<tr><td></td><td></td><td class=\"quiet\">… more in the JSON document …</td></tr>\n")
                }
                page.raw("<tr><td class=\"number\">")
                page.figure(
                    event.sinceStartWallSeconds, .duration, "/runs/\(index)/events/\(number)/since_start_wall_seconds")
                page.raw("</td><td class=\"kind\">")
                page.escaped(event.kind.replacingOccurrences(of: "_", with: " "))
                page.raw("</td><td>")
                page.element("span", class: "free", event.message)
                page.raw("</td></tr>\n")
            }
            page.raw("</tbody>\n")
        }
    }
}
