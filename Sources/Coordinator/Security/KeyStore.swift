import Foundation
import Messaging

/// A key that the daemon lets in.
public struct AuthorizedKey: Hashable, Sendable {
    /// Its name, and what it is for.
    public var name: String
    public var role: ClientRole
    /// Who shows it.
    public var key: CurvePublicKey
    /// When it was made, to the second.
    public var created: Date
}

/// The daemon's own key, and the list of those that it lets in: two files in a folder that only the daemon's user may enter.
/// The secret halves of clients' keys are in neither.
public struct KeyStore: Sendable, Hashable {
    /// The folder.
    public let directory: String

    private static let heading = "wafermark-server-key 1"
    private var serverFile: String { directory + "/server.key" }
    var listFile: String { directory + "/clients" }

    /// The keys in `directory`, which need not exist yet.
    public init(directory: String) { self.directory = directory }

    /// Whether any key was made here.
    public var isThere: Bool { access(serverFile, F_OK) == 0 }

    /// The daemon's key.
    ///
    /// - Throws: `KeyError`: `.none` where no key was made yet.
    public func serverKey() throws(KeyError) -> CurveKeyPair {
        guard isThere else { throw .none(directory: directory) }
        return try KeyFields(contentsOf: serverFile, heading: Self.heading).keyPair()
    }

    /// The keys that are let in, in the order in which they were made.
    ///
    /// - Throws: `KeyError`.
    public func list() throws(KeyError) -> [AuthorizedKey] {
        guard access(listFile, F_OK) == 0 else { return [] }
        var keys: [AuthorizedKey] = []
        let lines = try PrivateFile.read(listFile).split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where !line.isEmpty && !line.hasPrefix("#") {
            let words = line.split(separator: " ").map(String.init)
            guard words.count == 4, let role = ClientRole(rawValue: words[1]), let key = try? CurvePublicKey(words[2]),
                let seconds = Int(words[3]), Self.isName(words[0])
            else {
                throw .malformed(
                    path: listFile, line: index + 1, reason: "a name, a role, a public key and a time are expected")
            }
            keys.append(
                AuthorizedKey(
                    name: words[0], role: role, key: key, created: Date(timeIntervalSince1970: Double(seconds))))
        }
        return keys
    }

    /// Makes the daemon's own key, where there is none yet.
    ///
    /// - Throws: `KeyError`; `MessagingError.key` where libzmq has no CURVE.
    func makeServerKey() throws {
        try PrivateFile.makeFolder(directory)
        try locked {
            if isThere { return }
            let own = try CurveKeyPair.generate()
            try PrivateFile.write(
                """
                \(Self.heading)
                public \(own.publicKey)
                secret \(own.secretKey.exposedText)

                """, to: serverFile, replaces: false)
        }
    }

    /// Makes a key called `name`, and the daemon's own where there is none yet. The caller gets the only copy of its
    /// secret half.
    ///
    /// - Throws: `KeyError`; `MessagingError.key` where libzmq has no CURVE.
    public func create(name: String, role: ClientRole, now: Date = Date()) throws -> ClientKey {
        guard Self.isName(name) else { throw KeyError.name(name) }
        try makeServerKey()
        return try locked {
            var keys = try list()
            guard !keys.contains(where: { $0.name == name }) else { throw KeyError.taken(name: name) }
            let pair = try CurveKeyPair.generate()
            keys.append(AuthorizedKey(name: name, role: role, key: pair.publicKey, created: now))
            try write(keys)
            return ClientKey(
                name: name, role: role, curve: CurveClient(keys: pair, server: try serverKey().publicKey))
        }
    }

    /// Lets the key called `name` in no more: a running daemon refuses its next request.
    ///
    /// - Throws: `KeyError`.
    public func revoke(_ name: String) throws {
        guard isThere else { throw KeyError.unknown(name: name) }
        try locked {
            let keys = try list()
            let kept = keys.filter { $0.name != name }
            guard kept.count < keys.count else { throw KeyError.unknown(name: name) }
            try write(kept)
        }
    }

    private func write(_ keys: [AuthorizedKey]) throws(KeyError) {
        let lines = keys.map { "\($0.name) \($0.role.rawValue) \($0.key) \(Int($0.created.timeIntervalSince1970))\n" }
        try PrivateFile.write("# name, role, public key, made at\n" + lines.joined(), to: listFile, replaces: true)
    }

    /// Calls `body` while no other process changes the list.
    private func locked<Result>(_ body: () throws -> Result) throws -> Result {
        let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0, flock(descriptor, LOCK_EX) == 0 else {
            throw KeyError.file(path: directory, reason: String(cString: strerror(errno)))
        }
        // Closing releases the lock.
        defer { close(descriptor) }
        return try body()
    }

    private static func isName(_ name: String) -> Bool {
        guard (1...64).contains(name.utf8.count), let first = name.utf8.first else { return false }
        func isAlphanumeric(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return isAlphanumeric(first) && name.utf8.allSatisfy { isAlphanumeric($0) || ".-_".utf8.contains($0) }
    }
}
