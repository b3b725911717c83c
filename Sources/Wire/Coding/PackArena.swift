import CProtobufC
import CWire

/// Owns the C structures and strings of one message while it is packed. Pointers that it hands out live as long as it.
final class PackArena {
    private var blocks: [UnsafeMutableRawPointer] = []

    deinit {
        for block in blocks { block.deallocate() }
    }

    /// A NUL-terminated copy of `text`, cut at its first NUL if it has one.
    func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        let utf8 = Array(text.utf8.prefix { $0 != 0 })
        let copy = allocate(UInt8.self, count: utf8.count + 1)
        copy.update(from: utf8, count: utf8.count)
        copy[utf8.count] = 0
        return UnsafeMutableRawPointer(copy).assumingMemoryBound(to: CChar.self)
    }

    /// A copy of `bytes`.
    func bytes(_ bytes: [UInt8]) -> ProtobufCBinaryData {
        let copy = allocate(UInt8.self, count: max(1, bytes.count))
        copy.update(from: bytes, count: bytes.count)
        return ProtobufCBinaryData(len: bytes.count, data: copy)
    }

    /// A copy of `numbers`.
    func numbers<Number: BitwiseCopyable>(_ numbers: [Number]) -> UnsafeMutablePointer<Number> {
        let copy = allocate(Number.self, count: max(1, numbers.count))
        copy.update(from: numbers, count: numbers.count)
        return copy
    }

    /// Copies of `texts`, in a row, as a repeated field wants them.
    func strings(_ texts: [String]) -> UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
        let row = allocate(UnsafeMutablePointer<CChar>?.self, count: max(1, texts.count))
        for (index, text) in texts.enumerated() { row[index] = string(text) }
        return row
    }

    /// `message` at an address of its own.
    func pointer<Message>(_ message: Message) -> UnsafeMutablePointer<Message> {
        let copy = allocate(Message.self, count: 1)
        copy.pointee = message
        return copy
    }

    /// The addresses of `messages`, in a row, as a repeated field wants them.
    func list<Message>(_ messages: [Message]) -> UnsafeMutablePointer<UnsafeMutablePointer<Message>?> {
        let row = allocate(UnsafeMutablePointer<Message>?.self, count: max(1, messages.count))
        for (index, message) in messages.enumerated() { row[index] = pointer(message) }
        return row
    }

    private func allocate<Value: BitwiseCopyable>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        let block = UnsafeMutablePointer<Value>.allocate(capacity: count)
        blocks.append(UnsafeMutableRawPointer(block))
        return block
    }

    private func allocate<Value>(_ type: Value.Type, count: Int) -> UnsafeMutablePointer<Value> {
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: MemoryLayout<Value>.stride * count, alignment: MemoryLayout<Value>.alignment)
        blocks.append(block)
        // Zeroed bytes are a valid state of every C structure and optional pointer.
        block.initializeMemory(as: UInt8.self, repeating: 0, count: MemoryLayout<Value>.stride * count)
        return block.assumingMemoryBound(to: Value.self)
    }
}

/// Packs the C message at `message` by its generated functions.
func packed<Message>(
    _ message: Message, size: (UnsafePointer<Message>) -> Int,
    pack: (UnsafePointer<Message>, UnsafeMutablePointer<UInt8>) -> Int
) -> [UInt8] {
    withUnsafePointer(to: message) { pointer in
        let count = size(pointer)
        return [UInt8](unsafeUninitializedCapacity: count) { buffer, used in
            used = buffer.baseAddress.map { pack(pointer, $0) } ?? 0
        }
    }
}

/// Unpacks `bytes` by generated functions and gives the C message to `read`; it is freed afterwards.
func unpacking<Message, Result>(
    _ name: String, _ bytes: UnsafeRawBufferPointer, limit: Int,
    unpack: (UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?) -> UnsafeMutablePointer<Message>?,
    free: (UnsafeMutablePointer<Message>?, UnsafeMutablePointer<ProtobufCAllocator>?) -> Void,
    read: (Message) throws(WireError) -> Result
) throws(WireError) -> Result {
    guard bytes.count <= limit else { throw .tooLarge(message: name, bytes: bytes.count, limit: limit) }
    let start = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self)
    guard let message = unpack(nil, bytes.count, start) else { throw .malformed(message: name) }
    defer { free(message, nil) }
    return try read(message.pointee)
}

extension ProtobufCBinaryData {
    /// A copy of the bytes.
    var array: [UInt8] { Array(UnsafeBufferPointer(start: data, count: data == nil ? 0 : len)) }
}

extension [UInt8] {
    /// Calls `body` with the array's bytes; unlike `withUnsafeBytes` it keeps the type of what is thrown.
    func withBytes<Result>(
        _ body: (UnsafeRawBufferPointer) throws(WireError) -> Result
    ) throws(WireError) -> Result {
        let result = withUnsafeBytes { bytes in
            Swift.Result { () throws(WireError) in try body(bytes) }
        }
        return try result.get()
    }
}
