import CProtobufC
import Jobs

/// Turns the fields of one C message into checked values; every refusal names the message and the field.
struct FieldReader {
    /// The message's name, for errors.
    let message: String

    /// The UTF-8 text of a string field, at most `limit` bytes of it.
    func text(_ field: String, _ pointer: UnsafePointer<CChar>?, limit: Int = 4_096) throws(WireError) -> String {
        guard let pointer, let text = String(validatingCString: pointer) else {
            throw error(field, "no UTF-8 text", "UTF-8 text")
        }
        guard text.utf8.count <= limit else {
            throw error(field, "\(text.utf8.count) bytes", "at most \(limit) bytes")
        }
        return text
    }

    /// A run's id.
    func run(_ field: String, _ pointer: UnsafePointer<CChar>?) throws(WireError) -> RunID {
        let text = try text(field, pointer, limit: 64)
        guard let id = RunID(text) else {
            throw error(field, "'\(text)'", "\(RunID.length) characters of 0-9 and a-z without i, l, o, u")
        }
        return id
    }

    /// One of several cases by its name: a collective's algorithm, a transport.
    func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ field: String, _ pointer: UnsafePointer<CChar>?
    ) throws(WireError) -> Choice {
        let name = try text(field, pointer, limit: 64)
        guard let choice = Choice(rawValue: name) else {
            throw error(field, "'\(name)'", Choice.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return choice
    }

    /// An integer within `range`.
    func integer(
        _ field: String, _ value: some BinaryInteger, in range: ClosedRange<Int> = 0...Int(Int32.max)
    ) throws(WireError) -> Int {
        guard let number = Int(exactly: value), range.contains(number) else {
            throw error(field, "\(value)", "\(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    /// The number of a step.
    func step(_ field: String, _ value: UInt64) throws(WireError) -> StepNumber {
        StepNumber(try integer(field, value, in: 0...(1 << 40)))
    }

    /// A finite number.
    func finite(_ field: String, _ value: Double) throws(WireError) -> Double {
        guard value.isFinite else { throw error(field, "\(value)", "a finite number") }
        return value
    }

    /// A duration of the host clock, not negative.
    func seconds(_ field: String, _ value: Double) throws(WireError) -> HostSeconds {
        guard value.isFinite, value >= 0 else { throw error(field, "\(value)", "finite seconds, 0 or more") }
        return HostSeconds(value)
    }

    /// The messages of a repeated field, at most `limit` of them.
    func list<Item>(
        _ field: String, _ count: Int, _ items: UnsafeMutablePointer<UnsafeMutablePointer<Item>?>?, limit: Int
    ) throws(WireError) -> [Item] {
        guard count <= limit else { throw error(field, "\(count) entries", "at most \(limit)") }
        var values: [Item] = []
        for index in 0..<count {
            guard let item = items?[index] else { throw error(field, "an absent entry", "a message") }
            values.append(item.pointee)
        }
        return values
    }

    /// The workers' numbers of a repeated field, at most one for each that a run can have.
    func ranks(
        _ field: String, _ count: Int, _ items: UnsafeMutablePointer<UInt32>?
    ) throws(WireError) -> [WorkerRank] {
        guard count <= 4_096 else { throw error(field, "\(count) entries", "at most 4096") }
        var ranks: [WorkerRank] = []
        for item in UnsafeBufferPointer(start: items, count: items == nil ? 0 : count) {
            ranks.append(WorkerRank(try integer(field, item, in: 0...4_095)))
        }
        return ranks
    }

    /// A CURVE key, or nothing.
    func key(_ field: String, _ data: ProtobufCBinaryData) throws(WireError) -> [UInt8] {
        guard data.len == 0 || data.len == 32 else { throw error(field, "\(data.len) bytes", "0 or 32 bytes") }
        return Array(UnsafeBufferPointer(start: data.data, count: data.len))
    }

    /// The message of a field that must be there.
    func required<Item>(_ field: String, _ pointer: UnsafeMutablePointer<Item>?) throws(WireError) -> Item {
        guard let pointer else { throw error(field, "absent", "a message") }
        return pointer.pointee
    }

    /// Refuses another protocol version.
    func checkVersion(_ found: UInt32) throws(WireError) {
        guard found == protocolVersion else { throw .version(found: found, supported: protocolVersion) }
    }

    /// A refusal of `field`.
    func error(_ field: String, _ found: String, _ allowed: String) -> WireError {
        .field(message: message, field: field, found: found, allowed: allowed)
    }
}
