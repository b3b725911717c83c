import Jobs
import Messaging
import Synchronization
import Wire

/// A worker among workers of other hosts: it is known to them by a key of its own, made when it starts and told to them by
/// the coordinator, and takes connections from the peers of its membership alone.
final class WorkerNetwork: Sendable {
    /// The worker's key and the coordinator's.
    let coordinator: CurveClient
    /// This worker to its peers. No file has it; it ends with the process.
    let keys: CurveKeyPair
    private let peers = Mutex<Set<CurvePublicKey>>([])

    /// - Throws: `MessagingError.key` where libzmq has no CURVE.
    init(_ remote: WorkerProcess.Remote) throws(MessagingError) {
        coordinator = remote.client
        keys = try CurveKeyPair.generate()
    }

    /// From now on takes connections of `members` and of nobody else.
    func admit(_ members: [Assignment.Peer]) {
        let keys = Set(members.compactMap { try? CurvePublicKey(bytes: $0.key) })
        peers.withLock { $0 = keys }
    }

    /// Whether somebody with `key` may connect. A peer may have heard of the membership before this worker has, so that
    /// nobody is turned away for good.
    func verdict(on key: CurvePublicKey) -> KeyVerdict {
        peers.withLock { $0.contains(key) } ? .admitted : .notYet
    }
}

extension Assignment.Peer {
    /// What `keys` needs to connect to this peer; nil where all are on one host.
    ///
    /// - Throws: `MessagingError.key` where the peer has no key.
    func client(of keys: CurveKeyPair?) throws(MessagingError) -> CurveClient? {
        guard let keys else { return nil }
        return CurveClient(keys: keys, server: try CurvePublicKey(bytes: key))
    }
}
