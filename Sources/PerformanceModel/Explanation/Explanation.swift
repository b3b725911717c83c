/// A figure taken apart: what it is computed from, by which formula, down to inputs with a source.
public struct Explanation: Hashable, Sendable, Codable {
    /// The name that formulas use.
    public var name: String
    /// What it is, in words.
    public var title: String
    /// The value, in `unit`.
    public var value: Double
    /// The unit; empty for a count or a share.
    public var unit: String
    /// How the value follows from `inputs`; nil for what is given.
    public var formula: String?
    /// Who says so, for what is given; which algorithm, for what a formula is too short for.
    public var source: String?
    /// What the formula names.
    public var inputs: [Explanation]

    /// A given value.
    init(_ name: String, _ title: String, _ value: Double, _ unit: String, source: String) {
        self.name = name
        self.title = title
        self.value = value
        self.unit = unit
        self.source = source
        formula = nil
        inputs = []
    }

    /// A value that a formula computes.
    init(_ name: String, _ title: String, _ value: Double, _ unit: String, _ formula: String, _ inputs: [Explanation]) {
        self.name = name
        self.title = title
        self.value = value
        self.unit = unit
        self.formula = formula
        self.inputs = inputs
    }

    /// The value again, from the given values alone: every formula is evaluated as it reads.
    public func recomputed() throws(Formula.Failure) -> Double {
        guard let formula else { return value }
        var values: [String: Double] = [:]
        for input in inputs { values[input.name] = try input.recomputed() }
        return try Formula(formula).value(values)
    }

    /// The figure of that name in this tree, the nearest to the root first.
    public func figure(_ name: String) -> Explanation? {
        if self.name == name { return self }
        for input in inputs where input.name == name { return input }
        for input in inputs { if let found = input.figure(name) { return found } }
        return nil
    }

    /// The names in this tree, each once, from the root down.
    public var names: [String] {
        var seen: Set<String> = []
        return ([name] + inputs.flatMap(\.names)).filter { seen.insert($0).inserted }
    }
}
