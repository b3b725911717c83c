import Foundation
import Jobs

/// Writes what the first pass finds in a unit's files.
final class UnitStaging {
    /// Entries of `.records` so far.
    private(set) var records = 0
    /// Documents staged so far.
    private(set) var staged = 0

    private let unit: ImportUnit
    private let options: ImportOptions
    private let folder: ImportFolder
    private let filter: CitationFilter
    private var maker: DocumentMaker
    private let recordFile: FileWriter
    private let signatureFile: FileWriter?
    private let documentFile: FileWriter
    private var member = 0
    private var kind = ImportedCorpus.Kind.text
    private var sourceName = ""
    private var reportedCuts = 0

    init(_ unit: ImportUnit, options: ImportOptions, folder: ImportFolder) throws {
        self.unit = unit
        self.options = options
        self.folder = folder
        filter = CitationFilter(options)
        maker = DocumentMaker(options)
        recordFile = try folder.newFile(unit, .records)
        signatureFile = options.duplicates == .near ? try folder.newFile(unit, .signatures) : nil
        documentFile = try folder.newFile(unit, .documents)
    }

    /// What comes now is from file `member` of the unit.
    func begin(member: Int, kind: ImportedCorpus.Kind) throws {
        self.member = member
        self.kind = kind
        sourceName = (unit.files[member].path as NSString).lastPathComponent
    }

    /// Sentences cut since the last call.
    func takeCutSentences() -> Int {
        defer { reportedCuts = maker.cutSentences }
        return maker.cutSentences - reportedCuts
    }

    /// Adds what a file says, and counts it.
    func add(_ record: CitationRecord, counts: inout ImportedCorpus.Counts) throws {
        switch record {
        case .citation(let citation): try add(citation, counts: &counts)
        case .deletion(let numbers):
            counts.deletions += numbers.count
            for number in numbers {
                var entry = ImportRecord()
                entry.kind = .deletion
                entry.member = UInt16(member)
                entry.pmid = number
                try entry.write(to: recordFile)
                records += 1
            }
        }
    }

    /// Flushes all to the disk; the summary comes last.
    func finish(_ summary: UnitReading.Summary) throws {
        try recordFile.finish()
        try signatureFile?.finish()
        try documentFile.finish()
        try folder.write(summary, unit, .summary)
    }

    private func add(_ citation: Citation, counts: inout ImportedCorpus.Counts) throws {
        counts.articles += 1
        if !citation.sections.isEmpty { counts.abstracts += 1 }
        counts.sections += citation.sections.count
        for section in citation.sections where !section.category.isEmpty {
            counts.sectionsByCategory[section.category, default: 0] += 1
        }
        counts.otherAbstracts += citation.otherAbstracts.count
        if citation.isRetracted { counts.retracted += 1 }

        let defect = filter.reason(for: citation)
        var isFirst = true
        for (sections, language, reason) in filter.texts(of: citation) {
            var reason = defect ?? reason
            if reason == nil { reason = maker.make(title: citation.title, sections: sections) }
            if let reason { counts.skipped[reason.name, default: 0] += 1 }
            try addRecord(citation, kind: isFirst ? .document : .companion, reason: reason)
            if reason == nil { try stage(citation, language: language) }
            isFirst = false
            if defect != nil { break }
        }
    }

    private func addRecord(_ citation: Citation, kind: ImportRecord.Kind, reason: SkipReason?) throws {
        var entry = ImportRecord()
        entry.kind = kind
        entry.reason = reason
        entry.member = UInt16(member)
        if self.kind == .pubMed {
            entry.pmid = citation.pmid
            entry.version = citation.version
            entry.revised = citation.revised
        }
        if reason == nil { entry.digest = maker.digest }
        try entry.write(to: recordFile)
        records += 1
    }

    private func stage(_ citation: Citation, language: String?) throws {
        let document = maker.document
        let metadata = RecordLine(source: sourceName, citation: citation, language: language).fields
        let licence = Array(citation.licence.utf8)
        try documentFile.write([
            UInt32(metadata.count), UInt32(licence.count), UInt32(document.bytes.count + document.sentenceCount),
            UInt32(document.sentenceCount),
        ])
        try metadata.withUnsafeBytes { try documentFile.write($0) }
        try licence.withUnsafeBytes { try documentFile.write($0) }
        try document.bytes.withUnsafeBytes { bytes in
            for index in 0..<document.sentenceCount {
                try documentFile.write(UnsafeRawBufferPointer(rebasing: bytes[document.range(ofSentence: index)]))
                try documentFile.write([UInt8(ascii: "\n")])
            }
        }
        if let signatureFile { try signatureFile.write(maker.signature()) }
        staged += 1
    }
}

/// A line of `records/`: where a document comes from, as a JSON object without its braces.
struct RecordLine {
    /// The fields: `"source":"a.xml","pmid":1`.
    private(set) var fields: [UInt8] = []

    init(source: String, citation: Citation, language: String?) {
        add("source", source)
        if citation.pmid > 0 {
            add("pmid", Int(citation.pmid))
            if citation.version > 1 { add("version", Int(citation.version)) }
        }
        if citation.year > 0 { add("year", citation.year) }
        if !citation.journal.isEmpty { add("journal", citation.journal) }
        if let language = language ?? citation.languages.first { add("language", language) }
        if language != nil { add("other_abstract", true) }
        if citation.isRetracted { add("retracted", true) }
    }

    private mutating func name(_ key: String) {
        if !fields.isEmpty { fields.append(UInt8(ascii: ",")) }
        fields.append(contentsOf: "\"\(key)\":".utf8)
    }

    private mutating func add(_ key: String, _ value: String) {
        name(key)
        Self.append(value.utf8, to: &fields)
    }

    private mutating func add(_ key: String, _ value: Int) {
        name(key)
        fields.append(contentsOf: String(value).utf8)
    }

    private mutating func add(_ key: String, _ value: Bool) {
        name(key)
        fields.append(contentsOf: (value ? "true" : "false").utf8)
    }

    /// Appends `text` as a JSON string (RFC 8259, section 7).
    static func append(_ text: some Sequence<UInt8>, to output: inout [UInt8]) {
        let digits = Array("0123456789abcdef".utf8)
        output.append(UInt8(ascii: "\""))
        for byte in text {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): output.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0..<0x20:
                output.append(contentsOf: "\\u00".utf8)
                output.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: output.append(byte)
            }
        }
        output.append(UInt8(ascii: "\""))
    }
}
