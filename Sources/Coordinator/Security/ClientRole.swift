import Wire

/// What the holder of a key may do. This host's own user may do everything, through the socket in the state directory.
public enum ClientRole: String, CaseIterable, Sendable, Hashable {
    /// Everything that `observe` may, and launch, cancel, resume and delete runs.
    case submit
    /// Look at runs.
    case observe
    /// Take part in runs as a worker, and nothing else.
    case worker

    /// Whether it may ask for `request`.
    public func permits(_ request: ClientRequest) -> Bool {
        switch (self, request) {
        case (_, .ping): true
        case (.submit, .launch), (.submit, .cancel), (.submit, .delete), (.submit, .resume): true
        case (.submit, .document), (.observe, .document): true
        case (.worker, .work): true
        case (.submit, .work), (.observe, .work): false
        case (.observe, .launch), (.observe, .cancel), (.observe, .delete), (.observe, .resume): false
        case (.worker, .launch), (.worker, .cancel), (.worker, .delete), (.worker, .resume), (.worker, .document): false
        }
    }
}
