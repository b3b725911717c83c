import Foundation
import Jobs

/// The first pass over a unit: its files are read, and what may be kept is staged.
///
/// In `work/`, under the unit's identifier: `.records` (an `ImportRecord` each), `.signatures` (a MinHash signature for
/// each staged document), `.documents` (metadata and text of each), and last the summary `.json`. A unit whose summary is
/// there was read to its end.
struct UnitReading {
    /// What is known of a unit once it was read.
    struct Summary: Codable {
        /// The files, with counts of what was read and left out so far.
        var sources: [ImportedCorpus.Source]
        /// Entries of `.records`.
        var records: Int
        /// Documents in `.documents`, and entries of `.signatures` if there are any.
        var staged: Int
    }

    let unit: ImportUnit
    let options: ImportOptions
    let folder: ImportFolder
    let meter: ImportMeter
    let isStrict: Bool
    let isCancelled: @Sendable () -> Bool

    /// Reads the unit. Whatever goes wrong, what it wrote is no summary, so that the next run starts the unit anew.
    func run() throws -> Summary {
        let staging = try UnitStaging(unit, options: options, folder: folder)
        var sources: [ImportedCorpus.Source] = []
        for member in unit.files.indices {
            var reading = try SourceReading(
                unit.files[member], member: member, options: options, meter: meter, isStrict: isStrict,
                isCancelled: isCancelled)
            sources.append(try reading.run(into: staging))
            meter.finishFile()
        }
        let summary = Summary(sources: sources, records: staging.records, staged: staging.staged)
        try staging.finish(summary)
        return summary
    }
}
