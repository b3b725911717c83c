import Jobs
import Kernels
import Messaging
import Wire

/// A sum over some lanes of one segment: its numbers, what keeps their memory, and where peers of this host find them.
struct PartialSum {
    /// The first of the segment's numbers. They are only read once the sum is made.
    let start: UnsafePointer<Float>
    /// The trainer's buffer, the scratch, the received frame or the loan that the numbers are in.
    let keeper: any AnyObject & Sendable
    /// Where peers can read the numbers; nil where they must be sent.
    let place: MemoryPlace?
    /// When the last of its parts was there: contributed here, or delivered. What the host took since is none of the emulated
    /// machine's time.
    var instant = MonotonicInstant(nanoseconds: 0)

    /// The sum at element `first` of `buffer`.
    init(in buffer: FloatBuffer, from first: Int) {
        self.init(in: buffer, from: first, keptBy: buffer)
    }

    /// The sum in a part of the pool.
    init(in scratch: ScratchPool.Loan) {
        self.init(in: scratch.slab, from: scratch.first, keptBy: scratch)
    }

    /// The sum in a frame that was received.
    init(at start: UnsafePointer<Float>, in frame: Frame) {
        self.start = start
        keeper = FrameKeeper(frame)
        place = nil
    }

    /// The sum at `place` of a peer's memory.
    init(at start: UnsafePointer<Float>, of loan: BorrowedSum, place: MemoryPlace) {
        self.start = start
        keeper = loan
        self.place = place
    }

    private init(in buffer: FloatBuffer, from first: Int, keptBy keeper: any AnyObject & Sendable) {
        start = UnsafePointer(buffer.pointer + first)
        self.keeper = keeper
        place = buffer.shared.map { MemoryPlace($0, firstByte: first * MemoryLayout<Float>.stride) }
    }

    /// Keeps a frame's memory.
    private final class FrameKeeper: @unchecked Sendable {
        // Sendable: nobody touches the frame; it is only held, and released on whichever thread lets it go last, which
        // `zmq_msg_close` allows.
        private let frame: Frame
        init(_ frame: Frame) { self.frame = frame }
    }
}

extension MemoryPlace {
    /// A place in memory of this process.
    init(_ memory: SharedMemory, firstByte: Int) {
        self.init(
            processID: memory.processID, descriptor: memory.descriptor, nonce: memory.nonce,
            memory: Bytes(memory.bytes), firstByte: firstByte)
    }

    /// The memory that the place is in.
    var sharedMemory: SharedMemory {
        SharedMemory(processID: processID, descriptor: descriptor, nonce: nonce, bytes: memory.count)
    }
}
