import CZeroMQ
import Jobs
import Messaging
import Wire

/// The exchange's own thread: carries out orders, and hands what arrives to the session with the present peers.
struct ExchangeLoop: ~Copyable {
    /// Frames that came too early: of the next step, or of a membership that this worker has not been told of yet.
    private var parked: [(header: ExchangeHeader, payload: Frame)] = []
    private var session: ExchangeSession?
    private let inbox: Socket
    private let outboxes: Outboxes
    private let state: ExchangeState

    /// More early frames than peers that keep to the protocol ever send.
    private static let parkingLimit = 65_536

    /// A loop that receives through `inbox`.
    init(inbox: consuming Socket, in context: Context, state: ExchangeState) {
        self.inbox = inbox
        self.state = state
        outboxes = Outboxes(in: context, state: state)
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
                outboxes.dropUnsent()
                switch order {
                case .idle: break
                case .join(let setup, let memory):
                    if setup.reconnects { outboxes.dropAll() }
                    try outboxes.connect(to: setup.peers, except: setup.place)
                    session = ExchangeSession(setup, memory: memory, outboxes: outboxes, state: state)
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
            if let (step, ready) = state.contribution {
                if session.begin(step) { try unpark() }
                try session.contribute(upTo: ready)
            }
        } while try receive()
        session.report()
    }

    /// Takes the next frame, if there is one.
    private mutating func receive() throws(MessagingError) -> Bool {
        guard let (headerFrame, payload) = try inbox.receivePair() else { return false }
        let header: ExchangeHeader
        do {
            header = try ExchangeHeader(decoding: UnsafeRawBufferPointer(headerFrame.bytes))
        } catch {
            state.noteRefusal(error.description)
            return true
        }
        if let payload {
            try take(header, payload)
        } else {
            state.noteRefusal("\(header.name) did not come with one frame of numbers")
        }
        return true
    }

    private mutating func take(_ header: ExchangeHeader, _ payload: Frame) throws(MessagingError) {
        guard let session else { return }
        switch try session.take(header, payload) {
        case .taken: break
        case .refused(let reason): state.noteRefusal(reason)
        case .early where parked.count < Self.parkingLimit: parked.append((header, payload))
        case .early: state.noteRefusal("\(header.name) is early, as are \(parked.count) others")
        }
    }

    /// Tries again what came too early.
    private mutating func unpark() throws(MessagingError) {
        let frames = parked
        parked = []
        for (header, payload) in frames { try take(header, payload) }
    }
}
