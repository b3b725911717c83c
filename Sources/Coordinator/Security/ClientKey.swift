import Messaging

/// A key that was given to somebody: what their file holds.
///
/// The file is a list of fields, one a line, and must be readable by its owner alone.
public struct ClientKey: Sendable {
    /// The name by which the daemon's list knows it, and what it is for.
    public let name: String
    public let role: ClientRole
    /// The key, and the daemon's.
    public let curve: CurveClient

    private static let heading = "wafermark-key 1"

    /// A key of the given parts.
    init(name: String, role: ClientRole, curve: CurveClient) {
        self.name = name
        self.role = role
        self.curve = curve
    }

    /// The key in the file at `path`.
    ///
    /// - Throws: `KeyError`, which never repeats what the file holds.
    public init(contentsOf path: String) throws(KeyError) {
        let fields = try KeyFields(contentsOf: path, heading: Self.heading)
        name = try fields.text("name")
        role = try fields.value("role") { ClientRole(rawValue: $0) }
        curve = CurveClient(keys: try fields.keyPair(), server: try fields.value("server") { try? CurvePublicKey($0) })
    }

    /// Writes the key to a new file at `path`.
    ///
    /// - Throws: `KeyError.file`, also where there is a file already.
    public func write(to path: String) throws(KeyError) {
        try PrivateFile.write(
            """
            \(Self.heading)
            name \(name)
            role \(role.rawValue)
            server \(curve.server)
            public \(curve.keys.publicKey)
            secret \(curve.keys.secretKey.exposedText)

            """, to: path, replaces: false)
    }
}

/// The fields of a key's file: a heading, then one field a line, `NAME VALUE`; lines that begin with `#` say nothing.
struct KeyFields {
    private let path: String
    private var fields: [String: (value: String, line: Int)] = [:]

    /// The fields of the file at `path`, which must begin with `heading`.
    init(contentsOf path: String, heading: String) throws(KeyError) {
        self.path = path
        let lines = try PrivateFile.read(path, limit: 64 << 10)
            .split(separator: "\n", omittingEmptySubsequences: false)
        guard lines.first.map({ String($0) }) == heading else {
            throw .malformed(path: path, line: 1, reason: "it is no key file; the first line must be '\(heading)'")
        }
        for (index, line) in lines.enumerated().dropFirst() where !line.isEmpty && !line.hasPrefix("#") {
            guard let space = line.firstIndex(of: " ") else {
                throw .malformed(path: path, line: index + 1, reason: "a field's name and its value are expected")
            }
            let name = String(line[..<space])
            guard fields[name] == nil else {
                throw .malformed(path: path, line: index + 1, reason: "a field is there twice")
            }
            fields[name] = (String(line[line.index(after: space)...]), index + 1)
        }
    }

    /// The field `name` as it stands.
    func text(_ name: String) throws(KeyError) -> String { try value(name) { $0 } }

    /// The field `name`, read by `read`, which gives nil where it can't be.
    func value<Value>(_ name: String, _ read: (String) -> Value?) throws(KeyError) -> Value {
        guard let field = fields[name] else {
            throw .malformed(path: path, line: 1, reason: "the field '\(name)' is missing")
        }
        guard let value = read(field.value) else {
            throw .malformed(path: path, line: field.line, reason: "the field '\(name)' can't be read")
        }
        return value
    }

    /// The fields `public` and `secret`.
    func keyPair() throws(KeyError) -> CurveKeyPair {
        let publicKey = try value("public") { try? CurvePublicKey($0) }
        return try value("secret") {
            (try? CurveSecretKey($0)).flatMap { try? CurveKeyPair(publicKey: publicKey, secretKey: $0) }
        }
    }
}
