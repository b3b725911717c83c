/// Names one run: eight characters of Crockford's base 32, in lower case. Any unambiguous prefix finds the run.
public struct RunID: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The eight characters.
    public let text: String

    private static let alphabet = Array("0123456789abcdefghjkmnpqrstvwxyz")
    /// The number of characters of an id.
    public static let length = 8

    /// The id that `text` spells, or nil where it is none.
    public init?(_ text: String) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.isDigit) else { return nil }
        self.text = text
    }

    private static func isDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "i"), UInt8(ascii: "l"), UInt8(ascii: "o"), UInt8(ascii: "u"): false
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"): true
        default: false
        }
    }

    /// A new id from the system's random numbers.
    public static func random() -> RunID {
        var generator = SystemRandomNumberGenerator()
        return random(using: &generator)
    }

    /// A new id from `generator`.
    public static func random(using generator: inout some RandomNumberGenerator) -> RunID {
        RunID(unchecked: String((0..<length).map { _ in alphabet[Int.random(in: 0..<32, using: &generator)] }))
    }

    private init(unchecked text: String) { self.text = text }

    public var description: String { text }
    public static func < (left: RunID, right: RunID) -> Bool { left.text < right.text }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = RunID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription:
                    "a run id is \(Self.length) characters of 0-9 and a-z without i, l, o, u; found '\(text)'")
        }
        self = id
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}

/// The number of an optimizer step, from 0. Step `n` is the one that makes the weights of version `n + 1`.
public struct StepNumber: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The number.
    public let index: Int
    /// Step `index`.
    public init(_ index: Int) { self.index = index }
    /// The step after this one.
    public var next: StepNumber { StepNumber(index + 1) }
    public var description: String { String(index) }
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }

    public init(from decoder: any Decoder) throws { index = try decoder.singleValueContainer().decode(Int.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(index)
    }
}

/// The number of a worker within one epoch of a run's membership, from 0.
public struct WorkerRank: Hashable, Sendable, Comparable, Codable, CustomStringConvertible {
    /// The number.
    public let index: Int
    /// Rank `index`.
    public init(_ index: Int) { self.index = index }
    public var description: String { String(index) }
    public static func < (left: Self, right: Self) -> Bool { left.index < right.index }

    public init(from decoder: any Decoder) throws { index = try decoder.singleValueContainer().decode(Int.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(index)
    }
}
