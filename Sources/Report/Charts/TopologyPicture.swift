import PerformanceModel

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The workers of a cluster on a circle, with a line for each pair that talks: the more it carries, the thicker.
struct WorkerCircle {
    var id: String
    var title: String
    var transfers: ClusterTopology.Transfers

    private static let width = 720.0
    /// Beyond this many pairs labels would hide the lines.
    private static let mostLabels = 3

    private struct Pair: Hashable {
        var low: Int
        var high: Int
    }

    /// The picture.
    func svg() -> String {
        let ranks = Set(transfers.links.flatMap { [$0.from, $0.to] }).sorted()
        var pairs: [Pair: Double] = [:]
        for link in transfers.links {
            pairs[Pair(low: min(link.from, link.to), high: max(link.from, link.to)), default: 0] += link.bytesPerStep
        }
        let most = pairs.values.max() ?? 0
        // Two lie side by side, and need no room above and below.
        let height = ranks.count > 2 ? 250.0 : 80
        let places = Dictionary(
            uniqueKeysWithValues: ranks.enumerated().map { index, rank in
                (rank, Self.place(index, of: ranks.count, height: height))
            })
        var svg = SVG()
        for (pair, bytes) in pairs.sorted(by: { ($0.key.low, $0.key.high) < ($1.key.low, $1.key.high) }) {
            guard let from = places[pair.low], let to = places[pair.high] else { continue }
            let weight = most > 0 ? 1 + Int((3 * bytes / most).rounded()) : 1
            svg.line(from.x, from.y, to.x, to.y, class: "link cluster weight-\(weight)")
            if pairs.count <= Self.mostLabels {
                svg.text(
                    FigureFormat.bytes.text(bytes) + " a step", x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 - 8,
                    anchor: .middle, class: "bar-name haloed")
            }
        }
        for rank in ranks {
            guard let place = places[rank] else { continue }
            svg.mark(.circle, x: place.x, y: place.y, radius: 17, class: "node cluster")
            svg.text("\(rank)", x: place.x, y: place.y + 4, anchor: .middle, class: "bar-total")
        }
        return svg.document(id: id, width: Self.width, height: height, title: title, description: description)
    }

    private static func place(_ index: Int, of count: Int, height: Double) -> (x: Double, y: Double) {
        let angle = Double.pi + 2 * Double.pi * Double(index) / Double(max(1, count))
        // Wider than high, so that labels have room.
        return (width / 2 + 190 * cos(angle), height / 2 + 98 * sin(angle))
    }

    private var description: String {
        "Each circle is a worker, each line what two of them send each other in a step, thicker for more. "
            + transfers.links.prefix(64).map {
                "Worker \($0.from) to \($0.to): \(FigureFormat.bytes.text($0.bytesPerStep))"
            }.joined(separator: "; ") + ". The table below has the values."
    }
}

/// The nodes of a machine with their devices and links: how much of each link a step takes is a gauge beside it.
struct NodePicture {
    var id: String
    var title: String
    var machine: ClusterTopology.Modelled

    private static let width = 720.0
    private static let mostNodes = 4
    private static let mostDevices = 16
    private static let devicesInRow = 8

    /// The picture.
    func svg() -> String {
        let shown = min(machine.nodes, Self.mostNodes)
        let gap = 22.0
        let box = min(220, (Self.width - gap * Double(shown + 1)) / Double(max(1, shown)))
        let devices = min(machine.devicesPerNode, Self.mostDevices)
        let rows = (devices + Self.devicesInRow - 1) / Self.devicesInRow
        let (within, between) = (link(.withinNode), link(.betweenNodes))
        let boxHeight = 34 + Double(rows) * 22 + (within == nil ? 8 : 46)
        let height = boxHeight + (between == nil ? 10 : 96)
        let left = (Self.width - Double(shown) * box - Double(shown - 1) * gap) / 2
        var svg = SVG()
        for node in 0..<shown {
            let x = left + Double(node) * (box + gap)
            svg.rectangle(x: x, y: 1, width: box, height: boxHeight, class: "enclosure", radius: 4)
            svg.text("node \(node)", x: x + 10, y: 20, class: "bar-name")
            self.devices(devices, x: x + 10, y: 30, width: box - 20, in: &svg)
            if let within {
                let top = 36 + Double(rows) * 22
                gauge(within.utilisation, x: x + 10, y: top, width: box - 20, in: &svg)
                svg.text("links within: \(percent(within))", x: x + 10, y: top + 28, class: "tick")
            }
            if let between {
                svg.line(x + box / 2, boxHeight + 1, x + box / 2, boxHeight + 62, class: "link cluster weight-2")
                gauge(between.utilisation, x: x + box / 2 + 8, y: boxHeight + 14, width: box / 2 - 18, in: &svg)
                svg.text(percent(between), x: x + box / 2 + 8, y: boxHeight + 42, class: "tick")
            }
        }
        if between != nil {
            let y = boxHeight + 62
            svg.rectangle(
                x: left, y: y, width: Double(shown) * box + Double(shown - 1) * gap, height: 12, class: "enclosure",
                radius: 3)
            let more = machine.nodes > shown ? "; \(machine.nodes - shown) more nodes are not drawn" : ""
            svg.text(
                "network, \(machine.networkInterfacesPerNode) interfaces a node" + more, x: Self.width / 2, y: y + 29,
                anchor: .middle, class: "tick")
        }
        return svg.document(id: id, width: Self.width, height: height, title: title, description: description)
    }

    private func link(_ kind: LinkLoad.Kind) -> ClusterTopology.ModelledLink? {
        machine.links.first { $0.kind == kind }
    }

    private func devices(_ count: Int, x: Double, y: Double, width: Double, in svg: inout SVG) {
        let pitch = width / Double(Self.devicesInRow)
        for device in 0..<count {
            svg.rectangle(
                x: x + Double(device % Self.devicesInRow) * pitch, y: y + Double(device / Self.devicesInRow) * 22,
                width: pitch - 4, height: 16, class: "part cluster compute", radius: 2)
        }
    }

    /// A frame, filled as far as the link is used.
    private func gauge(_ share: Double, x: Double, y: Double, width: Double, in svg: inout SVG) {
        svg.rectangle(x: x, y: y, width: width, height: 11, class: "part cluster other")
        svg.rectangle(
            x: x, y: y, width: max(0.5, width * min(1, max(0, share))), height: 11,
            class: "part cluster exposed_communication")
    }

    private func percent(_ link: ClusterTopology.ModelledLink) -> String {
        FigureFormat.share.text(link.utilisation) + " used"
    }

    private var description: String {
        "\(machine.nodes) nodes of \(machine.devicesPerNode) devices of \(machine.hardware). "
            + machine.links.map {
                "\($0.kind.title): \(FigureFormat.share.text($0.utilisation)) of their bandwidth is used over a step"
            }.joined(separator: "; ") + ". Modelled clock. The table below has the values."
            + (machine.devicesPerNode > Self.mostDevices ? " Not all devices are drawn." : "")
    }
}
