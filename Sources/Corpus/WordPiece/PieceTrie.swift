/// A double-array trie over the bytes of a vocabulary's entries: the longest entry that begins at a place is found in one
/// step a byte (Aoe 1989, "An efficient digital search algorithm by using a double-array structure").
///
/// The states are memory of the trie's own and no array: to count references to an array that all threads read costs them
/// more than to read it. Sendable: that memory is written before `init` returns, and only read from then on.
final class PieceTrie: @unchecked Sendable {
    /// A state: its child for byte `b` is at `base ^ b`, if that state's `parent` is this one.
    struct State: Sendable {
        var base: Int32 = 0
        var parent: Int32 = -1
        /// The id of the entry that ends here; -1 for none.
        var id: Int32 = -1
    }

    /// The states; valid as long as the trie.
    let states: UnsafeBufferPointer<State>
    /// The state after `##`; -1 where the vocabulary has no continuation.
    let continuation: Int32

    /// A trie of `tokens`, whose ids are their places.
    init(tokens: [String]) {
        let keys = tokens.enumerated().map { (bytes: Array($0.element.utf8), id: Int32($0.offset)) }
            .sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        var builder = Builder()
        builder.build(keys)
        let memory = UnsafeMutableBufferPointer<State>.allocate(capacity: builder.states.count)
        _ = memory.initialize(from: builder.states)
        states = UnsafeBufferPointer(memory)
        continuation = Self.child(of: Self.child(of: 0, byte: 0x23, states), byte: 0x23, states)
    }

    deinit { states.deallocate() }

    private static func child(of state: Int32, byte: UInt8, _ states: UnsafeBufferPointer<State>) -> Int32 {
        guard state >= 0 else { return -1 }
        let next = Int(states[Int(state)].base) ^ Int(byte)
        return next < states.count && states[next].parent == state ? Int32(next) : -1
    }

    private struct Builder {
        var states = [State](repeating: State(), count: 1024)
        var firstFree = 1

        /// States are given out in blocks of 256, so that `base ^ byte` never leaves the array.
        mutating func build(_ keys: [(bytes: [UInt8], id: Int32)]) {
            // The root is taken, and nobody's child.
            states[0].parent = .max
            var pending: [(state: Int, range: Range<Int>, depth: Int)] = [(0, 0..<keys.count, 0)]
            while let (state, range, depth) = pending.popLast() {
                var groups: [(byte: UInt8, range: Range<Int>)] = []
                var start = range.lowerBound
                while start < range.upperBound {
                    guard keys[start].bytes.count > depth else {
                        states[state].id = keys[start].id
                        start += 1
                        continue
                    }
                    let byte = keys[start].bytes[depth]
                    var end = start + 1
                    while end < range.upperBound, keys[end].bytes[depth] == byte { end += 1 }
                    groups.append((byte, start..<end))
                    start = end
                }
                if groups.isEmpty { continue }
                let base = place(groups.map(\.byte))
                states[state].base = Int32(base)
                for group in groups {
                    states[base ^ Int(group.byte)].parent = Int32(state)
                    pending.append((base ^ Int(group.byte), group.range, depth + 1))
                }
            }
        }

        /// The lowest base at which all of `bytes` have free states.
        private mutating func place(_ bytes: [UInt8]) -> Int {
            while firstFree < states.count, states[firstFree].parent >= 0 { firstFree += 1 }
            var candidate = firstFree
            // Holes that took many tries are given up, so that building stays linear.
            var tries = 0
            while true {
                if candidate >= states.count { grow() }
                if states[candidate].parent < 0 {
                    let base = candidate ^ Int(bytes[0])
                    if bytes.allSatisfy({ states[base ^ Int($0)].parent < 0 }) { return base }
                    tries += 1
                    if tries == 512 { firstFree = candidate }
                }
                candidate += 1
            }
        }

        private mutating func grow() {
            states.append(contentsOf: repeatElement(State(), count: max(1024, states.count / 2) & ~255))
        }
    }
}
