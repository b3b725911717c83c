import Coordinator
import Digests
import Jobs

/// Who may use the dashboard: everybody on this machine; beyond it, who has the token, through a proxy that speaks TLS.
public struct DashboardAccess: Sendable {
    /// Names, beside the loopback ones, by which it is reached.
    let hosts: Set<String>
    /// What it asks for; nil for nothing.
    let token: AccessToken?
    /// Whether requests must have come to a proxy by TLS: a token must not travel in the open.
    let isBehindProxy: Bool

    private init(hosts: Set<String>, token: AccessToken?, isBehindProxy: Bool) {
        self.hosts = hosts
        self.token = token
        self.isBehindProxy = isBehindProxy
    }

    /// This machine's own users.
    package static let loopback = DashboardAccess(hosts: [], token: nil, isBehindProxy: false)

    /// Access to a dashboard at `address`.
    ///
    /// - Parameters:
    ///   - tokenFile: the file that holds the token; nil for none.
    ///   - hosts: names by which a proxy is reached.
    /// - Throws: `DashboardError.notLoopback` and `.nameless` where others can reach the address and a token or a name is
    ///   missing, `.weakToken`; `KeyError` where others may read the file.
    public init(address: DashboardAddress, tokenFile: String?, hosts: [String]) throws {
        let token = try tokenFile.map { try AccessToken(contentsOf: $0) }
        if !address.isLoopback {
            guard token != nil else { throw DashboardError.notLoopback(address.description) }
            guard !hosts.isEmpty else { throw DashboardError.nameless(address.description) }
        }
        self.init(hosts: Set(hosts.map { $0.lowercased() }), token: token, isBehindProxy: !address.isLoopback)
    }

    /// Whether a request that names `authority` (`host` or `host:port`) can have been meant for this dashboard.
    func isOwn(authority: String?) -> Bool {
        if DashboardAddress.isLoopback(authority: authority) { return true }
        guard let name = authority?.lowercased() else { return false }
        return hosts.contains(name) || name.lastIndex(of: ":").map { hosts.contains(String(name[..<$0])) } == true
    }
}

/// What the dashboard asks for. Nothing prints it, and comparing takes as long whatever was given.
struct AccessToken: Sendable, CustomStringConvertible {
    /// The session that is given for the token: a browser keeps it, and it ends with the daemon.
    let session: String
    private let digest: [UInt8]
    private let sessionDigest: [UInt8]

    /// The token in the file at `path`, which its owner alone may read.
    ///
    /// - Throws: `KeyError`, `DashboardError.weakToken`.
    init(contentsOf path: String) throws {
        let text = try PrivateFile.read(path, limit: 4_096)
        try self.init(text.hasSuffix("\n") ? String(text.dropLast()) : text, path: path)
    }

    /// - Throws: `DashboardError.weakToken`.
    init(_ text: String, path: String) throws(DashboardError) {
        func isPlain(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
                || "-._~".utf8.contains(byte)
        }
        guard text.utf8.count >= 32, text.utf8.allSatisfy(isPlain), Set(text.utf8).count >= 8 else {
            throw .weakToken(path: path)
        }
        var generator = SystemRandomNumberGenerator()
        session = (0..<4).map { _ in String(generator.next(), radix: 36) }.joined(separator: "-")
        digest = Self.digest(of: text)
        sessionDigest = Self.digest(of: session)
    }

    /// Whether `text` is the token.
    func matches(_ text: some StringProtocol) -> Bool { Self.areEqual(digest, Self.digest(of: String(text))) }

    /// Whether `text` is the session that was given for it.
    func matchesSession(_ text: some StringProtocol) -> Bool {
        Self.areEqual(sessionDigest, Self.digest(of: String(text)))
    }

    var description: String { "(token)" }

    private static func digest(of text: String) -> [UInt8] {
        Array(text.utf8).withUnsafeBytes { Array(SHA256.hexadecimal(of: $0).utf8) }
    }

    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        zip(left, right).reduce(left.count ^ right.count) { $0 | Int($1.0 ^ $1.1) } == 0
    }
}
