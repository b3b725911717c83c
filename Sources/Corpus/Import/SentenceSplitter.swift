/// Cuts running text into sentences by the habits of biomedical abstracts: "et al.", "Fig. 2", "E. coli", "p < 0.05.",
/// "3.5 mg/kg", "i.v." and "vs." end none.
///
/// A sentence ends at `.`, `?` or `!`, with closing brackets and quotes that follow, where blank space comes next and what
/// comes after it can begin a sentence, unless the word before the stop is an abbreviation that wants a word after it.
public struct SentenceSplitter: Sendable {
    /// A splitter; it holds nothing.
    public init() {}

    /// Abbreviations that never end a sentence: something always follows.
    private static let leading: Set<String> = [
        "fig", "figs", "eq", "eqs", "ref", "refs", "no", "nos", "vs", "cf", "e.g", "i.e", "viz", "ca", "approx", "dr",
        "prof",
        "mr", "mrs", "ms", "st", "sp", "spp", "subsp", "var", "ser", "sect", "vol", "pp", "ed", "eds", "chap", "tab",
        "suppl",
        "al", "resp", "incl", "excl", "max", "min", "temp", "concn", "aff", "nov", "gen", "bv", "pv", "f", "syn",
        "dept",
        "univ", "jan", "feb", "mar", "apr", "jun", "jul", "aug", "sept", "oct", "dec",
    ]
    /// Abbreviations that may stand at a sentence's end as well: what follows decides.
    private static let either: Set<String> = [
        "i.v", "i.p", "s.c", "p.o", "i.m", "i.d", "b.i.d", "t.i.d", "q.d", "b.w", "w.t", "a.m", "p.m", "u.s", "u.k",
        "u.s.a",
        "etc", "inc", "co", "corp", "ltd", "jr", "sr", "ph.d", "m.d", "d.c", "n.s", "s.d", "s.e", "s.e.m",
    ]

    /// The sentences of `text`, without blank space at their ends, with runs of blank space inside as one blank.
    public func sentences(of text: String) -> [String] {
        let scalars = Array(text.unicodeScalars)
        var sentences: [String] = []
        var start = 0
        var index = 0
        func finish(at end: Int) {
            let sentence = Self.tidied(scalars[start..<end])
            if !sentence.isEmpty { sentences.append(sentence) }
            start = end
        }
        while index < scalars.count {
            let scalar = scalars[index]
            guard scalar == "." || scalar == "?" || scalar == "!" else {
                index += 1
                continue
            }
            var end = index + 1
            while end < scalars.count, scalars[end] == "." || scalars[end] == "?" || scalars[end] == "!" { end += 1 }
            while end < scalars.count, Self.closes(scalars[end]) { end += 1 }
            if end < scalars.count, scalars[end].properties.isWhitespace,
                ends(scalars, stop: index, after: end, start: start)
            {
                finish(at: end)
            }
            index = end
        }
        finish(at: scalars.count)
        return sentences
    }

    /// Whether the stop at `stop` ends a sentence, when blank space begins at `after`.
    private func ends(_ scalars: [Unicode.Scalar], stop: Int, after: Int, start: Int) -> Bool {
        var next = after
        while next < scalars.count, scalars[next].properties.isWhitespace { next += 1 }
        guard next < scalars.count else { return true }
        while next < scalars.count, Self.opens(scalars[next]) { next += 1 }
        guard next < scalars.count else { return true }
        let follower = scalars[next]
        // A small letter begins a sentence only where it begins a name like "p53", "mRNA" or "alpha-".
        let startsSmall = follower.properties.isLowercase
        guard scalars[stop] == "." else { return !startsSmall || Self.isMixedName(scalars, next) }
        // "(vs. ...)" and the like: brackets closed after the stop mean that the stop belonged inside them.
        let closed = scalars[(stop + 1)..<after].contains { $0 == ")" || $0 == "]" }
        let word = Self.word(scalars, before: stop, start: start)
        let plain = word.lowercased()
        if Self.leading.contains(plain), !closed {
            // "no." and "min." are abbreviations before a number and words elsewhere.
            if [
                "no", "nos", "min", "max", "ed", "var", "syn", "gen", "mar", "dec", "f", "st", "ms", "ref", "sp", "spp",
                "nov",
            ]
            .contains(plain) {
                let isBeforeNumber = follower.properties.numericType != nil
                if ["sp", "spp", "nov", "f"].contains(plain) { return !startsSmall && !isBeforeNumber }
                return plain == "st" || plain == "ms" ? startsSmall || word.first?.isLowercase == true : !isBeforeNumber
            }
            return false
        }
        if Self.either.contains(plain) { return !startsSmall && follower.properties.numericType == nil }
        // One capital letter: an initial ("J. Smith") or a genus ("E. coli"), unless a number stands before it ("vitamin C.").
        if word.unicodeScalars.count == 1, let letter = word.unicodeScalars.first, letter.properties.isUppercase {
            if startsSmall { return false }
            return Self.endsWithLetterName(scalars, stop: stop, start: start)
        }
        return !startsSmall || Self.isMixedName(scalars, next)
    }

    /// Whether the single letter before `stop` is the end of a name ("vitamin C", "group B", "hepatitis B"): its
    /// predecessor is a word in small letters.
    private static func endsWithLetterName(_ scalars: [Unicode.Scalar], stop: Int, start: Int) -> Bool {
        var index = stop - 2
        guard index > start, scalars[index] == " " else { return index > start && scalars[index] == "-" }
        index -= 1
        var length = 0
        while index >= start, scalars[index].properties.isAlphabetic {
            guard scalars[index].properties.isLowercase else { return false }
            length += 1
            index -= 1
        }
        // "and E. coli", "by J. Smith": short words are no names.
        return length >= 4
    }

    /// Whether the word at `index` has a capital or a digit after its first small letters ("mRNA", "p53", "pH").
    private static func isMixedName(_ scalars: [Unicode.Scalar], _ index: Int) -> Bool {
        var place = index
        while place < scalars.count, place < index + 4, !scalars[place].properties.isWhitespace {
            if scalars[place].properties.isUppercase || scalars[place].properties.numericType != nil { return true }
            place += 1
        }
        return false
    }

    /// The word that ends before `stop`, with stops inside it ("i.v").
    private static func word(_ scalars: [Unicode.Scalar], before stop: Int, start: Int) -> String {
        var first = stop
        while first > start {
            let scalar = scalars[first - 1]
            guard scalar.properties.isAlphabetic || scalar == "." else { break }
            first -= 1
        }
        var word = String.UnicodeScalarView()
        word.append(contentsOf: scalars[first..<stop])
        return String(word)
    }

    private static func closes(_ scalar: Unicode.Scalar) -> Bool {
        scalar == ")" || scalar == "]" || scalar == "\"" || scalar == "'" || scalar == "\u{201d}"
            || scalar == "\u{2019}"
    }

    private static func opens(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "(" || scalar == "[" || scalar == "\"" || scalar == "'" || scalar == "\u{201c}"
            || scalar == "\u{2018}"
    }

    private static func tidied(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        var isPending = false
        for scalar in scalars {
            if scalar.properties.isWhitespace {
                isPending = !text.isEmpty
            } else {
                if isPending { text.append(" ") }
                isPending = false
                text.append(scalar)
            }
        }
        return String(text)
    }
}
