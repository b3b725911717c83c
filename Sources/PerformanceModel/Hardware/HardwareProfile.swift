/// A machine that a backend stands for: every figure with its source, read and checked from YAML.
public struct HardwareProfile: Hashable, Sendable, Codable, Identifiable {
    /// What kind of machine, and so which backend can stand for it.
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// Nodes with accelerators and a network.
        case cluster
        /// One wafer-scale system.
        case wafer
    }

    /// The machine's own figures.
    public enum Machine: Hashable, Sendable, Codable {
        case cluster(ClusterMachine)
        case wafer(WaferMachine)
    }

    /// What a node or system costs.
    public enum Price: Hashable, Sendable, Codable {
        /// Rented, in US dollars a node and hour.
        case hourly(Figure)
        /// Bought, in US dollars a node, written off evenly over years of 8,766 hours.
        case bought(usDollars: Figure, years: Figure)

        /// US dollars of a node's hour, without energy.
        public var usDollarsPerHour: Double {
            switch self {
            case .hourly(let price): price.value
            case .bought(let price, let years): price.value / (years.value * 8766)
            }
        }
    }

    /// The name that `--hardware` takes.
    public var name: String
    /// One line for people.
    public var title: String
    /// The machine.
    public var machine: Machine
    /// What a node (or the wafer system) costs, where stated.
    public var price: Price?
    /// The file or resource that it was read from.
    public var file: String

    /// The name.
    public var id: String { name }

    /// What kind of machine.
    public var kind: Kind {
        switch machine {
        case .cluster: .cluster
        case .wafer: .wafer
        }
    }

    /// The cluster, or nil for a wafer.
    public var cluster: ClusterMachine? {
        if case .cluster(let machine) = machine { machine } else { nil }
    }

    /// The wafer, or nil for a cluster.
    public var wafer: WaferMachine? {
        if case .wafer(let machine) = machine { machine } else { nil }
    }

    /// The profile in a YAML text; `file` names it in errors.
    public init(parsing text: String, file: String) throws(PerformanceModelError) {
        let top = try CheckedMapping(parsing: text, file: file)
        let kind = try top.choice("kind", Kind.self)
        let sources = try top.sources()
        name = try top.text("name")
        title = try top.text("title")
        self.file = file
        let priced: CheckedMapping
        switch kind {
        case .cluster:
            try top.allow(["name", "kind", "title", "default_stack", "device", "node", "links", "sources"])
            machine = .cluster(try ClusterMachine(reading: top, sources: sources))
            priced = try top.mapping("node")
        case .wafer:
            try top.allow(["name", "kind", "title", "wafer", "system", "sources"])
            machine = .wafer(try WaferMachine(reading: top, sources: sources))
            priced = try top.mapping("system")
        }
        price = try Self.price(in: priced, sources: sources)
    }

    /// The profile in the file at `path`.
    public init(contentsOf path: String) throws(PerformanceModelError) {
        try self.init(parsing: try InputFile.text(of: path), file: path)
    }

    private static func price(in mapping: CheckedMapping, sources: [String: String]) throws(PerformanceModelError)
        -> Price?
    {
        if let hourly = try mapping.optionalFigure("price_us_dollars_per_hour", in: 0...1e6, sources: sources) {
            return .hourly(hourly)
        }
        guard let price = try mapping.optionalFigure("price_us_dollars", in: 0...1e9, sources: sources) else {
            return nil
        }
        return .bought(
            usDollars: price,
            years: try mapping.figure("written_off_over_years", in: 0.1...50, sources: sources))
    }
}
