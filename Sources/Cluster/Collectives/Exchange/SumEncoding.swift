import Jobs
import Kernels
import Messaging
import Training
import Wire

/// How the numbers of a sum are put into a frame. Nothing is lost on the way: what is given up of gradients is given up
/// before they are summed, by whoever computes them.
public enum SumEncoding: Hashable, Sendable {
    /// 4 bytes each, out of the memory that they are in.
    case float32
    /// 2 bytes each: every sum is rounded to that.
    case half(Vector.Half)
    /// Without zeros, where that takes fewer bytes than `float32`.
    case nonZeros

    /// The encoding of `job`'s sums.
    public init(_ job: Job) {
        switch job.compression {
        case nil: self = .float32
        case .bf16?, .fp16?: self = job.gradientHalf.map(SumEncoding.half) ?? .float32
        case .topK?: self = .nonZeros
        }
    }

    /// What sums are rounded to; nil for f32.
    var rounding: Vector.Half? { if case .half(let half) = self { half } else { nil } }
}

/// Puts sums into frames and takes them out. Confined to the exchange's thread.
final class SumCoder {
    /// The bytes of a sum, and what keeps them.
    struct Encoded {
        let bytes: UnsafeRawBufferPointer
        let keeper: any AnyObject & Sendable
    }

    private let encoding: SumEncoding
    /// Memory for what is put together, and for what was taken apart.
    private let scratch: ScratchPool
    /// The sum that was packed last, for a total goes to many peers; nil for one that goes as it is, whose memory must not be
    /// held longer than it is needed.
    private var last: (header: ExchangeHeader, packed: Encoded?)?

    init(_ encoding: SumEncoding, scratch: ScratchPool) {
        self.encoding = encoding
        self.scratch = scratch
    }

    /// The bytes of `sum`, the elements that `header` names.
    func encode(_ sum: PartialSum, _ header: ExchangeHeader) -> Encoded {
        let count = header.elements.count
        let whole = Encoded(
            bytes: UnsafeRawBufferPointer(UnsafeBufferPointer(start: sum.start, count: count)), keeper: sum.keeper)
        if encoding == .float32 { return whole }
        if let last, last.header == header { return last.packed ?? whole }
        let packed = pack(sum, count: count)
        last = (header, packed)
        return packed ?? whole
    }

    /// The sum in fewer bytes; nil where it takes as many.
    private func pack(_ sum: PartialSum, count: Int) -> Encoded? {
        let piece = scratch.take()
        let packed = UnsafeMutableRawPointer(piece.pointer)
        let bytes: Int?
        switch encoding {
        case .float32: bytes = nil
        case .half(let half):
            Vector.pack(
                into: packed.assumingMemoryBound(to: UInt16.self), from: sum.start, count: count, as: half)
            bytes = count * MemoryLayout<UInt16>.stride
        case .nonZeros: bytes = Vector.packNonZeros(of: sum.start, count: count, into: packed)
        }
        return bytes.map { Encoded(bytes: UnsafeRawBufferPointer(start: packed, count: $0), keeper: piece) }
    }

    /// The sum of `count` numbers that `frame` holds, where it can stay there or needs memory of its own; nil where the frame
    /// holds no such sum.
    func decode(_ frame: Frame, count: Int) -> PartialSum? {
        if encoding.rounding == nil, frame.bytes.count == count * MemoryLayout<Float>.stride,
            let start = frame.bytes.baseAddress, Self.isAligned(start, for: Float.self)
        {
            return PartialSum(at: UnsafePointer(start.assumingMemoryBound(to: Float.self)), in: frame)
        }
        let piece = scratch.take()
        return decode(frame, count: count, into: piece.pointer) ? PartialSum(in: piece) : nil
    }

    /// Writes the sum of `count` numbers that `frame` holds to `target`; false where it holds none.
    func decode(_ frame: Frame, count: Int, into target: UnsafeMutablePointer<Float>) -> Bool {
        let bytes = UnsafeRawBufferPointer(frame.bytes)
        guard let start = bytes.baseAddress else { return false }
        if case .half(let half) = encoding {
            guard bytes.count == count * MemoryLayout<UInt16>.stride else { return false }
            let piece = Self.isAligned(start, for: UInt16.self) ? nil : scratch.take()
            if let piece { UnsafeMutableRawPointer(piece.pointer).copyMemory(from: start, byteCount: bytes.count) }
            let halves = piece.map { UnsafeRawPointer($0.pointer) } ?? start
            withExtendedLifetime(piece) {
                Vector.unpack(into: target, from: halves.assumingMemoryBound(to: UInt16.self), count: count, as: half)
            }
            return true
        }
        if bytes.count == count * MemoryLayout<Float>.stride {
            UnsafeMutableRawPointer(target).copyMemory(from: start, byteCount: bytes.count)
            return true
        }
        return encoding == .nonZeros && Vector.unpackNonZeros(bytes, into: target, count: count)
    }

    /// Whether numbers of this type may be at `address`: small messages begin anywhere in what libzmq has received at once.
    private static func isAligned<Number>(_ address: UnsafeRawPointer, for: Number.Type) -> Bool {
        Int(bitPattern: address) % MemoryLayout<Number>.alignment == 0
    }
}
