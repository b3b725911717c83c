import Jobs

/// Why the dashboard can't be had.
public enum DashboardError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A text that is no address.
    case notAnAddress(String)
    /// An address that others can reach.
    case notLoopback(String)
    /// The address is taken, or may not be used.
    case cannotListen(DashboardAddress, reason: String)

    public var description: String {
        switch self {
        case .notAnAddress(let text):
            "\(PrintableText.quoted(text, limit: 64)) is no address for the dashboard; give a port (0 for any that is free) "
                + "or HOST:PORT, such as 127.0.0.1:8642"
        case .notLoopback(let text):
            "the dashboard has no password, so it listens on this machine alone: 127.0.0.1, localhost and [::1] are allowed, "
                + "found \(PrintableText.quoted(text, limit: 64)); to reach it from elsewhere use "
                + "'ssh -L 8642:127.0.0.1:8642 HOST', or a proxy that asks for a password"
        case .cannotListen(let address, let reason):
            "the dashboard can't listen at \(address): \(reason); give another address with --dashboard, "
                + "or --no-dashboard"
        }
    }
}
