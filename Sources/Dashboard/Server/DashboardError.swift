import Jobs

/// Why the dashboard can't be had.
public enum DashboardError: Error, Hashable, Sendable, CustomStringConvertible {
    /// A text that is no address.
    case notAnAddress(String)
    /// An address that others can reach, without a token or without the name by which they do.
    case notLoopback(String)
    case nameless(String)
    /// A token that could be guessed, or has characters that would be changed on the way.
    case weakToken(path: String)
    /// The address is taken, or may not be used.
    case cannotListen(DashboardAddress, reason: String)

    public var description: String {
        switch self {
        case .notAnAddress(let text):
            "\(PrintableText.quoted(text, limit: 64)) is no address for the dashboard; give a port (0 for any that is free) "
                + "or HOST:PORT, such as 127.0.0.1:8642"
        case .notLoopback(let text):
            "without a token the dashboard listens on this machine alone: 127.0.0.1, localhost and [::1] are allowed, "
                + "found \(PrintableText.quoted(text, limit: 64)); to reach it from elsewhere use "
                + "'ssh -L 8642:127.0.0.1:8642 HOST', or --dashboard-token and --dashboard-host behind a proxy that speaks TLS"
        case .nameless(let text):
            "the dashboard at \(text) refuses requests for names that are not its own; give the name by which the proxy is "
                + "reached with --dashboard-host"
        case .weakToken(let path):
            "\(path): a token of 32 characters or more of A-Z, a-z, 0-9, '-', '.', '_' and '~' is needed; "
                + "'openssl rand -hex 32' makes one"
        case .cannotListen(let address, let reason):
            "the dashboard can't listen at \(address): \(reason); give another address with --dashboard, "
                + "or --no-dashboard"
        }
    }
}
