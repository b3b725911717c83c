/// A number of bytes.
public struct Bytes: Hashable, Sendable, Comparable, Codable {
    /// The count.
    public let count: Int
    /// `count` bytes.
    public init(_ count: Int) { self.count = count }
    /// `mebibytes` times 2^20 bytes.
    public static func mebibytes(_ mebibytes: Int) -> Bytes { Bytes(mebibytes << 20) }
    public static func < (left: Bytes, right: Bytes) -> Bool { left.count < right.count }
    public static func + (left: Bytes, right: Bytes) -> Bytes { Bytes(left.count + right.count) }

    public init(from decoder: any Decoder) throws { count = try decoder.singleValueContainer().decode(Int.self) }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(count)
    }
}

/// A rate in bytes a second.
public struct BytesPerSecond: Hashable, Sendable, Comparable, Codable {
    /// The rate.
    public let bytesPerSecond: Double
    /// `bytesPerSecond` bytes a second.
    public init(_ bytesPerSecond: Double) { self.bytesPerSecond = bytesPerSecond }
    public static func < (left: Self, right: Self) -> Bool { left.bytesPerSecond < right.bytesPerSecond }

    public init(from decoder: any Decoder) throws {
        bytesPerSecond = try decoder.singleValueContainer().decode(Double.self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(bytesPerSecond)
    }
}
