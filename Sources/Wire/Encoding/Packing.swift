import CProtobufC
import CWire

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// The C memory of one message while it is encoded; freed with the arena.
final class PackingArena {
    private var allocations: [UnsafeMutableRawPointer] = []

    deinit {
        for allocation in allocations { allocation.deallocate() }
    }

    /// A zero-terminated copy of `text`. A NUL inside, which C would take for its end, becomes U+FFFD.
    func text(_ text: String) -> UnsafeMutablePointer<CChar> {
        let bytes = text.utf8.contains(0) ? Array(text.replacing("\0", with: "\u{FFFD}").utf8) : Array(text.utf8)
        let copy = UnsafeMutablePointer<CChar>.allocate(capacity: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { copy[index] = CChar(bitPattern: byte) }
        copy[bytes.count] = 0
        allocations.append(copy)
        return copy
    }

    /// `message` at a fixed address.
    func place<Message>(_ message: Message) -> UnsafeMutablePointer<Message> {
        let pointer = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        pointer.initialize(to: message)
        allocations.append(pointer)
        return pointer
    }

    /// A protobuf-c message initialised by its generated function, then filled.
    func make<Message>(
        _ initialise: (UnsafeMutablePointer<Message>?) -> Void, fill: (inout Message) -> Void
    ) -> UnsafeMutablePointer<Message> {
        let pointer = UnsafeMutablePointer<Message>.allocate(capacity: 1)
        allocations.append(pointer)
        initialise(pointer)
        fill(&pointer.pointee)
        return pointer
    }

    /// The array of pointers that a repeated message field holds.
    func list<Message>(
        _ elements: [UnsafeMutablePointer<Message>]
    ) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?> {
        let list = UnsafeMutablePointer<UnsafeMutablePointer<Message>?>.allocate(capacity: max(elements.count, 1))
        for (index, element) in elements.enumerated() { (list + index).initialize(to: element) }
        allocations.append(list)
        return list
    }

    /// The bytes of `message`, whose first member is a `ProtobufCMessage`, as protobuf-c's structs all begin.
    func pack<Message>(_ message: UnsafeMutablePointer<Message>) -> [UInt8] {
        let base = UnsafeMutableRawPointer(message).assumingMemoryBound(to: ProtobufCMessage.self)
        let count = protobuf_c_message_get_packed_size(base)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, written in
            written = protobuf_c_message_pack(base, buffer.baseAddress)
        }
    }
}
