#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// An arithmetic formula over named inputs, as an explanation shows it, evaluated as it reads.
///
/// Numbers, names, `+ - * /`, parentheses, and the functions `max`, `min` and `log2`.
public struct Formula: Hashable, Sendable {
    /// Why a text is no formula, or has no value.
    public enum Failure: Error, Hashable, Sendable {
        /// Something else was expected at a character.
        case unexpected(position: Int)
        /// No input has that name.
        case unknown(name: String)
    }

    private let characters: [Character]

    /// The formula that `text` spells.
    public init(_ text: String) { characters = Array(text) }

    /// The value with `inputs` by name.
    public func value(_ inputs: [String: Double]) throws(Failure) -> Double {
        var reader = Reader(characters: characters, inputs: inputs)
        let value = try reader.sum()
        guard reader.peek() == nil else { throw .unexpected(position: reader.position) }
        return value
    }

    private struct Reader {
        let characters: [Character]
        let inputs: [String: Double]
        var position = 0

        mutating func peek() -> Character? {
            while position < characters.count, characters[position] == " " { position += 1 }
            return position < characters.count ? characters[position] : nil
        }

        private mutating func take(_ wanted: Character) -> Bool {
            guard peek() == wanted else { return false }
            position += 1
            return true
        }

        mutating func sum() throws(Failure) -> Double {
            var value = try product()
            while true {
                if take("+") {
                    value += try product()
                } else if take("-") {
                    value -= try product()
                } else {
                    return value
                }
            }
        }

        private mutating func product() throws(Failure) -> Double {
            var value = try factor()
            while true {
                if take("*") { value *= try factor() } else if take("/") { value /= try factor() } else { return value }
            }
        }

        private mutating func factor() throws(Failure) -> Double {
            guard let next = peek() else { throw .unexpected(position: position) }
            if take("(") {
                let value = try sum()
                guard take(")") else { throw .unexpected(position: position) }
                return value
            }
            let start = position
            if next.isNumber {
                while position < characters.count, characters[position].isNumber || characters[position] == "." {
                    position += 1
                }
                guard let value = Double(String(characters[start..<position])) else {
                    throw .unexpected(position: start)
                }
                return value
            }
            while position < characters.count,
                characters[position].isLetter || characters[position].isNumber
                    || characters[position] == "_"
            { position += 1 }
            let name = String(characters[start..<position])
            guard !name.isEmpty else { throw .unexpected(position: start) }
            guard take("(") else {
                guard let value = inputs[name] else { throw .unknown(name: name) }
                return value
            }
            return try call(name)
        }

        private mutating func call(_ name: String) throws(Failure) -> Double {
            var arguments = [try sum()]
            while take(",") { arguments.append(try sum()) }
            guard take(")") else { throw .unexpected(position: position) }
            switch (name, arguments.count) {
            case ("max", 1...): return arguments.max() ?? 0
            case ("min", 1...): return arguments.min() ?? 0
            case ("log2", 1): return log2(arguments[0])
            default: throw .unknown(name: name)
            }
        }
    }
}
