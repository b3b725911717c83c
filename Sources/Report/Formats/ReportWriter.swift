import Foundation

/// A form in which a report can be had.
public enum ReportFormat: String, Hashable, Sendable, CaseIterable {
    case html, json, csv, markdown

    /// The file's name within a report's folder.
    public var fileName: String {
        switch self {
        case .html: "report.html"
        case .json: "report.json"
        case .csv: "report.csv"
        case .markdown: "report.md"
        }
    }
}

/// Puts a report into files.
public struct ReportWriter {
    /// The name of the file that has every step of every run.
    public static let stepsFileName = "steps.csv"

    let report: ComparisonReport
    let runs: [StepTable]

    /// A writer of `report`.
    ///
    /// - Parameter steps: the steps of each run, for `steps.csv`; without them that file isn't written.
    public init(_ report: ComparisonReport, steps: [StepTable] = []) {
        self.report = report
        self.runs = steps
    }

    /// The report in one format.
    public func render(_ format: ReportFormat) throws -> Data {
        switch format {
        case .html: Data(HTMLRenderer(report).render().utf8)
        case .json: try JSONRenderer(report).render()
        case .csv: Data(CSVRenderer(report).render().utf8)
        case .markdown: Data(MarkdownRenderer(report).render().utf8)
        }
    }

    /// Writes `formats` into `directory`, which is made where it is missing. Each file appears whole or not at all.
    ///
    /// - Returns: the paths written; the first is that of the first format.
    /// - Throws: `ReportError`.
    @discardableResult
    public func write(to directory: String, formats: [ReportFormat] = ReportFormat.allCases) throws -> [String] {
        var files = try formats.map { (name: $0.fileName, data: try render($0)) }
        if !runs.isEmpty, formats.contains(.csv) {
            files.append((Self.stepsFileName, Data(CSVRenderer.steps(runs).utf8)))
        }
        return try Self.put(files, into: directory)
    }

    /// Writes `files` into `directory`, which is made where it is missing, and returns their paths.
    static func put(_ files: [(name: String, data: Data)], into directory: String) throws -> [String] {
        let folder = URL(fileURLWithPath: directory, isDirectory: true)
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw ReportError.cannotWrite(path: folder.path, detail: error.localizedDescription)
        }
        return try files.map { file in
            let target = folder.appendingPathComponent(file.name)
            do {
                // Writes beside the target and renames.
                try file.data.write(to: target, options: .atomic)
            } catch {
                throw ReportError.cannotWrite(path: target.path, detail: error.localizedDescription)
            }
            return target.path
        }
    }
}
