import Jobs

/// Why a key, or a file that must be kept secret, can't be used. No case holds any part of a secret.
public enum KeyError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A file can't be read or written.
    case file(path: String, reason: String)
    /// Others than its owner may read or change a file.
    case exposed(path: String, mode: UInt32)
    /// A file belongs to somebody else.
    case foreign(path: String, owner: UInt32)
    /// A file says something else than it should.
    case malformed(path: String, line: Int, reason: String)
    /// A name that keys can't have.
    case name(String)
    /// There is a key of that name already, or none.
    case taken(name: String)
    case unknown(name: String)
    /// No key was made yet, so that nobody could come in.
    case none(directory: String)

    public var description: String {
        switch self {
        case .file(let path, let reason): "\(path): \(reason)"
        case .exposed(let path, let mode):
            "\(path) may be read or changed by others than its owner (mode \(String(mode, radix: 8))); 0600 or less is "
                + "allowed: chmod 600 \(path), and make a new key if somebody may have read it"
        case .foreign(let path, let owner):
            "\(path) belongs to user \(owner); it must belong to the user who runs the program, or to root"
        case .malformed(let path, let line, let reason): "\(path):\(line): \(reason)"
        case .name(let name):
            "\(PrintableText.quoted(name, limit: 64)) is no name of a key; letters, digits, '.', '-' and '_' are allowed, 64 at "
                + "most, and a letter or digit first"
        case .taken(let name): "there is a key '\(name)' already; revoke it first, or take another name"
        case .unknown(let name):
            "there is no key \(PrintableText.quoted(name, limit: 64)); 'wafermark keys list' shows all"
        case .none(let directory):
            "no key is allowed in yet (\(directory)), so nobody could connect; make one with 'wafermark keys new'"
        }
    }
}
