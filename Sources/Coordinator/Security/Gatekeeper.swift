import Foundation
import Logging
import Messaging
import Synchronization

/// Knows at any time who is let in: reads the list anew whenever it has changed, so that a key that is revoked is refused at
/// its next request, and not only when the daemon starts again.
final class Gatekeeper: Sendable {
    /// The daemon's own key.
    let keys: CurveKeyPair
    private let store: KeyStore
    private let logger: Logger
    private let known = Mutex(Known())

    private struct Known {
        var version: Version?
        var keys: [CurvePublicKey: AuthorizedKey] = [:]
    }

    /// Tells one state of the list from the next: it is never written to, but replaced.
    private struct Version: Equatable {
        var file: UInt64
        var seconds: Int
        var nanoseconds: Int
        var size: Int
    }

    /// - Throws: `KeyError` where a file is missing, damaged or open to others.
    init(_ store: KeyStore, logger: Logger) throws(KeyError) {
        keys = try store.serverKey()
        _ = try store.list()
        self.store = store
        self.logger = logger
    }

    /// What is known of the holder of `key`; nil for a stranger. Where the list can't be read everybody is one.
    func holder(of key: CurvePublicKey) -> AuthorizedKey? {
        known.withLock { known in
            let version = version
            if version != known.version {
                known.version = version
                known.keys = [:]
                do {
                    for entry in try store.list() { known.keys[entry.key] = entry }
                } catch {
                    logger.error("nobody is let in: \(error)")
                }
            }
            return known.keys[key]
        }
    }

    /// Admits the holders of keys whose role `isFitting`, and refuses everybody else.
    func check(_ isFitting: @escaping @Sendable (ClientRole) -> Bool) -> KeyCheck {
        { key in self.holder(of: key).map { isFitting($0.role) } == true ? .admitted : .refused }
    }

    private var version: Version? {
        var status = stat()
        guard stat(store.listFile, &status) == 0 else { return nil }
        return Version(
            file: UInt64(status.st_ino), seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec,
            size: Int(status.st_size))
    }
}

/// Tells of connections that were refused, once in ten seconds at most: whoever knocks must not fill the log.
final class RefusalLog: Sendable {
    private struct State {
        var untold = 0
        var told: ContinuousClock.Instant?
    }

    private let logger: Logger
    private let state = Mutex(State())
    private static let pause = Duration.seconds(10)

    /// A log that writes to `logger`.
    init(logger: Logger) { self.logger = logger }

    /// Takes note of a refusal.
    func note(_ what: String) {
        let now = ContinuousClock.now
        let count = state.withLock { state -> Int? in
            state.untold += 1
            if let told = state.told, now - told < Self.pause { return nil }
            defer { state.untold = 0 }
            state.told = now
            return state.untold
        }
        guard let count else { return }
        logger.warning("refused: \(what)\(count > 1 ? " (and \(count - 1) more since the last such line)" : "")")
    }
}
