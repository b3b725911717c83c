import Foundation

/// Times of day as parts of file names.
enum FileTimestamp {
    /// The present time, such as `20261126-154000`, by the wall clock of this place.
    static func now() -> String {
        let parts = Calendar(identifier: .gregorian).dateComponents(
            [.year, .month, .day, .hour, .minute, .second], from: Date())
        func two(_ value: Int?) -> String { String("0\(value ?? 0)".suffix(2)) }
        return
            "\(parts.year ?? 0)\(two(parts.month))\(two(parts.day))-\(two(parts.hour))\(two(parts.minute))\(two(parts.second))"
    }
}
