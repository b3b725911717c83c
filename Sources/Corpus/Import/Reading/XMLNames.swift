import Foundation

/// The element names of a text, numbered in the order in which they were met or asked for. One thread's alone, like its
/// scanner.
final class XMLNames {
    /// More names than any format has: a text that goes on inventing them is stopped.
    static let limit = 1 << 14

    /// Names with smaller numbers are known to be valid; for the scanner.
    @exclusivity(unchecked) var checked = 0
    @exclusivity(unchecked) private var words: [String] = []
    @exclusivity(unchecked) private var bytes: [[UInt8]] = []
    /// Open addressing: a slot holds a name's number and one, or 0.
    @exclusivity(unchecked) private var slots = [UInt16](repeating: 0, count: 2 * limit)

    /// The name with `number`.
    subscript(_ number: Int) -> String { words[number] }

    /// The length in bytes of the name with `number`.
    @inline(__always)
    func length(of number: Int) -> Int { bytes[number].count }

    /// Whether the name with `number` is `name`.
    @inline(__always)
    func matches(_ number: Int, _ name: UnsafeRawBufferPointer) -> Bool {
        bytes[number].withUnsafeBytes { known in
            guard known.count == name.count, let left = known.baseAddress, let right = name.baseAddress else {
                return false
            }
            return memcmp(left, right, known.count) == 0
        }
    }

    /// The number of `name`, whose hash is `hash`; nil where there are too many names.
    func number(of name: UnsafeRawBufferPointer, hash: UInt32) -> Int? {
        var slot = Int(hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            if matches(number, name) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        guard words.count < Self.limit else { return nil }
        words.append(String(decoding: name, as: UTF8.self))
        bytes.append(Array(name))
        slots[slot] = UInt16(words.count)
        return words.count - 1
    }

    /// The number of `name`.
    func number(of name: String) -> Int {
        var name = name
        return name.withUTF8 { name in
            let bytes = UnsafeRawBufferPointer(name)
            return number(of: bytes, hash: Self.hash(bytes)) ?? 0
        }
    }

    /// The numbers of `names`.
    func numbers(of names: [String]) -> Set<Int> { Set(names.map { number(of: $0) }) }

    @inline(__always)
    static func mix(_ hash: UInt32, _ byte: UInt8) -> UInt32 { (hash ^ UInt32(byte)) &* 0x0100_0193 }
    static let seed: UInt32 = 0x811c_9dc5

    private static func hash(_ name: UnsafeRawBufferPointer) -> UInt32 { name.reduce(seed, mix) }
}
