import PerformanceModel
import Report

/// A wafer's sensitivity table for people, in 80 columns.
struct SensitivityText {
    private let table: WaferSensitivity

    init(_ table: WaferSensitivity) { self.table = table }

    /// The whole text.
    var text: String { headline + rows + "\n" + sources + assumptions }

    private var headline: String {
        let parts = table.phaseHours.map(time).joined(separator: " + ")
        var line = "Time to solution: \(parts)"
        if table.phaseHours.count > 1 { line += " = \(time(table.hours))" }
        line += " \(isLong ? "h" : "s") (modelled clock)"
        if let published = table.publishedHours {
            line += "; published: \(Figures.short(published)) h"
        }
        return line + "\n\(isLong ? "hours" : "seconds") if one thing is another, the largest change first\n\n"
    }

    private var rows: String {
        let rows = table.rows.enumerated().map { index, row in
            [
                "\(index + 1)", row.name + (row.unit.isEmpty ? "" : ", \(row.unit)"), Figures.short(row.value),
                "\(Figures.short(row.low)) to \(Figures.short(row.high))",
                "\(hours(row.hoursAtLow)) to \(hours(row.hoursAtHigh))",
            ]
        }
        return TextTable(
            [
                .init("", isNumeric: true), .init("WHAT", mayShrink: true), .init("VALUE", isNumeric: true),
                .init("RANGE", isNumeric: true), .init(isLong ? "HOURS" : "SECONDS", isNumeric: true),
            ], rows: rows
        ).text()
    }

    private func hours(_ hours: Double?) -> String { hours.map(time) ?? "no fit" }

    /// Hours of what takes long, seconds of the rest.
    private func time(_ hours: Double) -> String { Figures.short(isLong ? hours : hours * 3600) }

    private var isLong: Bool { table.hours >= 0.1 }

    private var sources: String {
        table.rows.enumerated().map { index, row in
            WrappedText.lines(row.source, indent: 4, first: "\(index + 1)".padded(left: 2) + "  ")
        }.joined()
    }

    private var assumptions: String {
        "\nassumed, not varied:\n" + table.assumptions.map { WrappedText.lines($0, indent: 2, first: "  ") }.joined()
    }
}
