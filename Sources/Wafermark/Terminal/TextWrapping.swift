/// Breaks text between words so that lines keep within a terminal's width.
enum TextWrapping {
    /// `text` in lines of at most `width` characters where its words allow it.
    ///
    /// - Parameters:
    ///   - indent: what every line begins with.
    ///   - hanging: what every line but the first begins with besides.
    static func lines(_ text: String, indent: String = "", hanging: String = "", width: Int = 80) -> [String] {
        var (lines, line, isEmpty) = ([String](), indent, true)
        for word in text.split(separator: " ") {
            if !isEmpty, line.count + 1 + word.count > width {
                lines.append(line)
                (line, isEmpty) = (indent + hanging, true)
            }
            line += (isEmpty ? "" : " ") + word
            isEmpty = false
        }
        return lines + [line]
    }
}
