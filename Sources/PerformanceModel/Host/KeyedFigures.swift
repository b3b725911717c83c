/// A part of the host's profile that is figures alone, each by its key.
protocol KeyedFigures {
    /// Every figure 0, as before it is read.
    static var zero: Self { get }
    /// What a figure may be.
    static var allowed: ClosedRange<Double> { get }
    /// The keys, in their order in the file.
    static var keys: [(String, WritableKeyPath<Self, Double>)] { get }
}

extension KeyedFigures {
    /// The figures of `entry`, which has no other keys.
    init(reading entry: CheckedMapping) throws(PerformanceModelError) {
        try entry.allow(Self.keys.map(\.0))
        self = .zero
        for (key, part) in Self.keys { self[keyPath: part] = try entry.number(key, in: Self.allowed) }
    }

    /// A line of YAML for each figure.
    var lines: [String] { Self.keys.map { "\($0): \(HostMachine.short(self[keyPath: $1]))" } }
}
