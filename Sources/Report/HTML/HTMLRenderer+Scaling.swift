extension HTMLRenderer {
    /// What the job would take on more and more devices, beside the wafer.
    func scalingSection(in page: inout Markup) {
        if report.scaling.isEmpty { return }
        section("scaling", "At scale", in: &page) { page in
            for (index, scaling) in report.scaling.enumerated() {
                let key = "/scaling/\(index)"
                page.element("p", class: "lead", scaling.sentence(key))
                page.raw("<figure class=\"wide\"><figcaption>")
                page.escaped("Time of the whole job against devices of \(scaling.hardware)")
                page.raw("</figcaption>" + ScalingChart(id: "scaling-\(index)", scaling: scaling).svg() + "</figure>\n")
                table(of: scaling, key, in: &page)
                growth(of: scaling, key, in: &page)
            }
            page.element(
                "p", class: "quiet",
                """
                Modelled clock: computed by the performance model, nothing was run. Every size makes the same steps with \
                the job’s own global batch, where it is not said to grow. Intervals hold nine of ten published throughputs that the model had not seen.
                """
            )
        }
    }

    private func table(of scaling: ModelledScaling, _ key: String, in page: inout Markup) {
        table("\(scaling.hardware): the whole job by size of the cluster, modelled clock", class: "compact", in: &page)
        {
            page in
            page.raw("<thead><tr><th scope=\"col\">Devices</th>")
            for title in ["Time", "90 % from", "to", "Efficiency", "Exposed exchange", "kWh", "US$"] {
                page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
            }
            page.raw("<th scope=\"col\">Bound by</th></tr></thead>\n<tbody>\n")
            for (number, point) in scaling.points.enumerated() { row(point, "\(key)/points/\(number)", in: &page) }
            if let wafer = scaling.wafer { row(wafer, "\(key)/wafer", in: &page) }
            page.raw("</tbody>\n")
        }
    }

    private func row(_ point: ModelledScaling.Point, _ key: String, in page: inout Markup) {
        page.raw("<tr><th scope=\"row\">")
        page.figure(Double(point.devices), .count, key + "/devices")
        page.raw("</th>")
        cells(
            [
                (point.timeModelledSeconds, .duration, "time_modelled_seconds"),
                (point.lowModelledSeconds, .duration, "low_modelled_seconds"),
                (point.highModelledSeconds, .duration, "high_modelled_seconds"),
                (point.scalingEfficiency, .percent, "scaling_efficiency"),
                (point.exposedCommunicationShare, .percent, "exposed_communication_share"),
                (point.energyKilowattHours, .significant, "energy_kilowatt_hours"),
                (point.costUsDollars, .significant, "cost_us_dollars"),
            ], key, in: &page)
        page.element(
            "td",
            point.boundBy.replacingOccurrences(of: "_", with: " ") + (point.isExtrapolated ? ", EXTRAPOLATED" : ""))
        page.raw("</tr>\n")
    }

    private func row(_ wafer: ModelledScaling.Wafer, _ key: String, in page: inout Markup) {
        page.raw("<tr class=\"sum\"><th scope=\"row\" class=\"wafer\">")
        page.escaped(wafer.hardware)
        page.raw("</th>")
        cells(
            [
                (wafer.timeModelledSeconds, .duration, "time_modelled_seconds"),
                (wafer.lowModelledSeconds, .duration, "low_modelled_seconds"),
                (wafer.highModelledSeconds, .duration, "high_modelled_seconds"),
            ], key, in: &page)
        page.raw("<td></td><td></td>")
        cells(
            [
                (wafer.energyKilowattHours, .significant, "energy_kilowatt_hours"),
                (wafer.costUsDollars, .significant, "cost_us_dollars"),
            ], key, in: &page)
        page.raw("<td></td></tr>\n")
    }

    /// A cell for each figure.
    func cells(_ figures: [(Double?, FigureFormat, String)], _ key: String, in page: inout Markup) {
        for (value, format, name) in figures {
            page.raw("<td class=\"number\">")
            page.figure(value, format, "\(key)/\(name)")
            page.raw("</td>")
        }
    }
}

extension ModelledScaling {
    /// How many devices match the wafer, and where more stop paying; `key` is the scaling's place in the document.
    func sentence(_ key: String) -> Phrase {
        let noun = worthwhileDevices == 1 ? "device" : "devices"
        let limit: Phrase =
            """
            \(Double(worthwhileDevices), .count, key + "/worthwhile_devices") \(noun) of \(hardware) a doubling \
            saves less than a fifth of the time.
            """
        guard let wafer else { return "By the performance model, beyond \(phrase: limit)" }
        let time: Phrase = "\(wafer.timeModelledSeconds, .duration, key + "/wafer/time_modelled_seconds")"
        let match: Phrase =
            wafer.devicesToMatch.map {
                "\(Double($0), .count, key + "/wafer/devices_to_match") devices of \(hardware) are as soon."
            } ?? "no number of devices of \(hardware) that the global batch allows is as soon."
        return """
            By the performance model \(wafer.hardware) takes \(phrase: time) for the job’s \
            \(Double(steps), .count, key + "/steps") steps; \(phrase: match) Beyond \(phrase: limit)
            """
    }
}
