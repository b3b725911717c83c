/// Text from outside, made safe to print: no control characters, so no terminal escape and no second line.
public enum PrintableText {
    /// `text` with control characters escaped.
    public static func plain(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar.properties.generalCategory {
            case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .unassigned:
                result += "\\u{\(String(scalar.value, radix: 16))}"
            default:
                result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `text` in quotes, escaped, and cut to `limit` characters.
    public static func quoted(_ text: String, limit: Int = 80) -> String {
        let shown = text.prefix(limit)
        return "'" + plain(String(shown)) + (shown.endIndex < text.endIndex ? "…'" : "'")
    }
}
