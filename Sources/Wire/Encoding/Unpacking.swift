import CProtobufC
import CWire

/// The signature of protobuf-c's generated `…__unpack` functions.
typealias Unpacker<Message> = (
    UnsafeMutablePointer<ProtobufCAllocator>?, Int, UnsafePointer<UInt8>?
) -> UnsafeMutablePointer<Message>?

/// Unpacks `bytes`, bounded by `limit`, hands the C message to `body`, and frees it.
func unpacking<Message, Value>(
    _ bytes: UnsafeRawBufferPointer, as name: String, limit: Int, with unpack: Unpacker<Message>,
    _ body: (Message) throws(WireError) -> Value
) throws(WireError) -> Value {
    guard bytes.count <= limit else { throw .tooLarge(message: name, bytes: bytes.count, limit: limit) }
    // protobuf-c reads no byte of an empty message, but wants an address.
    let empty: UInt8 = 0
    let unpacked = withUnsafePointer(to: empty) { placeholder in
        unpack(nil, bytes.count, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) ?? placeholder)
    }
    guard let unpacked else { throw .malformed(message: name, bytes: bytes.count) }
    defer {
        protobuf_c_message_free_unpacked(
            UnsafeMutableRawPointer(unpacked).assumingMemoryBound(to: ProtobufCMessage.self), nil)
    }
    return try body(unpacked.pointee)
}

/// Checks the fields of one message; every refusal names message and field.
struct FieldChecks {
    /// The message's name in errors.
    let message: String

    /// Refuses a peer of another protocol version.
    func version(_ found: UInt32) throws(WireError) {
        guard found == WireProtocol.version else { throw .otherVersion(message: message, found: found) }
    }

    /// The text at `pointer`, in UTF-8, of at most `maximum` bytes.
    func text(
        _ pointer: UnsafePointer<CChar>?, _ field: String, maximum: Int = 4096, orEmpty: Bool = false
    ) throws(WireError) -> String {
        guard let pointer else { return try refuse(field, "missing", "text") }
        guard let text = String(validatingCString: pointer) else {
            return try refuse(field, "not UTF-8", "UTF-8 text")
        }
        guard text.utf8.count <= maximum else {
            return try refuse(field, "text of \(text.utf8.count) bytes", "at most \(maximum) bytes")
        }
        guard orEmpty || !text.isEmpty else { return try refuse(field, "empty", "text of 1 to \(maximum) bytes") }
        return text
    }

    /// Text that may be absent: empty on the wire, nil here.
    func optionalText(
        _ pointer: UnsafePointer<CChar>?, _ field: String, maximum: Int = 4096
    ) throws(WireError) -> String? {
        let text = try text(pointer, field, maximum: maximum, orEmpty: true)
        return text.isEmpty ? nil : text
    }

    /// A run's id, or, where `prefix` allows, the first characters of one.
    func runID(_ pointer: UnsafePointer<CChar>?, _ field: String = "run_id", prefix: Bool = false) throws(WireError)
        -> String
    {
        let text = try text(pointer, field)
        let known = text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "i"), UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
            case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
            default: false
            }
        }
        guard known, prefix ? text.utf8.count <= 8 : text.utf8.count == 8 else {
            return try refuse(
                field, "'\(text.prefix(40))'", "\(prefix ? "1 to " : "")8 characters of 0-9 and a-z without i, l, o, u")
        }
        return text
    }

    /// The whole number `value`, inside `range`.
    func integer(
        _ value: some BinaryInteger, _ field: String, in range: ClosedRange<Int>
    ) throws(WireError) -> Int {
        guard let number = Int(exactly: value), range.contains(number) else {
            return try refuse(field, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The finite number `value`, inside `range` where there is one.
    func finite(
        _ value: Double, _ field: String,
        in range: ClosedRange<Double> = -Double.greatestFiniteMagnitude...Double.greatestFiniteMagnitude
    ) throws(WireError) -> Double {
        guard value.isFinite else { return try refuse(field, "\(value)", "a finite number") }
        guard range.contains(value) else {
            return try refuse(field, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
        }
        return value
    }

    /// The case of `Choice` that the enum number `number` names.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ number: UInt32, _ field: String, as type: Choice.Type = Choice.self
    ) throws(WireError) -> Choice where Choice.RawValue == UInt32 {
        guard let choice = Choice(rawValue: number) else {
            let known = Choice.allCases.map { "\($0.rawValue)" }.joined(separator: ", ")
            return try refuse(field, "\(number)", "one of \(known)")
        }
        return choice
    }

    /// Throws `WireError.invalid`; returns `Value` so that it can stand where one is due.
    func refuse<Value>(_ field: String, _ found: String, _ allowed: String) throws(WireError) -> Value {
        throw .invalid(message: message, field: field, found: found, allowed: allowed)
    }
}

/// The elements of a repeated message field, each handed to `read`.
func elements<Message, Value>(
    _ list: UnsafeMutablePointer<UnsafeMutablePointer<Message>?>?, count: Int, atMost limit: Int, _ field: String,
    _ checks: FieldChecks, read: (Message) throws(WireError) -> Value
) throws(WireError) -> [Value] {
    guard count <= limit else { return try checks.refuse(field, "\(count) elements", "at most \(limit)") }
    var values: [Value] = []
    values.reserveCapacity(count)
    for index in 0..<count {
        guard let element = list?[index] else { throw .malformed(message: checks.message, bytes: 0) }
        values.append(try read(element.pointee))
    }
    return values
}
