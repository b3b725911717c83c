import Foundation

/// Where PubMed's files are, and which there are.
public struct PubMedRelease: Sendable {
    /// A part of PubMed that NLM publishes as files.
    public enum Collection: String, Sendable, CaseIterable {
        /// All citations as of a year's beginning.
        case baseline = "pubmed"
        /// What was new, revised or deleted since, a file a day.
        case updates = "pubmed-updates"

        /// The folder at NLM.
        public var address: String {
            switch self {
            case .baseline: "https://ftp.ncbi.nlm.nih.gov/pubmed/baseline/"
            case .updates: "https://ftp.ncbi.nlm.nih.gov/pubmed/updatefiles/"
            }
        }
    }

    /// The names by number.
    let names: [Int: String]

    /// Finds the names in a folder's listing, whatever its form; of several years the newest counts.
    init(listing: String) {
        var names: [Int: (year: Int, name: String)] = [:]
        for match in listing.matches(of: /pubmed(\d\d)n(\d{4,6})\.xml\.gz/) {
            guard let year = Int(match.1), let number = Int(match.2), number > 0 else { continue }
            if year >= names[number]?.year ?? 0 { names[number] = (year, String(match.0)) }
        }
        let newest = names.values.map(\.year).max()
        self.names = names.filter { $0.value.year == newest }.mapValues(\.name)
    }

    /// The name of file `number` of the release of `year`, two digits.
    static func name(year: Int, number: Int) -> String {
        func padded(_ value: Int, _ width: Int) -> String {
            String(repeating: "0", count: max(0, width - String(value).count)) + String(value)
        }
        return "pubmed\(padded(year, 2))n\(padded(number, 4)).xml.gz"
    }

    /// "1..1219": the numbers that there are.
    var range: String {
        guard let first = names.keys.min(), let last = names.keys.max() else { return "none" }
        return "\(first)..\(last)"
    }
}
