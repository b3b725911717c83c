/// Why a model folder or one of its files could not be read or written.
public enum ModelFileError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The operating system refused: `reason` is its message.
    case cannotRead(file: String, reason: String)
    /// The operating system refused: `reason` is its message.
    case cannotWrite(file: String, reason: String)
    /// The file as a whole is not what its name says.
    case malformed(file: String, found: String, allowed: String)
    /// One tensor of the file is not what it should be.
    case tensor(file: String, tensor: String, found: String, allowed: String)
    /// A tensor that the model needs is not in the file.
    case missingTensor(file: String, tensor: String, remedy: String)
    /// One field of a `config.json` is not what it should be.
    case configuration(file: String, field: String, found: String, allowed: String)

    public var description: String {
        switch self {
        case .cannotRead(let file, let reason):
            "\(file): can't be read: \(reason)"
        case .cannotWrite(let file, let reason):
            "\(file): can't be written: \(reason)"
        case .malformed(let file, let found, let allowed):
            "\(file): found \(found); allowed: \(allowed)"
        case .tensor(let file, let tensor, let found, let allowed):
            "\(file): tensor '\(tensor)': found \(found); allowed: \(allowed)"
        case .missingTensor(let file, let tensor, let remedy):
            "\(file): tensor '\(tensor)' is missing; \(remedy)"
        case .configuration(let file, let field, let found, let allowed):
            "\(file): '\(field)': found \(found); allowed: \(allowed)"
        }
    }
}
