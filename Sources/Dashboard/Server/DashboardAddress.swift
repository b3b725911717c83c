/// Where the dashboard listens. Whether it may listen there, `DashboardAccess` says.
public struct DashboardAddress: Hashable, Sendable, CustomStringConvertible {
    /// The host, as a name or number without brackets.
    public let host: String
    /// The port; 0 for any that is free.
    public let port: Int

    /// Where it listens unless it is told otherwise.
    public static let standard = DashboardAddress(host: "127.0.0.1", port: 8_642)

    private static let loopback: Set<String> = ["127.0.0.1", "localhost", "::1"]

    private init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// The address that `text` names: a port of 127.0.0.1, or a host and a port.
    ///
    /// - Throws: `DashboardError.notAnAddress`.
    public init(_ text: String) throws(DashboardError) {
        let digits: Substring
        if let colon = text.lastIndex(of: ":") {
            host = text[..<colon].trimmingBrackets
            digits = text[text.index(after: colon)...]
        } else {
            host = Self.standard.host
            digits = text[...]
        }
        guard !digits.isEmpty, digits.allSatisfy(\.isASCIIDigit), let port = Int(digits), (0...65_535).contains(port)
        else {
            throw .notAnAddress(text)
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { throw .notAnAddress(text) }
        self.port = port
    }

    /// Whether this machine's own users alone can reach it.
    public var isLoopback: Bool { Self.loopback.contains(host) }

    /// The same host with another port.
    func with(port: Int) -> DashboardAddress { DashboardAddress(host: host, port: port) }

    /// Whether a request that names `authority` (`host` or `host:port`) can have been meant for this machine: a page
    /// elsewhere whose name was made to point here is told by its name. The port is not looked at, since a tunnel may have
    /// another.
    package static func isLoopback(authority: String?) -> Bool {
        guard let authority else { return false }
        if loopback.contains(authority.trimmingBrackets) { return true }
        guard let colon = authority.lastIndex(of: ":") else { return false }
        return loopback.contains(authority[..<colon].trimmingBrackets)
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

extension StringProtocol {
    /// The text without the brackets that an IPv6 address has in a URL.
    fileprivate var trimmingBrackets: String {
        hasPrefix("[") && hasSuffix("]") ? String(dropFirst().dropLast()) : String(self)
    }
}

extension Character {
    fileprivate var isASCIIDigit: Bool { ("0"..."9").contains(self) }
}
