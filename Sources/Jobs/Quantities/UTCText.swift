/// Moments of the wall clock as text by ISO 8601, in UTC; the machine's time zone and locale don't matter.
public enum UTCText {
    private static let secondsADay = 86_400.0
    /// Beyond these, text of four-digit years is no more to be had: 0001-01-01 to 9999-12-31.
    private static let range = -62_135_596_800.0...253_402_300_799.0

    /// Such as `2026-11-26T15:40:00Z`.
    ///
    /// - Parameter unix: seconds since 1970 began; what lies outside the years 1 to 9999 is taken for the nearest of them.
    public static func seconds(_ unix: Double) -> String { text(of: parts(unix), hasMilliseconds: false) }

    /// Such as `2026-11-26T15:40:00.123Z`.
    public static func milliseconds(_ unix: Double) -> String { text(of: parts(unix), hasMilliseconds: true) }

    private static func parts(_ unix: Double) -> (days: Int, seconds: Int, milliseconds: Int) {
        let bounded = unix.isNaN ? 0 : min(max(unix, range.lowerBound), range.upperBound)
        // Times of day come as binary fractions: half a microsecond keeps .123 from becoming .122.
        let whole = (bounded + 5e-7).rounded(.down)
        let days = (whole / secondsADay).rounded(.down)
        let milliseconds = min(999, max(0, Int((bounded + 5e-7 - whole) * 1_000)))
        return (Int(days), Int(whole - days * secondsADay), milliseconds)
    }

    /// Written digit by digit: there can be tens of thousands in a list.
    private static func text(
        of parts: (days: Int, seconds: Int, milliseconds: Int), hasMilliseconds: Bool
    ) -> String {
        let (year, month, day) = date(daysSince1970: parts.days)
        return String(unsafeUninitializedCapacity: 24) { bytes in
            var end = 0
            func put(_ value: Int, _ count: Int, then mark: Unicode.Scalar) {
                var rest = value
                for place in (end..<end + count).reversed() {
                    bytes[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                    rest /= 10
                }
                bytes[end + count] = UInt8(ascii: mark)
                end += count + 1
            }
            put(year, 4, then: "-")
            put(month, 2, then: "-")
            put(day, 2, then: "T")
            put(parts.seconds / 3_600, 2, then: ":")
            put(parts.seconds / 60 % 60, 2, then: ":")
            put(parts.seconds % 60, 2, then: hasMilliseconds ? "." : "Z")
            if hasMilliseconds { put(parts.milliseconds, 3, then: "Z") }
            return end
        }
    }

    /// The Gregorian date: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
    private static func date(daysSince1970 days: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = days + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        return (
            yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        )
    }
}
