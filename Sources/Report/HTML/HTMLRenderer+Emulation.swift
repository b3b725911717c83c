extension HTMLRenderer {
    /// Whether any run stood for a machine.
    var hasEmulation: Bool { report.runs.contains { $0.emulation != nil } }

    /// What emulated runs took on the emulated clock, and what their links carried.
    func emulationSection(in page: inout Markup) {
        guard hasEmulation else { return }
        section("emulation", "On the emulated machine", in: &page) { page in
            page.element(
                "p", class: "quiet",
                """
                Emulated clock: wall time measured while devices and links were slowed by one factor, divided by that \
                factor. The workers really computed and really sent every byte.
                """
            )
            for (index, run) in report.runs.enumerated() {
                guard let emulation = run.emulation else { continue }
                page.element("h3", run.label)
                page.element("p", sentence(on: emulation, "/runs/\(index)/emulation"))
                if !emulation.links.isEmpty {
                    links(of: emulation, "/runs/\(index)/emulation/links", run.label, in: &page)
                }
            }
        }
    }

    private func sentence(on emulation: EmulationFigures, _ key: String) -> Phrase {
        var sentence: Phrase =
            """
            The machine’s clock ran \(emulation.dilation, .significant, key + "/dilation") times slower than the host’s
            """
        if let standsFor = emulation.standsFor { sentence = sentence + "; it stood for a network of size \(standsFor)" }
        if !emulation.faults.isEmpty { sentence = sentence + "; with \(emulation.faults.joined(separator: ", "))" }
        if emulation.isHostOverloaded {
            return sentence
                + """
                . INVALID: host overloaded: it fell behind in \(Double(emulation.lateSteps), .count, key + "/late_steps") of \
                \(Double(emulation.steps), .count, key + "/steps") steps, so their times mean nothing.
                """
        }
        guard emulation.stepMedianEmulatedSeconds != nil else { return sentence + ". No step was made on it." }
        return sentence
            + """
            . A step took \(emulation.stepMedianEmulatedSeconds, .duration, key + "/step_median_emulated_seconds") (median): \
            \(emulation.computeEmulatedSeconds, .duration, key + "/compute_emulated_seconds") of it computing, \
            \(emulation.exposedCommunicationEmulatedSeconds, .duration, key + "/exposed_communication_emulated_seconds") \
            exchanging gradients with nothing else left to do, \
            \(emulation.waitingEmulatedSeconds, .duration, key + "/waiting_emulated_seconds") waiting for others, \
            \(emulation.optimizerEmulatedSeconds, .duration, key + "/optimizer_emulated_seconds") updating. The host fell \
            behind in \(Double(emulation.lateSteps), .count, key + "/late_steps") of \
            \(Double(emulation.steps), .count, key + "/steps") steps, which are left out.
            """
    }

    /// Rows of the table; the JSON document has all.
    private static let mostEmulatedLinks = 16

    private func links(
        of emulation: EmulationFigures, _ key: String, _ name: String, in page: inout Markup
    ) {
        table("The busiest emulated links of \(name), emulated clock", class: "figures", in: &page) { page in
            page.raw("<thead><tr><th scope=\"col\">Link</th>")
            for title in ["A step", "At most a second", "Busy", "Deepest queue"] {
                page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for (number, link) in emulation.links.enumerated().prefix(Self.mostEmulatedLinks) {
                page.raw("<tr><th scope=\"row\">")
                page.escaped(link.name)
                page.raw("</th>")
                cells(
                    [
                        (link.bytesPerStep, .bytes, "bytes_per_step"),
                        (link.bytesPerEmulatedSecond, .bytes, "bytes_per_emulated_second"),
                        (link.utilisation, .share, "utilisation"),
                        (Double(link.deepestQueue), .count, "deepest_queue"),
                    ], "\(key)/\(number)", in: &page)
                page.raw("</tr>\n")
            }
            page.raw("</tbody>\n")
        }
    }
}
