/// Language codes of three letters, as PubMed writes them (ISO 639-2/B).
enum LanguageCode {
    private static let ofTwo = [
        "af": "afr", "ar": "ara", "bg": "bul", "ca": "cat", "cs": "cze", "da": "dan", "de": "ger", "el": "gre",
        "en": "eng",
        "es": "spa", "et": "est", "fa": "per", "fi": "fin", "fr": "fre", "he": "heb", "hr": "hrv", "hu": "hun",
        "id": "ind",
        "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit", "lv": "lav", "nl": "dut", "no": "nor", "pl": "pol",
        "pt": "por",
        "ro": "rum", "ru": "rus", "sk": "slo", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur",
        "uk": "ukr",
        "vi": "vie", "zh": "chi",
    ]

    /// The three-letter form of `code`, which may have two letters or a region ("en-GB"); what isn't known stays as it is.
    static func three(_ code: String) -> String {
        let word = code.lowercased().prefix { $0 != "-" && $0 != "_" }
        return ofTwo[String(word)] ?? String(word)
    }
}
