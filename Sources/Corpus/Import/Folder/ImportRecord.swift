import Jobs

/// What the choice among documents needs to know of one: 32 bytes in a unit's `.records` file, in the order of reading.
struct ImportRecord: Equatable {
    /// Bytes of a stored record.
    static let size = 32

    /// What a record stands for.
    enum Kind: UInt8 {
        /// A document of a citation: its own text.
        case document = 0
        /// Another document of the citation before.
        case companion = 1
        /// A PubMed number in a `DeleteCitation`.
        case deletion = 2
    }

    var kind = Kind.document
    /// Why the document was left out when it was read; nil where it was staged.
    var reason: SkipReason?
    /// The file among those of the unit.
    var member: UInt16 = 0
    /// The PubMed number that revisions share; 0 where revisions don't matter.
    var pmid: UInt32 = 0
    var version: UInt16 = 0
    var revised: UInt32 = 0
    /// 128 bits that name the words.
    var digest: (UInt64, UInt64) = (0, 0)

    /// The stored form.
    func write(to file: FileWriter) throws {
        try file.write([
            UInt64(pmid) | UInt64(revised) << 32,
            UInt64(version) | UInt64(member) << 16 | UInt64(kind.rawValue) << 32 | UInt64(reason?.rawValue ?? 0) << 40,
            digest.0, digest.1,
        ])
    }

    init() {}

    /// Record `index` of a file; nil where the file is damaged.
    init?(_ file: MappedFile, _ index: Int) {
        guard let first = file.element(4 * index, as: UInt64.self),
            let second = file.element(4 * index + 1, as: UInt64.self),
            let third = file.element(4 * index + 2, as: UInt64.self),
            let fourth = file.element(4 * index + 3, as: UInt64.self),
            let kind = Kind(rawValue: UInt8(truncatingIfNeeded: second >> 32))
        else { return nil }
        self.kind = kind
        pmid = UInt32(truncatingIfNeeded: first)
        revised = UInt32(truncatingIfNeeded: first >> 32)
        version = UInt16(truncatingIfNeeded: second)
        member = UInt16(truncatingIfNeeded: second >> 16)
        reason = SkipReason(rawValue: UInt8(truncatingIfNeeded: second >> 40))
        digest = (third, fourth)
    }

    /// Whether this revision takes the place of `other`, which comes before it in the order of the sources: a higher
    /// version, else a later date where both have one, else simply the later.
    func supersedes(_ other: ImportRecord) -> Bool {
        if version != other.version { return version > other.version }
        if revised != other.revised, revised != 0, other.revised != 0 { return revised > other.revised }
        return true
    }

    static func == (left: Self, right: Self) -> Bool {
        left.kind == right.kind && left.reason == right.reason && left.member == right.member
            && left.pmid == right.pmid && left.version == right.version && left.revised == right.revised
            && left.digest == right.digest
    }
}
