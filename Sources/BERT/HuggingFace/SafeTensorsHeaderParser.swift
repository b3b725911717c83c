/// Reads the JSON of a safetensors header, and nothing that such a header can't hold.
///
/// Foundation's parser keeps the last of two equal keys and reads 1e3 as an integer; both are signs of a forged header.
/// Here: one object of tensors, each with exactly `dtype`, `shape` and `data_offsets`; `__metadata__` with strings;
/// integers in plain decimal; names of 1 to 512 bytes without control characters; every key once; only spaces after it.
struct SafeTensorsHeaderParser {
    /// A tensor whose values have not been checked against the file.
    struct RawTensor {
        var name: String
        var type: String
        var shape: [Int]
        var begin: Int
        var end: Int
    }

    private let json: UnsafeRawBufferPointer
    private let file: String
    private var position = 0

    private static let longestName = 512
    private static let mostDimensions = 16

    init(json: UnsafeRawBufferPointer, file: String) {
        self.json = json
        self.file = file
    }

    /// Reads the whole header.
    mutating func parse() throws(ModelFileError) -> (tensors: [RawTensor], metadata: [String: String]) {
        guard json.first == UInt8(ascii: "{") else { throw failure("'{' as the first byte") }
        var tensors: [RawTensor] = []
        var metadata: [String: String] = [:]
        var names: Set<String> = []
        try object { (parser, name) throws(ModelFileError) in
            guard names.insert(name).inserted else {
                throw .tensor(file: parser.file, tensor: name, found: "the name twice", allowed: "once")
            }
            if name == "__metadata__" {
                metadata = try parser.strings()
            } else {
                tensors.append(try parser.tensor(name))
            }
        }
        while position < json.count {
            guard json[position] == UInt8(ascii: " ") else { throw failure("nothing but spaces after the last '}'") }
            position += 1
        }
        return (tensors, metadata)
    }

    // MARK: The three kinds of object

    private mutating func strings() throws(ModelFileError) -> [String: String] {
        var strings: [String: String] = [:]
        try object { (parser, key) throws(ModelFileError) in
            let value = try parser.string(longest: Int.max)
            guard strings.updateValue(value, forKey: key) == nil else { throw parser.failure("every key once") }
        }
        return strings
    }

    private mutating func tensor(_ name: String) throws(ModelFileError) -> RawTensor {
        var type: String?
        var shape: [Int]?
        var offsets: [Int]?
        try object { (parser, key) throws(ModelFileError) in
            switch key {
            case "dtype" where type == nil:
                type = try parser.string(longest: 32)
            case "shape" where shape == nil:
                shape = try parser.integers(most: Self.mostDimensions)
            case "data_offsets" where offsets == nil:
                offsets = try parser.integers(most: 2)
            default:
                throw .tensor(
                    file: parser.file, tensor: name, found: "the field '\(key)'",
                    allowed: "dtype, shape and data_offsets, once each")
            }
        }
        guard let type, let shape, let offsets, offsets.count == 2 else {
            throw .tensor(
                file: file, tensor: name, found: "a field too few",
                allowed: "dtype, shape and data_offsets of two numbers")
        }
        return RawTensor(name: name, type: type, shape: shape, begin: offsets[0], end: offsets[1])
    }

    private mutating func object(
        _ member: (inout SafeTensorsHeaderParser, String) throws(ModelFileError) -> Void
    ) throws(ModelFileError) {
        try expect("{")
        if take("}") { return }
        repeat {
            let key = try string(longest: Self.longestName)
            guard !key.isEmpty else { throw failure("a name of one byte or more") }
            try expect(":")
            try member(&self, key)
        } while take(",")
        try expect("}")
    }

    // MARK: Values

    private mutating func integers(most: Int) throws(ModelFileError) -> [Int] {
        try expect("[")
        if take("]") { return [] }
        var integers: [Int] = []
        repeat {
            guard integers.count < most else { throw failure("at most \(most) numbers") }
            integers.append(try integer())
        } while take(",")
        try expect("]")
        return integers
    }

    private mutating func integer() throws(ModelFileError) -> Int {
        skipSpace()
        let start = position
        var value = 0
        while position < json.count, case let digit = json[position], digit >= 48, digit <= 57 {
            let (scaled, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = scaled.addingReportingOverflow(Int(digit) - 48)
            guard !overflow, !carry else { throw failure("a number below 2^63") }
            value = sum
            position += 1
        }
        guard position > start, position == start + 1 || json[start] != 48 else { throw failure("a decimal integer") }
        return value
    }

    private mutating func string(longest: Int) throws(ModelFileError) -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while true {
            guard position < json.count else { throw failure("the end of a string") }
            let byte = json[position]
            guard byte >= 0x20, byte != 0x7f else { throw failure("a string without control characters") }
            position += 1
            if byte == UInt8(ascii: "\"") { break }
            if byte == UInt8(ascii: "\\") {
                try escape(into: &bytes)
            } else {
                bytes.append(byte)
            }
            guard bytes.count <= longest else { throw failure("a string of at most \(longest) bytes") }
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw failure("valid UTF-8") }
        return text
    }

    private mutating func escape(into bytes: inout [UInt8]) throws(ModelFileError) {
        guard position < json.count else { throw failure("the end of a string") }
        let kind = json[position]
        position += 1
        switch kind {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"):
            bytes.append(kind)
        case UInt8(ascii: "u"):
            let first = try hexadecimal()
            var scalar = UInt32(first)
            if first & 0xfc00 == 0xd800 {
                guard take(exactly: "\\"), take(exactly: "u") else { throw failure("the second half of a surrogate") }
                let second = try hexadecimal()
                guard second & 0xfc00 == 0xdc00 else { throw failure("the second half of a surrogate") }
                scalar = 0x10000 + (UInt32(first & 0x3ff) << 10 | UInt32(second & 0x3ff))
            }
            guard let character = Unicode.Scalar(scalar), scalar >= 0x20, scalar != 0x7f else {
                throw failure("a string without control characters")
            }
            bytes.append(contentsOf: UTF8.encode(character) ?? UTF8.encodedReplacementCharacter)
        default:
            throw failure("an escape that is no control character")
        }
    }

    private mutating func hexadecimal() throws(ModelFileError) -> UInt16 {
        var value: UInt16 = 0
        for _ in 0..<4 {
            guard position < json.count, let digit = Character(Unicode.Scalar(json[position])).hexDigitValue else {
                throw failure("four hexadecimal digits")
            }
            value = value << 4 | UInt16(digit)
            position += 1
        }
        return value
    }

    // MARK: Tokens

    private mutating func skipSpace() {
        while position < json.count, [0x20, 0x0a, 0x0d, 0x09].contains(json[position]) { position += 1 }
    }

    private mutating func take(_ token: Unicode.Scalar) -> Bool {
        skipSpace()
        return take(exactly: token)
    }

    private mutating func take(exactly token: Unicode.Scalar) -> Bool {
        guard position < json.count, json[position] == UInt8(ascii: token) else { return false }
        position += 1
        return true
    }

    private mutating func expect(_ token: Unicode.Scalar) throws(ModelFileError) {
        guard take(token) else { throw failure("'\(token)'") }
    }

    private func failure(_ allowed: String) -> ModelFileError {
        .malformed(file: file, found: "a header that is wrong at its byte \(position)", allowed: allowed)
    }
}
