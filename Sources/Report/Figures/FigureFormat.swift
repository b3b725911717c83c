import Foundation

/// How a number is shown to people. The number itself, unrounded, always stands beside it in the data.
public enum FigureFormat: Hashable, Sendable {
    /// Seconds of some clock, in the unit that reads best.
    case duration
    /// Seconds of some clock in milliseconds with so many decimals: for columns, where one unit is easier to compare.
    case milliseconds(decimals: Int)
    /// Seconds of some clock with so many decimals: for columns.
    case seconds(decimals: Int)
    /// A whole number.
    case count
    /// A share of 1, in per cent with one decimal.
    case share
    /// A share of 1, in whole per cent.
    case percent
    /// A number of per cent, one decimal.
    case percentage
    /// Nats, four decimals.
    case nats
    /// A difference in nats, with its sign.
    case signedNats
    /// Units a second.
    case rate
    /// A dimensionless ratio, as `1.09×`.
    case ratio
    /// Bytes, in binary units.
    case bytes
    /// Three significant digits, for values of any size.
    case significant

    /// `value` in words; an en dash where it is no number.
    public func text(_ value: Double?) -> String {
        guard let value, value.isFinite else { return "–" }
        switch self {
        case .duration: return Self.duration(value)
        case .milliseconds(let decimals): return Self.grouped(value * 1_000, decimals: decimals) + " ms"
        case .seconds(let decimals): return Self.grouped(value, decimals: decimals) + " s"
        case .count: return Self.grouped(value, decimals: 0)
        case .percent: return Self.fixed(value * 100, decimals: 0) + " %"
        case .share: return Self.fixed(value * 100, decimals: 1) + " %"
        case .percentage: return Self.fixed(value, decimals: 1) + " %"
        case .nats: return Self.fixed(value, decimals: 4)
        case .signedNats: return (value > 0 ? "+" : "") + Self.fixed(value, decimals: 4)
        case .rate:
            return Self.grouped(value, decimals: abs(value) < 10 ? 2 : abs(value) < 1_000 ? 1 : 0)
        case .ratio: return Self.fixed(value, decimals: 2) + "×"
        case .bytes: return Self.bytes(value)
        case .significant: return Self.trimmed(Self.significant(value))
        }
    }

    /// The format for a column of durations whose largest is `seconds`.
    public static func column(through seconds: Double) -> FigureFormat {
        switch seconds {
        case 10...: .seconds(decimals: 1)
        case 1..<10: .seconds(decimals: 2)
        case 0.01..<1: .milliseconds(decimals: 1)
        case 0.001..<0.01: .milliseconds(decimals: 2)
        default: .milliseconds(decimals: 3)
        }
    }

    /// `text` without the zeros that end its decimals.
    private static func trimmed(_ text: String) -> String {
        guard text.contains("."), !text.contains("e") else { return text }
        let kept = text.reversed().drop { $0 == "0" }
        return String((kept.first == "." ? kept.dropFirst() : kept).reversed())
    }

    private static func duration(_ seconds: Double) -> String {
        let size = abs(seconds)
        if size == 0 { return "0 s" }
        if size < 1e-6 { return significant(seconds * 1e9) + " ns" }
        if size < 1e-3 { return significant(seconds * 1e6) + " µs" }
        if size < 0.9995 { return significant(seconds * 1e3) + " ms" }
        if size < 9.995 { return fixed(seconds, decimals: 2) + " s" }
        if size < 119.95 { return fixed(seconds, decimals: 1) + " s" }
        let sign = seconds < 0 ? "−" : ""
        if size < 7_199.5 { return sign + pair(size, unit: 60, "min", "s") }
        if size < 48 * 3_600 - 30 { return sign + pair(size / 60, unit: 60, "h", "min") }
        return grouped(seconds / 86_400, decimals: 1) + " days"
    }

    /// `amount` small units as large and small ones: `12 min 5 s`.
    private static func pair(_ amount: Double, unit: Int, _ large: String, _ small: String) -> String {
        let whole = Int(amount.rounded())
        return "\(whole / unit) \(large) \(whole % unit) \(small)"
    }

    private static func bytes(_ count: Double) -> String {
        var value = count
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if abs(value) < 1_023.5 {
                return (unit == "B" ? fixed(value, decimals: 0) : significant(value)) + " " + unit
            }
            value /= 1_024
        }
        return significant(value) + " TiB"
    }

    static func significant(_ value: Double) -> String {
        let size = abs(value)
        if size == 0 { return "0" }
        if size < 1e-3 || size >= 1e6 {
            let text = String(format: "%.2e", value)
            return text.replacingOccurrences(of: "e-0", with: "e-").replacingOccurrences(of: "e+0", with: "e+")
        }
        if size < 0.9995 { return fixed(value, decimals: 2 - Int(log10(size).rounded(.down))) }
        return grouped(value, decimals: size < 9.995 ? 2 : size < 99.95 ? 1 : 0)
    }

    /// `value` with a minus sign that is one, and no locale.
    static func fixed(_ value: Double, decimals: Int) -> String {
        let text = String(format: "%.\(decimals)f", value)
        if text.hasPrefix("-") {
            let digits = text.dropFirst()
            return digits.allSatisfy { $0 == "0" || $0 == "." } ? String(digits) : "−" + digits
        }
        return text
    }

    /// `fixed`, with commas between thousands.
    static func grouped(_ value: Double, decimals: Int) -> String {
        let text = fixed(value, decimals: decimals)
        let (whole, rest) = text.split(at: ".")
        let digits = whole.drop { $0 == "−" }
        var grouped = ""
        for (index, digit) in digits.enumerated() {
            if index > 0, (digits.count - index).isMultiple(of: 3) { grouped += "," }
            grouped.append(digit)
        }
        return (whole.hasPrefix("−") ? "−" : "") + grouped + rest
    }
}

extension String {
    /// What stands before `separator`, and what stands from it on.
    fileprivate func split(at separator: Character) -> (String, String) {
        guard let index = firstIndex(of: separator) else { return (self, "") }
        return (String(self[..<index]), String(self[index...]))
    }
}
