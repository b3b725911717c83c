/// A duration on one of the three clocks. The clocks are distinct types so that they cannot be added by accident.
public protocol ClockSeconds: Hashable, Sendable, Comparable, Codable {
    /// The duration in seconds.
    var seconds: Double { get }
    /// A duration of `seconds` seconds.
    init(_ seconds: Double)
    /// The clock's name as it is printed beside every figure: `host`, `emulated` or `modelled`.
    static var clock: String { get }
}

extension ClockSeconds {
    /// Zero seconds on this clock.
    public static var zero: Self { Self(0) }
    public static func < (left: Self, right: Self) -> Bool { left.seconds < right.seconds }
    public static func + (left: Self, right: Self) -> Self { Self(left.seconds + right.seconds) }
    public static func - (left: Self, right: Self) -> Self { Self(left.seconds - right.seconds) }
    public static func += (left: inout Self, right: Self) { left = left + right }
    public static func * (left: Self, factor: Double) -> Self { Self(left.seconds * factor) }
    public static func / (left: Self, divisor: Double) -> Self { Self(left.seconds / divisor) }
    /// The dimensionless ratio of two durations of one clock.
    public static func / (left: Self, right: Self) -> Double { left.seconds / right.seconds }

    public init(from decoder: any Decoder) throws {
        self.init(try decoder.singleValueContainer().decode(Double.self))
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(seconds)
    }
}

/// Wall time measured on this machine.
public struct HostSeconds: ClockSeconds {
    public static let clock = "host"
    public let seconds: Double
    public init(_ seconds: Double) { self.seconds = seconds }
}

/// Wall time measured under time dilation, divided by the dilation factor.
public struct EmulatedSeconds: ClockSeconds {
    public static let clock = "emulated"
    public let seconds: Double
    public init(_ seconds: Double) { self.seconds = seconds }
}

/// Time computed by the performance model from a trace and a hardware profile.
public struct ModelledSeconds: ClockSeconds {
    public static let clock = "modelled"
    public let seconds: Double
    public init(_ seconds: Double) { self.seconds = seconds }
}
