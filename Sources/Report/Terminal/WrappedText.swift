/// Text in lines that keep within a terminal's width.
public enum WrappedText {
    /// `text` in lines of at most `width` characters, broken at spaces, or where a word is longer than a line.
    ///
    /// - Parameters:
    ///   - first: what the first line begins with, `indent` characters.
    ///   - indent: spaces before every other line.
    public static func lines(_ text: String, indent: Int, width: Int = 80, first: String) -> String {
        let room = max(20, width - indent)
        var lines: [String] = []
        var line = ""
        let words = text.split(separator: " ").flatMap { word in
            stride(from: 0, to: word.count, by: room).map { word.dropFirst($0).prefix(room) }
        }
        for word in words {
            if !line.isEmpty, line.count + 1 + word.count > room {
                lines.append(line)
                line = String(word)
            } else {
                line += (line.isEmpty ? "" : " ") + word
            }
        }
        lines.append(line)
        let margin = String(repeating: " ", count: indent)
        return lines.enumerated().map { ($0 == 0 ? first : margin) + $1 + "\n" }.joined()
    }
}
