import PerformanceModel

extension HTMLRenderer {
    /// What went over the links of each cluster run, and what would on the machine that it stands for.
    func topologySection(in page: inout Markup) {
        if report.topologies.isEmpty { return }
        section("links", "Links, and how much of them is used", in: &page) { page in
            for (index, topology) in report.topologies.enumerated() {
                let key = "/topologies/\(index)"
                let name = label(of: topology.runId)
                if let measured = topology.measured { transfers(measured, index, key + "/measured", name, in: &page) }
                if let machine = topology.modelled { links(of: machine, index, key + "/modelled", name, in: &page) }
            }
        }
    }

    private func transfers(
        _ transfers: ClusterTopology.Transfers, _ index: Int, _ key: String, _ name: String, in page: inout Markup
    ) {
        let title = "Between the workers: \(name)"
        page.element("h3", title)
        var sentence: Phrase =
            """
            Workers send \(transfers.bytesPerStep, .bytes, key + "/bytes_per_step") a step, all together: over a mean step \
            \(transfers.bytesPerHostSecond, .bytes, key + "/bytes_per_host_second") a second (host clock)
            """
        if let share = transfers.utilisation {
            sentence =
                sentence
                    + """
                    , \(share, .share, key + "/utilisation") of the \
                    \(transfers.calibratedBytesPerHostSecond, .bytes, key + "/calibrated_bytes_per_host_second") a second \
                    that this machine’s processes can carry by its calibration
                    """
        }
        page.element("p", sentence + ".")
        page.raw("<figure class=\"wide\">")
        page.raw(WorkerCircle(id: "workers-circle-\(index)", title: title, transfers: transfers).svg())
        page.raw("</figure>\n")
        table("Bytes between workers of \(name), mean over steps", class: "compact", in: &page) { page in
            page.raw(
                """
                <thead><tr><th scope="col">From worker</th><th scope="col" class="number">To worker</th><th scope="col" \
                class="number">A step</th></tr></thead>\n<tbody>\n
                """
            )
            for (number, link) in transfers.links.enumerated().prefix(Self.mostLinks) {
                let place = "\(key)/links/\(number)"
                page.raw("<tr><th scope=\"row\">")
                page.figure(Double(link.from), .count, place + "/from")
                page.raw("</th>")
                cells(
                    [(Double(link.to), .count, "to"), (link.bytesPerStep, .bytes, "bytes_per_step")], place, in: &page)
                page.raw("</tr>\n")
            }
            page.raw("</tbody>\n")
        }
        if transfers.links.count > Self.mostLinks {
            page.element("p", class: "quiet", "More links are in the JSON document.")
        }
    }

    /// Rows of a table of links; the JSON document has all.
    private static let mostLinks = 64

    private func links(
        of machine: ClusterTopology.Modelled, _ index: Int, _ key: String, _ name: String, in page: inout Markup
    ) {
        let title = "On \(machine.hardware): \(name)"
        page.element("h3", title)
        let nodes: Phrase =
            """
            \(Double(machine.nodes), .count, key + "/nodes") \(machine.nodes == 1 ? "node" : "nodes") of \
            \(Double(machine.devicesPerNode), .count, key + "/devices_per_node") devices
            """
        guard !machine.links.isEmpty else {
            page.element("p", "The run fills \(phrase: nodes): nothing goes over links.")
            return
        }
        page.element("p", "The run fills \(phrase: nodes). Modelled clock, first phase.")
        page.raw("<figure class=\"wide\">")
        page.raw(NodePicture(id: "nodes-\(index)", title: title, machine: machine).svg())
        page.raw("</figure>\n")
        table("Links of \(machine.hardware) in a step, modelled clock", class: "figures", in: &page) { page in
            page.raw("<thead><tr><th scope=\"col\">Links</th>")
            for title in ["How many", "Each carries", "At most a second", "Used"] {
                page.raw("<th scope=\"col\" class=\"number\">\(title)</th>")
            }
            page.raw("</tr></thead>\n<tbody>\n")
            for (number, link) in machine.links.enumerated() {
                page.raw("<tr><th scope=\"row\">")
                page.escaped(link.kind.title + " ")
                page.element("span", class: "meaning", link.kind.meaning)
                page.raw("</th>")
                cells(
                    [
                        (Double(link.links), .count, "links"), (link.bytesPerStep, .bytes, "bytes_per_step"),
                        (link.bytesPerModelledSecond, .bytes, "bytes_per_modelled_second"),
                        (link.utilisation, .share, "utilisation"),
                    ], "\(key)/links/\(number)", in: &page)
                page.raw("</tr>\n")
            }
            page.raw("</tbody>\n")
        }
        page.element(
            "p", class: "quiet",
            """
            Used: the time that a step’s bytes take at the link’s own rate, over the time of the whole step. A link that is \
            seldom used can still hold a step up while it is.
            """
        )
    }
}

extension LinkLoad.Kind {
    /// The links as readers know them.
    var title: String {
        switch self {
        case .withinNode: "Within a node"
        case .betweenNodes: "Between nodes"
        }
    }

    /// What is counted as one.
    fileprivate var meaning: String {
        switch self {
        case .withinNode: "what one device sends to the others of its node: NVLink or PCIe"
        case .betweenNodes: "all network interfaces of a node together"
        }
    }
}
