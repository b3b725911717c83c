import Foundation
import Jobs
import Synchronization

/// A relay between the processes of a run, through which all their connections pass and which can disturb each of them.
///
/// It needs nothing of the processes that it stands between: wherever one of them listens, it moves the socket's file aside
/// and listens in its place, so that whoever connects there is connected to the relay, which connects in turn. The sockets'
/// folder looks as without it: a listener that removes its file removes the relay's.
package final class ChaosNetwork: Sendable {
    private struct Command {
        var fault: NetworkFault
        var link: NetworkLink
        var choice: Int
        var answer: @Sendable (Bool) -> Void
    }

    private struct Orders {
        var commands: [Command] = []
        var isClosing = false
        var hasEnded = false
        var awaitingEnd: [@Sendable () -> Void] = []
    }

    private let orders = Mutex(Orders())

    /// Starts a relay for the sockets in the folder `sockets`, which need not be there yet.
    ///
    /// - Parameter aside: a folder on the same file system, with a path short enough for sockets, that takes what is moved.
    package init(between sockets: String, aside: String) throws {
        try FileManager.default.createDirectory(atPath: aside, withIntermediateDirectories: true)
        let thread = Thread { [self] in
            var relay = Relay(sockets: sockets, aside: aside)
            while true {
                let (commands, isClosing) = orders.withLock { orders in
                    defer { orders.commands = [] }
                    return (orders.commands, orders.isClosing)
                }
                for command in commands {
                    command.answer(!isClosing && relay.apply(command.fault, to: command.link, choice: command.choice))
                }
                if isClosing { break }
                relay.work()
            }
            relay.close()
            let awaiting = orders.withLock { orders in
                orders.hasEnded = true
                return orders.awaitingEnd
            }
            for resume in awaiting { resume() }
        }
        thread.name = "chaos network"
        thread.start()
    }

    /// Disturbs one of the sound connections that are for `link`; false where there is none.
    package func apply(_ fault: NetworkFault, to link: NetworkLink, choice: Int) async -> Bool {
        await withCheckedContinuation { continuation in
            apply(fault, to: link, choice: choice) { continuation.resume(returning: $0) }
        }
    }

    /// The same for whom no task is to be waited for: the relay's thread calls `answer`, or this one where it is closing.
    package func apply(
        _ fault: NetworkFault, to link: NetworkLink, choice: Int, answer: @escaping @Sendable (Bool) -> Void
    ) {
        let isOpen = orders.withLock { orders in
            if orders.isClosing { return false }
            orders.commands.append(Command(fault: fault, link: link, choice: choice, answer: answer))
            return true
        }
        if !isOpen { answer(false) }
    }

    /// Cuts all connections and removes what the relay has left in both folders; returns when that is done.
    package func close() async {
        await withCheckedContinuation { continuation in
            let hasEnded = orders.withLock { orders in
                orders.isClosing = true
                if !orders.hasEnded { orders.awaitingEnd.append { continuation.resume() } }
                return orders.hasEnded
            }
            if hasEnded { continuation.resume() }
        }
    }
}

/// The relay's own thread's side.
private struct Relay {
    /// A place where the relay listens instead of another process.
    private struct Listener {
        var descriptor: Int32
        var file: UInt64
        var target: String
        var link: NetworkLink
    }

    private let sockets: String
    private let aside: String
    private var listeners: [String: Listener] = [:]
    private var connections: [RelayedConnection] = []
    private var moved = 0

    /// How long it sleeps where nothing happens: a new listener is found as soon.
    private static let nap: Int32 = 5

    init(sockets: String, aside: String) {
        self.sockets = sockets
        self.aside = aside
    }

    mutating func apply(_ fault: NetworkFault, to link: NetworkLink, choice: Int) -> Bool {
        let candidates = connections.filter { $0.link == link && $0.isSound }
        guard !candidates.isEmpty else { return false }
        candidates[choice % candidates.count].apply(fault, now: .now())
        return true
    }

    /// Waits for a moment until something can be moved, and moves it.
    mutating func work() {
        lookForListeners()
        let now = MonotonicInstant.now()
        let doors = listeners.values.map { $0 }
        var polled = doors.map { pollfd(fd: $0.descriptor, events: Int16(POLLIN), revents: 0) }
        for connection in connections {
            let (client, server) = connection.events(at: now)
            polled.append(pollfd(fd: client == nil ? -1 : connection.client, events: client ?? 0, revents: 0))
            polled.append(pollfd(fd: server == nil ? -1 : connection.server, events: server ?? 0, revents: 0))
        }
        guard poll(&polled, nfds_t(polled.count), Self.nap) >= 0 else { return }
        for (index, connection) in connections.enumerated() {
            let place = doors.count + 2 * index
            connection.move((polled[place].revents, polled[place + 1].revents), now: .now())
        }
        connections.removeAll(where: \.isOver)
        for (door, poll) in zip(doors, polled) where poll.revents != 0 {
            while let client = UnixStream.accepted(from: door.descriptor) {
                if let server = UnixStream.connected(to: door.target) {
                    connections.append(RelayedConnection(door.link, client: client, server: server))
                } else {
                    Foundation.close(client)
                }
            }
        }
    }

    mutating func close() {
        connections = []
        for name in listeners.keys { forget(name, removesFile: true) }
        try? FileManager.default.removeItem(atPath: aside)
    }

    // MARK: - Listeners

    private mutating func lookForListeners() {
        for (name, listener) in listeners where Self.file(at: sockets + "/" + name) != listener.file {
            forget(name, removesFile: false)
        }
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: sockets) else { return }
        for name in names where listeners[name] == nil {
            if let link = Self.link(of: name), Self.file(at: sockets + "/" + name) != nil { standIn(name, link) }
        }
    }

    private mutating func standIn(_ name: String, _ link: NetworkLink) {
        moved += 1
        let path = sockets + "/" + name
        let target = aside + "/\(moved)"
        guard rename(path, target) == 0 else { return }
        guard let descriptor = UnixStream.listening(at: path), let file = Self.file(at: path) else {
            rename(target, path)
            return
        }
        listeners[name] = Listener(descriptor: descriptor, file: file, target: target, link: link)
        // Where the run's own sockets were being removed at this moment, this one came too late to be.
        let run = sockets + "/" + name.prefix { $0 != "-" }
        if Self.file(at: run) == nil { forget(name, removesFile: true) }
    }

    private mutating func forget(_ name: String, removesFile: Bool) {
        guard let listener = listeners.removeValue(forKey: name) else { return }
        if removesFile { unlink(sockets + "/" + name) }
        Foundation.close(listener.descriptor)
        unlink(listener.target)
    }

    /// The number of the socket's file at `path`; nil where there is none.
    private static func file(at path: String) -> UInt64? {
        var information = stat()
        guard lstat(path, &information) == 0, information.st_mode & S_IFMT == S_IFSOCK else { return nil }
        return UInt64(information.st_ino)
    }

    /// What a socket called `name` is for: `RUN` is the coordinator's, `RUN-RANK` and `RUN-RANK-state` are a worker's.
    private static func link(of name: String) -> NetworkLink? {
        let parts = name.split(separator: "-", omittingEmptySubsequences: false)
        guard let first = parts.first, RunID(String(first)) != nil else { return nil }
        switch parts.count {
        case 1: return .control
        case 2 where Int(parts[1]) != nil: return .peers
        case 3 where Int(parts[1]) != nil && parts[2] == "state": return .peers
        default: return nil
        }
    }
}
