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
final class Outboxes {
    private var sockets: [Connection]
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

    /// Connects to all `peers` but `own`, now or as soon as they listen.
    ///
    /// - Throws: `MessagingError` where an endpoint is none.
    init(
        to peers: [Assignment.Peer], except own: WorkerRank, in context: Context, state: ExchangeState
    ) throws(MessagingError) {
        self.state = state
        sockets = []
        for peer in peers {
            let socket = try Socket(.push, in: context, options: .gradients)
            if peer.rank != own { try socket.connect(to: try Endpoint(peer.endpoint)) }
            sockets.append(Connection(socket))
        }
    }

    /// Sends `sum`, of the elements that `header` names, to rank `receiver`. Its memory counts as lent until libzmq has
    /// sent or dropped it.
    ///
    /// - Throws: `MessagingError` where libzmq does not take it.
    func send(_ header: ExchangeHeader, _ sum: PartialSum, to receiver: Int) throws(MessagingError) {
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
        guard sockets[receiver].socket.send(header: header.encoded(), payload: frame) else {
            throw .call("zmq_msg_send", reason: "worker \(receiver) takes no frames")
        }
    }
}
