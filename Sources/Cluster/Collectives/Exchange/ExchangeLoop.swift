import CZeroMQ
import Jobs
import Messaging
import Wire

/// The exchange's own thread: carries out orders, and hands what arrives to the session with the present peers.
struct ExchangeLoop: ~Copyable {
    /// Sums that came too early: of the next step, or of a membership that this worker has not been told of yet.
    private var parked: [ExchangeArrival] = []
    private var session: ExchangeSession?
    private let inbox: Socket
    private let outboxes: Outboxes
    private let state: ExchangeState

    /// More early sums than peers that keep to the protocol ever send.
    private static let parkingLimit = 65_536

    /// A loop that receives through `inbox`, and is known to peers by `keys`.
    init(inbox: consuming Socket, as keys: CurveKeyPair?, in context: Context, state: ExchangeState) {
        self.inbox = inbox
        self.state = state
        outboxes = Outboxes(as: keys, in: context, state: state)
    }

    /// Runs until it is ordered to close.
    ///
    /// - Throws: `MessagingError` where libzmq fails.
    mutating func run(wakeUp: WakeUp) throws(MessagingError) {
        var items = [wakeUp.pollItem, inbox.pollItem]
        var obeyed = 0
        while true {
            // Without peers nothing is read: libzmq keeps what comes and lets the senders wait.
            guard zmq_poll(&items, session == nil ? 1 : 2, -1) >= 0 || zmq_errno() == EINTR else {
                throw .call("zmq_poll", reason: String(cString: zmq_strerror(zmq_errno())))
            }
            wakeUp.clear()
            let (order, number) = state.order
            if number != obeyed {
                session = nil
                outboxes.forgetMembership()
                switch order {
                case .idle: break
                case .join(let setup, let memory):
                    if setup.reconnects { outboxes.dropAll() }
                    try outboxes.connect(to: setup.peers, except: setup.place)
                    session = ExchangeSession(setup, memory: memory, outboxes: outboxes, wakeUp: wakeUp, state: state)
                    try unpark()
                case .close: parked = []
                }
                obeyed = number
                state.obey(number)
                if case .close = order { return }
            }
            try work()
        }
    }

    private mutating func work() throws(MessagingError) {
        guard let session else { return }
        repeat {
            if let (step, begun, contributions) = state.contributed {
                if session.begin(step, at: begun) { try unpark() }
                try session.contribute(contributions)
            }
        } while try receive()
        try session.returnLoans()
        session.report()
    }

    /// Takes the next message, if there is one.
    private mutating func receive() throws(MessagingError) -> Bool {
        guard let (first, payload) = try inbox.receivePair() else { return false }
        switch Self.read(UnsafeRawBufferPointer(first.bytes), payload) {
        case .arrival(let arrival): try take(arrival)
        case .returned(let loans):
            if let reason = try session?.takeBack(loans) { state.noteRefusal(reason) }
        case .unreadable(let reason): state.noteRefusal(reason)
        }
        return true
    }

    /// What a message may be.
    private enum Message {
        case arrival(ExchangeArrival)
        case returned(LoansReturned)
        case unreadable(String)
    }

    private static func read(_ first: UnsafeRawBufferPointer, _ payload: Frame?) -> Message {
        do throws(WireError) {
            if let payload {
                return .arrival(
                    ExchangeArrival(header: try ExchangeHeader(decoding: first), content: .numbers(payload)))
            }
            switch try LoanMessage(decoding: first) {
            case .lent(let header, let number, let place):
                return .arrival(ExchangeArrival(header: header, content: .loan(number, place)))
            case .returned(let loans): return .returned(loans)
            }
        } catch {
            guard payload == nil else { return .unreadable(error.description) }
            return .unreadable("a message is neither a loan nor a header and one frame of numbers: \(error)")
        }
    }

    private mutating func take(_ arrival: ExchangeArrival) throws(MessagingError) {
        guard let session else { return }
        switch try session.take(arrival) {
        case .taken: break
        case .refused(let reason): state.noteRefusal(reason)
        case .early where parked.count < Self.parkingLimit: parked.append(arrival)
        case .early: state.noteRefusal("\(arrival.header.name) is early, as are \(parked.count) others")
        }
    }

    /// Tries again what came too early.
    private mutating func unpark() throws(MessagingError) {
        let arrivals = parked
        parked = []
        for arrival in arrivals { try take(arrival) }
    }
}
