import Jobs

/// A number that a profile or stack states, and who says so.
public struct Figure: Hashable, Sendable, Codable {
    /// The number, in the unit that the key names.
    public var value: Double
    /// The source in words, as the file's `sources` spell it out.
    public var source: String

    /// Whether the source says that it is an assumption, an inference, or not confirmed.
    public var isUnconfirmed: Bool {
        ["assumption", "inference", "not confirmed"].contains { source.lowercased().contains($0) }
    }

    /// A number with its source.
    public init(value: Double, source: String) {
        self.value = value
        self.source = source
    }
}

extension CheckedMapping {
    /// The figure at `key`: `{ value: 900, source: name }` where `sources` defines the name.
    func figure(_ key: String, in range: ClosedRange<Double>, sources: [String: String]) throws(PerformanceModelError)
        -> Figure
    {
        let entry = try mapping(key)
        try entry.allow(["value", "source"])
        let value = try entry.number("value", in: range)
        let name = try entry.text("source")
        guard let source = sources[name] else {
            throw .invalid(
                place: entry.place("source"), found: PrintableText.quoted(name),
                allowed: "a name that this file's sources define: \(sources.keys.sorted().joined(separator: ", "))")
        }
        return Figure(value: value, source: source)
    }

    /// As `figure`, or nil where the key is missing.
    func optionalFigure(_ key: String, in range: ClosedRange<Double>, sources: [String: String])
        throws(PerformanceModelError) -> Figure?
    {
        has(key) ? try figure(key, in: range, sources: sources) : nil
    }

    /// The file's sources: a name for each, and the words that stand for it.
    func sources() throws(PerformanceModelError) -> [String: String] {
        let entry = try mapping("sources")
        var sources: [String: String] = [:]
        for key in entry.keys { sources[key] = try entry.text(key) }
        return sources
    }
}
