import Foundation

/// What a test reads out of an HTML page of this package. It is no parser for pages of others.
struct HTMLReading {
    let html: String

    struct Figure {
        var value: String
        var key: String
        var text: String
    }

    /// Every `<data>` element.
    var figures: [Figure] {
        html.matches(of: #/<data[^>]* value="([^"]*)" data-key="([^"]*)">([^<]*)</data>/#).map {
            Figure(value: String($0.output.1), key: String($0.output.2), text: String($0.output.3))
        }
    }

    /// The page's text without the elements named, and without markup.
    func text(without elements: [String]) throws -> String {
        var page = html
        for element in elements {
            page = page.replacing(try Regex("<\(element)[ >][\\s\\S]*?</\(element)>"), with: " ")
        }
        return page.replacing(#/<[^>]*>/#, with: " ")
    }

    /// Elements that are opened and never closed, or closed and never opened.
    var unbalanced: [String] {
        let void: Set<String> = ["meta", "br", "hr", "img", "link", "input"]
        var open: [String] = []
        var wrong: [String] = []
        for tag in html.matches(of: #/<(/?)([a-zA-Z][a-zA-Z0-9]*)([^<>]*?)(/?)>/#) {
            let name = String(tag.output.2)
            if void.contains(name.lowercased()) || tag.output.4 == "/" { continue }
            if tag.output.1.isEmpty {
                open.append(name)
            } else if open.last == name {
                open.removeLast()
            } else {
                wrong.append("</\(name)> inside <\(open.last ?? "")>")
            }
        }
        return wrong + open.map { "<\($0)> is never closed" }
    }

    /// The values of an attribute.
    func attribute(_ name: String) throws -> [String] {
        html.matches(of: try Regex(" \(name)=\"([^\"]*)\"")).compactMap { $0.output[1].substring.map(String.init) }
    }
}
