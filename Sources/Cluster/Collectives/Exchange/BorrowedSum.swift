import Foundation
import Kernels
import Messaging
import Synchronization

/// A sum that is read out of a peer's memory. When nobody holds it any more, the peer is told that it may write there
/// again.
final class BorrowedSum: Sendable {
    private let view: SharedMemoryView
    private let number: UInt64
    private let lender: Int
    private let returns: LoanReturns

    /// The loan `number` of the peer at place `lender`, in the memory that `view` maps.
    init(_ number: UInt64, of lender: Int, in view: SharedMemoryView, returns: LoanReturns) {
        self.number = number
        self.lender = lender
        self.view = view
        self.returns = returns
    }

    deinit { returns.add(number, to: lender) }
}

/// Loans that are to be returned to peers, collected so that one message returns many. They may end on any thread.
final class LoanReturns: Sendable {
    /// What one peer gets back.
    struct Batch: Sendable {
        var read: [UInt64] = []
        var unreadable: [UInt64] = []
        var reason = ""
    }

    private let batches = Mutex<[Int: Batch]>([:])
    private let wakeUp: WakeUp
    private let collector: pthread_t

    /// Made by the thread that collects them and that `wakeUp` wakes.
    init(wakeUp: WakeUp) {
        self.wakeUp = wakeUp
        collector = pthread_self()
    }

    /// Notes that loan `number` of the peer at place `lender` is not read any more.
    func add(_ number: UInt64, to lender: Int) {
        batches.withLock { $0[lender, default: Batch()].read.append(number) }
        if pthread_equal(pthread_self(), collector) == 0 { wakeUp.signal() }
    }

    /// Notes that loan `number` can't be read because of `reason`.
    func refuse(_ number: UInt64, to lender: Int, reason: String) {
        batches.withLock {
            $0[lender, default: Batch()].unreadable.append(number)
            $0[lender, default: Batch()].reason = reason
        }
    }

    /// Takes what has come together, by the places of the lenders.
    func take() -> [Int: Batch] {
        batches.withLock { batches in
            defer { batches = [:] }
            return batches
        }
    }
}

/// The peers' memory that is mapped: each file once for as long as a membership lasts.
struct PeerMemory {
    /// More files than peers that keep to the protocol ever share.
    private static let limit = 4_096

    private var views: [SharedMemory: SharedMemoryView] = [:]

    /// The view of `memory`.
    ///
    /// - Throws: `SharedMemoryError` where it can't be mapped.
    mutating func view(of memory: SharedMemory) throws(SharedMemoryError) -> SharedMemoryView {
        if let known = views[memory] { return known }
        guard views.count < Self.limit else {
            throw SharedMemoryError(path: "memory of a peer", reason: "\(views.count) files are mapped already")
        }
        let view = try SharedMemoryView(opening: memory)
        views[memory] = view
        return view
    }
}
