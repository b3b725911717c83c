import Foundation

/// Writes one SVG picture. Text is escaped; numbers have at most two decimals, which is finer than a screen.
struct SVG {
    private(set) var body = ""

    /// `text` fit for XML text and attributes: markup and control characters can't get through.
    static func escaped(_ text: String) -> String {
        var result = ""
        result.reserveCapacity(text.utf8.count)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            case "\n", "\t": result.unicodeScalars.append(scalar)
            // Controls, and the bidirectional overrides that make text read as another.
            case "\u{0}"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}",
                "\u{FFFE}", "\u{FFFF}":
                result += "\u{FFFD}"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }

    /// `value` with at most two decimals.
    static func number(_ value: Double) -> String {
        let rounded = (value * 100).rounded() / 100
        if rounded == rounded.rounded(), abs(rounded) < 1e15 { return String(Int(rounded)) }
        return String(rounded)
    }

    mutating func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, class style: String) {
        body +=
            """
            <line class="\(style)" x1="\(Self.number(x1))" y1="\(Self.number(y1))" x2="\(Self.number(x2))" \
            y2="\(Self.number(y2))"/>
            """
    }

    mutating func rectangle(
        x: Double, y: Double, width: Double, height: Double, class style: String, radius: Double = 0
    ) {
        let corner = radius > 0 ? " rx=\"\(Self.number(radius))\"" : ""
        body +=
            """
            <rect class="\(style)" x="\(Self.number(x))" y="\(Self.number(y))" width="\(Self.number(width))" \
            height="\(Self.number(height))"\(corner)/>
            """
    }

    /// Where text is anchored.
    enum Anchor: String {
        case start, middle, end
    }

    /// Text at a point; upright text reads from bottom to top.
    mutating func text(
        _ text: String, x: Double, y: Double, anchor: Anchor = .start, isUpright: Bool = false, class style: String
    ) {
        let turn = isUpright ? " transform=\"rotate(-90 \(Self.number(x)) \(Self.number(y)))\"" : ""
        body +=
            """
            <text class="\(style)" x="\(Self.number(x))" y="\(Self.number(y))" \
            text-anchor="\(anchor.rawValue)"\(turn)>\(Self.escaped(text))</text>
            """
    }

    /// A line through `points`; a gap where one is nil.
    mutating func path(_ points: [(x: Double, y: Double)?], class style: String) {
        var data = ""
        var isDown = false
        for point in points {
            guard let point else {
                isDown = false
                continue
            }
            data += (isDown ? "L" : "M") + Self.number(point.x) + " " + Self.number(point.y)
            isDown = true
        }
        if !data.isEmpty { body += "<path class=\"\(style)\" d=\"\(data)\"/>" }
    }

    /// A mark of `shape` around a point.
    mutating func mark(_ shape: SeriesStyle.Mark, x: Double, y: Double, radius: Double, class style: String) {
        switch shape {
        case .circle:
            body +=
                """
                <circle class="\(style)" cx="\(Self.number(x))" cy="\(Self.number(y))" \
                r="\(Self.number(radius))"/>
                """
        case .square:
            let side = radius * 2.5
            rectangle(x: x - side / 2, y: y - side / 2, width: side, height: side, class: style)
        case .diamond:
            polygon(
                [(x, y - radius * 1.3), (x + radius * 1.3, y), (x, y + radius * 1.3), (x - radius * 1.3, y)], style)
        case .triangle:
            polygon(
                [(x, y - radius * 1.2), (x + radius * 1.15, y + radius * 0.9), (x - radius * 1.15, y + radius * 0.9)],
                style)
        }
    }

    private mutating func polygon(_ points: [(Double, Double)], _ style: String) {
        let list = points.map { "\(Self.number($0.0)),\(Self.number($0.1))" }.joined(separator: " ")
        body += "<polygon class=\"\(style)\" points=\"\(list)\"/>"
    }

    /// The `picture` that `document` made as a file of its own, with `style` sheet.
    static func file(_ picture: String, style: String) -> String {
        picture.replacing(
            "<svg ", with: "<svg xmlns=\"http://www.w3.org/2000/svg\" ", maxReplacements: 1
        ).replacing("</title>", with: "</title><style>\(style)</style>", maxReplacements: 1)
    }

    /// The whole picture, with a title and a description for those who don't see it.
    func document(id: String, width: Double, height: Double, title: String, description: String) -> String {
        """
        <svg class="chart" viewBox="0 0 \(Self.number(width)) \(Self.number(height))" role="img" \
        aria-labelledby="\(id)-title \(id)-description"><title id="\(id)-title">\(Self.escaped(title))</title>\
        <desc id="\(id)-description">\(Self.escaped(description))</desc>\(body)</svg>
        """
    }
}

/// How a series is told from others: by colour, by mark and by dash, so that colour alone never matters.
public struct SeriesStyle: Hashable, Sendable {
    /// The shape of its marks.
    public enum Mark: String, Hashable, Sendable, CaseIterable {
        case circle, square, diamond, triangle
    }

    /// The style sheet's class that gives the colour: `wafer`, `cluster`.
    public var colour: String
    /// The shape of its marks.
    public var mark: Mark
    /// Which dash the style sheet gives its line; 0 for none.
    public var dash: Int

    /// A style of the given parts.
    public init(colour: String, mark: Mark, dash: Int) {
        self.colour = colour
        self.mark = mark
        self.dash = dash
    }
}
