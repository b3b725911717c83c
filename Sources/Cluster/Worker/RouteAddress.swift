import Foundation

/// The address of this host on the way to another: where the other, and whoever is beside it, can reach this one.
public enum RouteAddress {
    /// Why there is none.
    public struct Failure: Error, Hashable, Sendable, CustomStringConvertible {
        public var host: String
        public var reason: String
        public var description: String {
            "no way to \(host) was found: \(reason); name this host's address with --listen"
        }
    }

    /// The numeric address that the system would send from to `port` of `host`. Nothing is sent.
    ///
    /// - Throws: `RouteAddress.Failure`.
    public static func towards(host: String, port: Int) throws(Failure) -> String {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_DGRAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(host, String(port), &hints, &found)
        guard status == 0, let first = found else {
            throw Failure(host: host, reason: String(cString: gai_strerror(status)))
        }
        defer { freeaddrinfo(first) }
        var candidate: UnsafeMutablePointer<addrinfo>? = first
        while let info = candidate {
            if let address = source(towards: info.pointee) { return address }
            candidate = info.pointee.ai_next
        }
        throw Failure(host: host, reason: String(cString: strerror(errno)))
    }

    private static func source(towards info: addrinfo) -> String? {
        let descriptor = socket(info.ai_family, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var own = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard connect(descriptor, info.ai_addr, info.ai_addrlen) == 0 else { return nil }
        return withUnsafeMutablePointer(to: &own) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address -> String? in
                guard getsockname(descriptor, address, &length) == 0 else { return nil }
                var text = [CChar](repeating: 0, count: 256)
                guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else {
                    return nil
                }
                return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
            }
        }
    }
}
