/// What the engine refuses to compute.
public enum BERTError: Error, CustomStringConvertible, Sendable {
    /// A field of the model's shape that no engine could be built for.
    case configuration(field: String, found: String, allowed: String)
    /// A batch that contradicts itself, the model, or the capacity that the engine was built with.
    case batch(field: String, found: String, allowed: String)
    /// A kernel library's refusal.
    case kernel(operation: String, status: String)

    public var description: String {
        switch self {
        case .configuration(let field, let found, let allowed):
            "model configuration: \(field) is \(found); allowed: \(allowed)"
        case .batch(let field, let found, let allowed):
            "batch: \(field) is \(found); allowed: \(allowed)"
        case .kernel(let operation, let status):
            "oneDNN refused \(operation): \(status)"
        }
    }
}
