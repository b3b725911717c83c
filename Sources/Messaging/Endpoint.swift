/// An address that sockets bind to or connect to.
public struct Endpoint: Hashable, Sendable, CustomStringConvertible {
    /// The address as libzmq takes it.
    public let text: String

    /// The longest path of a Unix socket on Linux: `sun_path` holds 108 bytes, the last one NUL.
    public static let longestPath = 107

    /// The endpoint that `text` names: `ipc://PATH` or `tcp://HOST:PORT`.
    ///
    /// - Throws: `MessagingError.endpoint` where it names none.
    public init(_ text: String) throws(MessagingError) {
        if let path = text.dropping(prefix: "ipc://") {
            guard path.hasPrefix("/") else {
                throw .endpoint(text, reason: "the path of a socket must be absolute")
            }
            guard path.utf8.count <= Self.longestPath else {
                throw .endpoint(
                    text,
                    reason: "the path is \(path.utf8.count) bytes long and the system takes \(Self.longestPath); "
                        + "use a shorter folder (--state)")
            }
        } else if let address = text.dropping(prefix: "tcp://") {
            guard let colon = address.lastIndex(of: ":"), colon != address.startIndex,
                UInt16(address[address.index(after: colon)...]) != nil
            else {
                throw .endpoint(text, reason: "give tcp://HOST:PORT with a port from 0 to 65535")
            }
        } else {
            throw .endpoint(text, reason: "give ipc:///PATH or tcp://HOST:PORT")
        }
        self.text = text
    }

    /// Port `port` of `host`, a name or a number.
    ///
    /// - Throws: `MessagingError.endpoint` where these name none.
    public init(host: String, port: Int) throws(MessagingError) {
        try self.init("tcp://\(host.contains(":") ? "[\(host)]" : host):\(port)")
    }

    public var description: String { text }

    /// The host of a TCP address, without brackets; an IPv4 address that is written as one of IPv6 (`::ffff:10.0.0.1`, as
    /// libzmq does) as what it is. Nil for a Unix socket.
    public var host: String? {
        guard let address = text.dropping(prefix: "tcp://"), let colon = address.lastIndex(of: ":") else { return nil }
        let host = address[..<colon]
        guard host.hasPrefix("["), host.hasSuffix("]") else { return String(host) }
        let bare = String(host.dropFirst().dropLast())
        return bare.dropping(prefix: "::ffff:").flatMap { $0.contains(".") ? String($0) : nil } ?? bare
    }

    /// The same address as one would write it.
    var plain: Endpoint {
        guard let host, let port, let plain = try? Endpoint(host: host, port: port) else { return self }
        return plain
    }

    /// The port of a TCP address; nil for a Unix socket.
    public var port: Int? {
        text.dropping(prefix: "tcp://").flatMap { $0.split(separator: ":").last }.flatMap { Int($0) }
    }

    /// Whether this host's own processes alone can reach it: a Unix socket, or a loopback address.
    public var isLocal: Bool {
        guard let host else { return true }
        if host == "localhost" || host == "::1" { return true }
        let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
        return parts.count == 4 && !parts.contains(nil) && parts[0] == 127
    }
}

extension String {
    /// What follows `prefix`, or nil where the string doesn't begin with it.
    fileprivate func dropping(prefix: String) -> Substring? {
        hasPrefix(prefix) ? dropFirst(prefix.count) : nil
    }
}
