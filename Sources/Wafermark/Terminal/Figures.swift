import Foundation

/// Numbers as a terminal shows them: few digits, always with a point, whatever the locale.
package enum Figures {
    /// `value` with `digits` after the point; a dash where it is not finite.
    package static func fixed(_ value: Double, _ digits: Int) -> String {
        guard value.isFinite else { return "-" }
        return String(format: "%.\(digits)f", locale: Locale(identifier: "en_US_POSIX"), value)
    }

    /// `value` with about three digits.
    package static func short(_ value: Double) -> String {
        guard value.isFinite else { return "-" }
        let size = abs(value)
        return fixed(value, size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3)
    }

    /// `value` with its sign and one digit after the point.
    package static func signed(_ value: Double) -> String { (value > 0 ? "+" : "") + fixed(value, 1) }

    /// A duration in milliseconds below a second, else in seconds.
    package static func milliseconds(_ seconds: Double) -> String {
        seconds < 1 ? "\(short(seconds * 1000)) ms" : "\(short(seconds)) s"
    }

    /// A share as a percentage.
    package static func percent(_ share: Double) -> String { share.isFinite ? fixed(100 * share, 0) + " %" : "-" }

    /// A duration as `m:ss` or `h:mm:ss`.
    package static func clock(_ seconds: Double) -> String {
        guard seconds.isFinite, seconds >= 0, seconds < 1e8 else { return "-" }
        let whole = Int(seconds.rounded())
        let (hours, rest) = whole.quotientAndRemainder(dividingBy: 3600)
        let minutes = rest / 60
        let tail = rest % 60 < 10 ? "0\(rest % 60)" : "\(rest % 60)"
        return hours > 0 ? "\(hours):\(minutes < 10 ? "0" : "")\(minutes):\(tail)" : "\(minutes):\(tail)"
    }

    /// A whole number with its digits in groups of three.
    package static func count(_ value: Int) -> String {
        var digits = String(value.magnitude)
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        return (value < 0 ? "-" : "") + ([digits[...]] + groups).joined(separator: ",")
    }

    /// A number of things: `1 shard`, `1,200 shards`.
    package static func plural(_ value: Int, _ noun: String) -> String {
        "\(count(value)) \(noun)\(value == 1 ? "" : "s")"
    }

    /// A number of bytes in binary units.
    package static func bytes(_ count: Int) -> String {
        let units = ["B", "KiB", "MiB", "GiB", "TiB"]
        var value = Double(count)
        var unit = 0
        while value >= 1024, unit < units.count - 1 {
            value /= 1024
            unit += 1
        }
        return unit == 0 ? "\(count) B" : "\(short(value)) \(units[unit])"
    }
}
