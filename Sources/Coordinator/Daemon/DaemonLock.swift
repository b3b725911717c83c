import Foundation

/// Holds the lock that makes a state directory one daemon's alone. The kernel releases it when the process ends,
/// however it ends.
struct DaemonLock: ~Copyable {
    private let descriptor: Int32

    /// Takes the lock, or says who holds it.
    ///
    /// - Throws: `DaemonError.alreadyRunning`, `DaemonError.unusableState`.
    init(in state: StateDirectory) throws {
        let descriptor = open(state.lockFile, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw DaemonError.unusableState(path: state.lockFile, reason: String(cString: strerror(errno)))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let code = errno
            defer { close(descriptor) }
            guard code == EWOULDBLOCK else {
                throw DaemonError.unusableState(path: state.lockFile, reason: String(cString: strerror(code)))
            }
            throw DaemonError.alreadyRunning(state: state.path, processID: Self.holder(of: state))
        }
        let text = "\(getpid())\n"
        guard ftruncate(descriptor, 0) == 0, write(descriptor, text, text.utf8.count) == text.utf8.count else {
            let reason = String(cString: strerror(errno))
            close(descriptor)
            throw DaemonError.unusableState(path: state.lockFile, reason: reason)
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// The process that wrote the lock file last.
    static func holder(of state: StateDirectory) -> Int32? {
        guard let text = try? String(contentsOfFile: state.lockFile, encoding: .utf8) else { return nil }
        return Int32(text.trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Whether a daemon holds the lock now. Takes no lock itself.
    static func isHeld(in state: StateDirectory) -> Bool {
        let descriptor = open(state.lockFile, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 {
            flock(descriptor, LOCK_UN)
            return false
        }
        return errno == EWOULDBLOCK
    }
}
