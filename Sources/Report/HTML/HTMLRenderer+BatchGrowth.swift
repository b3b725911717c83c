extension HTMLRenderer {
    /// What growing the batch with the cluster gives, and until when.
    func growth(of scaling: ModelledScaling, _ key: String, in page: inout Markup) {
        guard let growth = scaling.growth else { return }
        let key = key + "/growth"
        page.element("p", growth.sentence(key, hardware: scaling.hardware))
        page.raw("<details><summary>By size, with a growing batch</summary>\n")
        table("\(scaling.hardware): the whole job with a growing batch, modelled clock", class: "compact", in: &page) {
            page in
            page.raw("<thead><tr>")
            for title in ["Devices", "Global batch", "Examples", "Time", "90 % from", "to"] {
                page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for (number, point) in growth.points.enumerated() {
                page.raw("<tr>")
                cells(
                    [
                        (Double(point.devices), .count, "devices"), (Double(point.globalBatch), .count, "global_batch"),
                        (point.examplesRatio, .ratio, "examples_ratio"),
                        (point.timeModelledSeconds, .duration, "time_modelled_seconds"),
                        (point.lowModelledSeconds, .duration, "low_modelled_seconds"),
                        (point.highModelledSeconds, .duration, "high_modelled_seconds"),
                    ], "\(key)/points/\(number)", in: &page)
                page.raw("</tr>\n")
            }
            page.raw("</tbody>\n")
        }
        page.raw("</details>\n")
    }
}

extension BatchGrowth {
    /// Where more devices stop paying because the batch passes the critical batch; `key` is its place in the document.
    func sentence(_ key: String, hardware: String) -> Phrase {
        let noun = worthwhileDevices == 1 ? "device" : "devices"
        let limit: Phrase =
            """
            beyond \(Double(worthwhileDevices), .count, key + "/worthwhile_devices") \(noun) a doubling saves less than a \
            fifth of the time
            """
        let scale: Phrase =
            "\(criticalBatchSequences, .significant, key + "/critical_batch_sequences") sequences"
        return """
            If the batch grows with \(hardware), \(Double(sequencesPerDevice), .count, key + "/sequences_per_device") \
            sequences a device, \(phrase: limit): past the critical batch, about \(phrase: scale) by the gradient noise that \
            run \(runId) measured at its end, a larger batch needs more examples for the same quality.
            """
    }
}
