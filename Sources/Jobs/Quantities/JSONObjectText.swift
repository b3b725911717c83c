/// A JSON object on one line, put together key by key in the order in which they are added.
///
/// For lines of which there are many; documents of any depth are the encoder's.
public struct JSONObjectText: Sendable {
    private var body = ""

    /// An object without keys.
    public init() {}

    /// The object.
    public var text: String { "{" + body + "}" }

    /// Adds text; nothing where there is none.
    public mutating func add(_ key: String, _ value: String?) {
        guard let value else { return }
        begin(key)
        Self.append(value, to: &body)
    }

    /// Adds a whole number; nothing where there is none.
    public mutating func add(_ key: String, _ value: Int?) {
        guard let value else { return }
        begin(key)
        body += String(value)
    }

    /// Adds a number; nothing where there is none, or where it is not finite, which JSON has no way to say.
    public mutating func add(_ key: String, _ value: Double?) {
        guard let value, value.isFinite else { return }
        begin(key)
        body += "\(value)"
    }

    /// Adds `true` or `false`.
    public mutating func add(_ key: String, _ value: Bool) {
        begin(key)
        body += value ? "true" : "false"
    }

    private mutating func begin(_ key: String) {
        if !body.isEmpty { body += "," }
        Self.append(key, to: &body)
        body += ":"
    }

    /// Appends `value` in quotes. Most needs no escape, which is told faster.
    private static func append(_ value: String, to body: inout String) {
        body += "\""
        if value.utf8.allSatisfy({ $0 >= 0x20 && $0 != UInt8(ascii: "\"") && $0 != UInt8(ascii: "\\") && $0 != 0x7F }) {
            body += value
        } else {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"", "\\":
                    body += "\\"
                    body.unicodeScalars.append(scalar)
                case _ where scalar.value < 0x20 || scalar.value == 0x7F:
                    let digits = String(scalar.value, radix: 16)
                    body += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                default: body.unicodeScalars.append(scalar)
                }
            }
        }
        body += "\""
    }
}
