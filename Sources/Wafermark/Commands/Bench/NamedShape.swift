import ArgumentParser
import Jobs

/// A model's size by name.
struct NamedShape: ExpressibleByArgument {
    /// The name.
    var name: String
    /// What it stands for.
    var shape: ModelShape

    /// The shape of `name`, which must be one of `ModelShape.named`.
    init(name: String) {
        self.name = name
        shape = ModelShape.named(name) ?? ModelShape(layers: 4, hidden: 256, heads: 4)
    }

    init?(argument: String) {
        guard ModelShape.named(argument) != nil else { return nil }
        self.init(name: argument)
    }

    var defaultValueDescription: String { name }
    static var allValueStrings: [String] { ModelShape.named.map(\.name) }
}
