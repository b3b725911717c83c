import Foundation

/// Writes a report as one JSON document: snake_case keys, units and clocks in the keys, times of day in ISO 8601.
/// A key that is missing stands for a figure that is not known.
public struct JSONRenderer {
    let report: ComparisonReport

    /// A renderer of `report`.
    public init(_ report: ComparisonReport) { self.report = report }

    /// The JSON Schema (2020-12) that every document fulfils.
    public static var schema: Data { Data(PackageResources.report_schema_json) }

    /// The document, ending in a new line. Throws `ReportError.cannotEncode`.
    public func render() throws -> Data { try Self.document(report) }

    /// `value` in this package's form of JSON.
    static func document(_ value: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.dateEncodingStrategy = .iso8601
        do {
            return try encoder.encode(value) + Data("\n".utf8)
        } catch {
            throw ReportError.cannotEncode(detail: String(describing: error))
        }
    }
}
