import Jobs
import Messaging
import Wire

/// A connection to each peer, through which sums leave without being copied: libzmq reads them where they are, or a peer of
/// the same host does. Confined to the exchange's thread.
///
/// Connections outlive a membership. One that is closed takes with it what the peer has not read: a peer whose receiving
/// end is full at that moment loses what still waits in the kernel (libzmq stops reading, and forgets the rest when the
/// connection hangs up), and would wait for it without end. So only connections to peers that are gone, or that still
/// hold memory of a step that nobody will finish, are closed.
final class Outboxes {
    private var connections: [String: Connection] = [:]
    /// The endpoint of each peer, by its place.
    private var endpoints: [String] = []
    /// Sums that peers read in this worker's memory, by the number of the loan.
    private var loans: [UInt64: Loan] = [:]
    private var lastLoan: UInt64 = 0
    /// The places of the peers that can't read this worker's memory.
    private var strangers: Set<Int> = []
    /// Puts the present membership's sums into frames.
    private var coder: SumCoder?
    private let keys: CurveKeyPair?
    private let context: Context
    private let state: ExchangeState

    private final class Connection {
        let socket: Socket
        init(_ socket: consuming Socket) { self.socket = socket }
    }

    private struct Loan {
        let header: ExchangeHeader
        let sum: PartialSum
        let receiver: Int
    }

    /// No connection yet. `keys` are this worker's own; nil where all are on one host.
    init(as keys: CurveKeyPair?, in context: Context, state: ExchangeState) {
        self.keys = keys
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
                try socket.connect(to: try Endpoint(peer.endpoint), with: try peer.client(of: keys))
                kept[peer.endpoint] = Connection(socket)
            }
        }
        connections = kept
    }

    /// Puts sums into frames by `coder` until the membership ends.
    func begin(_ coder: SumCoder) { self.coder = coder }

    /// Ends all loans, and makes libzmq give lent memory back: closes the connections to peers that have not taken all that
    /// was sent.
    ///
    /// A peer may still be reading what was lent to it, and will then have a wrong sum. It never applies it: whoever
    /// belongs to the next membership has halted before that was formed, and sums nothing for the one before; who does not
    /// has been declared lost, and what it has is thrown away.
    func forgetMembership() {
        for loan in loans.values { state.takeBack(from: loan.receiver) }
        loans = [:]
        strangers = []
        coder = nil
        for place in state.debtors where endpoints.indices.contains(place) { connections[endpoints[place]] = nil }
    }

    /// Closes all connections, on some of which something was lost.
    func dropAll() { connections = [:] }

    /// Sends `sum`, of the elements that `header` names, to the peer at place `receiver`; a header without an instant gets the
    /// present one. Its memory counts as lent until libzmq has sent or dropped it.
    ///
    /// - Returns: the bytes that its numbers take.
    /// - Throws: `MessagingError` where libzmq does not take it.
    @discardableResult
    func send(_ header: ExchangeHeader, _ sum: PartialSum, to receiver: Int) throws(MessagingError) -> Int {
        guard let connection = connections[endpoints[receiver]], let coder else { return 0 }
        let encoded = coder.encode(sum, header)
        state.lend(to: receiver)
        let frame: Frame
        do {
            let keeper = encoded.keeper
            frame = try Frame(borrowing: encoded.bytes) { [state] in
                withExtendedLifetime(keeper) { state.takeBack(from: receiver) }
            }
        } catch {
            state.takeBack(from: receiver)
            throw error
        }
        var header = header
        if header.instant.nanoseconds == 0 { header.instant = .now() }
        guard connection.socket.send(header: header.encoded(), payload: frame) else { throw full(receiver) }
        return encoded.bytes.count
    }

    // MARK: - Loans

    /// Tells the peer at place `receiver` where it can read `sum`. The memory counts as lent until the peer returns it.
    ///
    /// - Returns: whether it was told; not so where it can't read this worker's memory.
    /// - Throws: `MessagingError` where libzmq does not take it.
    func lend(_ header: ExchangeHeader, _ sum: PartialSum, to receiver: Int) throws(MessagingError) -> Bool {
        guard let place = sum.place, !strangers.contains(receiver) else { return false }
        lastLoan += 1
        loans[lastLoan] = Loan(header: header, sum: sum, receiver: receiver)
        state.lend(to: receiver)
        try say(.lent(header, number: lastLoan, place), to: receiver)
        return true
    }

    /// Takes back loans that the peer at place `reader` returns, and sends the numbers of those that it can't read.
    ///
    /// - Returns: whether the peer said for the first time that it can't read this worker's memory.
    /// - Throws: `MessagingError` where libzmq does not take it.
    func takeBack(_ returned: LoansReturned, from reader: Int) throws(MessagingError) -> Bool {
        for number in returned.read { _ = end(number, of: reader) }
        var isNews = false
        for number in returned.unreadable {
            guard let loan = end(number, of: reader) else { continue }
            isNews = strangers.insert(reader).inserted || isNews
            try send(loan.header, loan.sum, to: reader)
        }
        return isNews
    }

    /// Returns the peers' loans that have come together in `returns`, as `sender` of a membership.
    ///
    /// - Throws: `MessagingError` where libzmq does not take it.
    func giveBack(_ returns: LoanReturns, run: RunID, epoch: Int, sender: WorkerRank) throws(MessagingError) {
        for (lender, batch) in returns.take() {
            let loans = LoansReturned(
                run: run, epoch: epoch, sender: sender, read: batch.read, unreadable: batch.unreadable,
                reason: batch.reason)
            try say(.returned(loans), to: lender)
        }
    }

    /// Ends a loan, if the peer at place `reader` has it.
    private func end(_ number: UInt64, of reader: Int) -> Loan? {
        guard let loan = loans[number], loan.receiver == reader else { return nil }
        loans[number] = nil
        state.takeBack(from: reader)
        return loan
    }

    private func say(_ message: LoanMessage, to receiver: Int) throws(MessagingError) {
        guard let connection = connections[endpoints[receiver]] else { return }
        guard connection.socket.send([message.encoded()]) else { throw full(receiver) }
    }

    private func full(_ receiver: Int) -> MessagingError {
        .call("zmq_msg_send", reason: "nothing can be sent to \(endpoints[receiver])")
    }
}
