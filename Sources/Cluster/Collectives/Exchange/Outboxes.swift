import Jobs
import Kernels
import Messaging
import Wire

/// A sum over some lanes of one segment: its numbers, and what keeps their memory where that is not the trainer's.
struct PartialSum {
    /// The first of the segment's numbers. They are only read once the sum is made.
    let start: UnsafePointer<Float>
    /// The received frame or the scratch that the numbers are in.
    let keeper: AnyObject?

    /// A sum that begins at `start`.
    init(_ start: UnsafePointer<Float>, keptBy keeper: AnyObject? = nil) {
        self.start = start
        self.keeper = keeper
    }
}

/// A connection to each peer, through which sums leave without being copied. Confined to the exchange's thread.
///
/// Connections outlive a membership. One that is closed takes with it what the peer has not read: a peer whose receiving
/// end is full at that moment loses what still waits in the kernel (libzmq stops reading, and forgets the rest when the
/// connection hangs up), and would wait for it without end. So only connections to peers that are gone, or that still
/// hold memory of a step that nobody will finish, are closed.
final class Outboxes {
    private var connections: [String: Connection] = [:]
    /// The endpoint of each peer, by its place.
    private var endpoints: [String] = []
    private let context: Context
    private let state: ExchangeState

    private final class Connection {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    /// Keeps a sum's memory until libzmq has sent it.
    private struct Loan: @unchecked Sendable {
        // Sendable: nobody calls the keeper; it is only held and, on whichever thread lets it go last, released. Both
        // kinds of keeper may end on any thread: `zmq_msg_close` takes any, and the scratch pool locks.
        let keeper: AnyObject?
    }

    /// No connection yet.
    init(in context: Context, state: ExchangeState) {
        self.context = context
        self.state = state
    }

    /// Connects to all `peers` but the one at place `own`, now or as soon as they listen, and forgets all others.
    ///
    /// - Throws: `MessagingError` where an endpoint is none.
    func connect(to peers: [Assignment.Peer], except own: Int) throws(MessagingError) {
        endpoints = peers.map(\.endpoint)
        var kept: [String: Connection] = [:]
        for (place, peer) in peers.enumerated() where place != own {
            if let known = connections[peer.endpoint] {
                kept[peer.endpoint] = known
            } else {
                let socket = try Socket(.push, in: context, options: .gradients)
                try socket.connect(to: try Endpoint(peer.endpoint))
                kept[peer.endpoint] = Connection(socket)
            }
        }
        connections = kept
    }

    /// Closes all connections, on some of which something was lost.
    func dropAll() { connections = [:] }

    /// Makes libzmq give lent memory back: closes the connections to peers that have not taken all that was sent.
    func dropUnsent() {
        for place in state.debtors where endpoints.indices.contains(place) { connections[endpoints[place]] = nil }
    }

    /// Sends `sum`, of the elements that `header` names, to the peer at place `receiver`. Its memory counts as lent until
    /// libzmq has sent or dropped it.
    ///
    /// - Throws: `MessagingError` where libzmq does not take it.
    func send(_ header: ExchangeHeader, _ sum: PartialSum, to receiver: Int) throws(MessagingError) {
        guard let connection = connections[endpoints[receiver]] else { return }
        let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: sum.start, count: header.elements.count))
        let loan = Loan(keeper: sum.keeper)
        state.lend(to: receiver)
        let frame: Frame
        do {
            frame = try Frame(borrowing: bytes) { [state] in
                withExtendedLifetime(loan) { state.takeBack(from: receiver) }
            }
        } catch {
            state.takeBack(from: receiver)
            throw error
        }
        guard connection.socket.send(header: header.encoded(), payload: frame) else {
            throw .call("zmq_msg_send", reason: "worker \(header.sender) can send nothing to \(endpoints[receiver])")
        }
    }
}
