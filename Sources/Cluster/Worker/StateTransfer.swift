import CZeroMQ
import Foundation
import Jobs
import Messaging
import Synchronization
import Training
import Wire

/// Why weights and optimizer state did not reach a worker that lacks them.
struct StateTransferError: Error, Hashable, Sendable, CustomStringConvertible {
    var reason: String
    var description: String { "weights and optimizer state were not passed on: \(reason)" }
}

/// What a transfer is about.
struct StateTransfer: Sendable {
    /// The run, the membership, and the steps that the state has seen.
    var run: RunID
    var epoch: Int
    var stepsMade: Int
    /// Who sends.
    var source: WorkerRank

    /// Elements of one frame: large enough that its cost is small beside its copy.
    static let chunk = 1 << 20
    /// How long either side waits for the other to do anything: it has nothing else to do.
    static let deadline = HostSeconds(10)
    /// How often a wait looks whether it is still wanted.
    static let look = 0.05

    /// The header of the elements `elements` of buffer `buffer`.
    func header(_ buffer: Int, _ elements: Range<Int>) -> ExchangeHeader {
        ExchangeHeader(
            run: run, epoch: epoch, step: StepNumber(stepsMade), bucket: buffer, sender: source, elements: elements,
            lanes: 0..<0)
    }

    /// Sends `state` to the worker that listens at `endpoint`, out of the trainer's own memory.
    ///
    /// - Parameter check: called now and then; what it throws ends the transfer.
    /// - Throws: `StateTransferError`, `MessagingError`, what `check` throws. The memory is not read any more then.
    func send(
        _ state: [UnsafeMutableBufferPointer<Float>], to endpoint: Endpoint, with client: CurveClient? = nil,
        in context: Context, check: () throws -> Void
    ) throws {
        let loans = Loans()
        do {
            let socket = try Socket(.push, in: context, options: .gradients)
            try socket.connect(to: endpoint, with: client)
            for (index, buffer) in state.enumerated() {
                for start in stride(from: 0, to: buffer.count, by: Self.chunk) {
                    let elements = start..<min(start + Self.chunk, buffer.count)
                    loans.lend()
                    let frame = try Frame(
                        borrowing: UnsafeRawBufferPointer(UnsafeBufferPointer(rebasing: buffer[elements]))
                    ) { loans.takeBack() }
                    guard socket.send(header: header(index, elements).encoded(), payload: frame) else {
                        throw StateTransferError(reason: "\(endpoint) takes no frames")
                    }
                }
            }
            try loans.wait(within: Self.deadline, check: check)
        } catch {
            // The socket is closed by now, so that libzmq gives back what it has not sent.
            try? loans.wait(within: HostSeconds(10)) {}
            throw error
        }
    }
}

/// Counts frames of the trainer's memory that libzmq has not given back.
private final class Loans: Sendable {
    private let count = Mutex(0)
    private let changed = MonotonicSemaphore(value: 0)

    func lend() { count.withLock { $0 += 1 } }

    func takeBack() {
        count.withLock { $0 -= 1 }
        changed.signal()
    }

    /// Waits until all are back. The deadline counts from the last one that came.
    func wait(within deadline: HostSeconds, check: () throws -> Void) throws {
        var last = MonotonicInstant.now()
        while count.withLock({ $0 }) > 0 {
            if changed.wait(timeout: .now() + StateTransfer.look) == .success { last = .now() }
            try check()
            guard MonotonicInstant.now().elapsed(since: last) < deadline else {
                throw StateTransferError(reason: "the receiver took nothing for \(Int(deadline.seconds)) s")
            }
        }
    }
}

/// Where a worker takes weights and optimizer state from a peer. Confined to the computing thread.
final class StateInbox {
    /// Where peers send to.
    let endpoint: Endpoint
    private let socket: Socket

    /// Listens at `endpoint`, as `keys`; nil where all are on one host.
    ///
    /// - Throws: `MessagingError`.
    init(listeningAt endpoint: Endpoint, as keys: CurveKeyPair? = nil, in context: Context) throws {
        var options = Socket.Options.gradients
        // A sender closes once all is sent, and must not take with it what would not fit here.
        options.receiveHighWaterMark = 0
        socket = try Socket(.pull, in: context, options: options)
        self.endpoint = try socket.bind(to: endpoint, as: keys)
    }

    /// Fills `state` with what `transfer` brings. Frames of earlier transfers are dropped.
    ///
    /// - Parameter check: called now and then; what it throws ends the wait.
    /// - Throws: `StateTransferError`, `MessagingError`, what `check` throws. The state is then neither old nor new.
    func receive(
        _ transfer: StateTransfer, into state: [UnsafeMutableBufferPointer<Float>], check: () throws -> Void
    ) throws {
        var filled = Array(repeating: 0, count: state.count)
        var last = MonotonicInstant.now()
        var items = [socket.pollItem]
        while zip(filled, state).contains(where: { $0 < $1.count }) {
            try check()
            zmq_poll(&items, 1, Int(StateTransfer.look * 1_000))
            while let (headerFrame, payload) = try socket.receivePair() {
                guard let header = try? ExchangeHeader(decoding: UnsafeRawBufferPointer(headerFrame.bytes)),
                    let payload,
                    header.run == transfer.run, header.epoch == transfer.epoch
                else { continue }
                try take(header, payload, transfer, into: state, &filled)
                last = .now()
            }
            guard MonotonicInstant.now().elapsed(since: last) < StateTransfer.deadline else {
                throw StateTransferError(
                    reason: "worker \(transfer.source) sent nothing for \(Int(StateTransfer.deadline.seconds)) s")
            }
        }
    }

    private func take(
        _ header: ExchangeHeader, _ payload: Frame, _ transfer: StateTransfer,
        into state: [UnsafeMutableBufferPointer<Float>], _ filled: inout [Int]
    ) throws {
        let (buffer, elements) = (header.bucket, header.elements)
        guard header.sender == transfer.source, header.step.index == transfer.stepsMade, state.indices.contains(buffer),
            elements.lowerBound == filled[buffer], elements.upperBound <= state[buffer].count,
            payload.bytes.count == elements.count * MemoryLayout<Float>.stride, !elements.isEmpty
        else {
            throw StateTransferError(
                reason:
                    "worker \(header.sender) sent elements \(elements) of buffer \(buffer) after \(header.step) steps, "
                    + "which are not awaited")
        }
        UnsafeMutableRawBufferPointer(UnsafeMutableBufferPointer(rebasing: state[buffer][elements]))
            .copyMemory(from: UnsafeRawBufferPointer(payload.bytes))
        filled[buffer] = elements.upperBound
    }
}
