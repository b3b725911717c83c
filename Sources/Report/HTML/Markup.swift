/// HTML in the making. Everything that is not a literal of this package goes through `escaped`.
struct Markup {
    private(set) var text = ""

    /// Appends markup that the package itself wrote.
    mutating func raw(_ markup: String) { text += markup }

    /// Appends text of any origin.
    mutating func escaped(_ content: String) { text += SVG.escaped(content) }

    /// Appends an element with escaped text.
    mutating func element(_ name: String, class style: String? = nil, _ content: String) {
        open(name, class: style)
        escaped(content)
        raw("</\(name)>")
    }

    /// Appends an element with a phrase.
    mutating func element(_ name: String, class style: String? = nil, _ phrase: Phrase) {
        open(name, class: style)
        self.phrase(phrase)
        raw("</\(name)>")
    }

    mutating func open(_ name: String, class style: String? = nil) {
        raw(style.map { "<\(name) class=\"\($0)\">" } ?? "<\(name)>")
    }

    /// Appends a sentence; its figures carry their unrounded values.
    mutating func phrase(_ phrase: Phrase) {
        for part in phrase.parts {
            switch part {
            case .text(let content): escaped(content)
            case .figure(let figure): self.figure(figure)
            }
        }
    }

    /// Appends a figure: what is shown, its unrounded value, and its place in the JSON document.
    mutating func figure(_ figure: Phrase.Figure) {
        guard let value = figure.value, value.isFinite else {
            raw("<span class=\"none\" title=\"not known\">–</span>")
            return
        }
        let emphasis = figure.format == .duration || figure.format == .ratio ? " class=\"key\"" : ""
        raw("<data\(emphasis) value=\"\(Self.number(value))\" data-key=\"\(SVG.escaped(figure.key))\">")
        escaped(figure.text)
        raw("</data>")
    }

    /// Appends a figure.
    mutating func figure(_ value: Double?, _ format: FigureFormat, _ key: String) {
        figure(Phrase.Figure(value, format, key))
    }

    /// `value` so that it reads back to the same bits.
    static func number(_ value: Double) -> String {
        if value == value.rounded(), abs(value) < 1e15 { return String(Int(value)) }
        return String(value)
    }
}
