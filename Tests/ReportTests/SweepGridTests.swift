import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("The grid of a sweep")
struct SweepGridTests {
    private func point(_ backend: Backend, _ workers: Int, _ values: [String?]) throws -> SweepPoint {
        // As the reader makes them: by the file.
        let checks = SweepFile.Checks(hardware: { _, _ in nil }, emulation: { _, _, _ in nil })
        let text = "job: j\nbackend: [cluster, wafer]\nworkers: [1, 2]\n"
        let job = FabricatedRuns.job()
        let plan = try SweepFile.parse(bytes: Array(text.utf8), name: "s", directory: "/", checks: checks) { _ in job }
        var point = try #require(plan.points.first { $0.backend == backend && $0.workers == workers })
        point.values = values
        return point
    }

    private func report() throws -> (ComparisonReport, [RunRecord]) {
        var failed = FabricatedRuns.record(
            "3kq7x2mz", backend: .cluster, workers: 2, stepTime: 0.2, state: .failed(reason: "oh <b>"))
        failed.run.outcome = nil
        let records = [
            FabricatedRuns.record("1kq7x2mz", backend: .cluster, workers: 1, stepTime: 0.2),
            FabricatedRuns.record("2kq7x2mz", backend: .wafer, stepTime: 0.1),
        ]
        var report = try ComparisonReport(runs: records, generated: FabricatedRuns.start)
        report.sweep = SweepGrid(
            name: "night", axes: ["backend", "workers"],
            rows: [
                SweepGrid.Row(try point(.cluster, 1, ["cluster", "1"]), run: records[0].run, placeInReport: 0),
                SweepGrid.Row(try point(.cluster, 2, ["cluster", "2"]), run: failed.run, placeInReport: nil),
                SweepGrid.Row(try point(.wafer, 1, ["wafer", nil]), run: records[1].run, placeInReport: 1),
            ])
        return (report, records)
    }

    @Test("stands in the terminal and in Markdown, a row a run, with the reason of one that failed")
    func text() throws {
        let (report, _) = try report()
        let grid = try #require(report.sweep)
        let lines = SweepText(grid, in: report).terminal.split(separator: "\n").map(String.init)
        #expect(lines[0].hasPrefix("backend  workers  Run"))
        #expect(lines[1].contains("1kq7x2mz") && lines[1].contains("finished") && lines[1].contains("ms"))
        #expect(lines[2].contains("3kq7x2mz") && lines[2].hasSuffix("failed"))
        #expect(lines[3].hasPrefix("wafer    –"))
        #expect(lines.contains("3kq7x2mz: oh <b>"))
        #expect(MarkdownRenderer(report).render().contains("### The grid of the sweep"))
    }

    @Test("B16: stands in the page, whose figures point into the JSON document; what runs say is no markup")
    func page() throws {
        let (report, _) = try report()
        let page = HTMLRenderer(report).render()
        #expect(page.contains("<section id=\"grid\"") && page.contains("href=\"#grid\""))
        #expect(page.contains("data-key=\"/runs/1/step_median_host_seconds\""))
        #expect(page.contains("oh &lt;b&gt;") && !page.contains("oh <b>"))
        let document = try JSONTree(JSONRenderer(report).render())
        #expect(document["/sweep/rows/1/reason"] == .text("oh <b>"))
        #expect(document["/sweep/rows/2/values"] == .list([.text("wafer"), .null]))
    }

    @Test("F35: a run whose processor throttles half-way is told by its steps; a steady one isn't")
    func throttled() throws {
        var record = FabricatedRuns.record("1kq7x2mz", backend: .wafer, stepTime: 0.1)
        func notes(_ record: RunRecord) throws -> [String] {
            try ComparisonReport(runs: [record], generated: FabricatedRuns.start).notes
                .filter { $0.kind == .stepsDrift }.map(\.text.plain)
        }
        #expect(try notes(record).isEmpty)
        for index in record.steps.indices.suffix(record.steps.count / 2) {
            record.steps[index].duration = record.steps[index].duration * 2
        }
        let found = try notes(record)
        #expect(found.count == 1 && found[0].contains("The median step of the second half took 2"), "\(found)")
        // Two phases have steps of unequal work.
        record.run.job.phases.append(record.run.job.phases[0])
        #expect(try notes(record).isEmpty)
        record = FabricatedRuns.record("1kq7x2mz", backend: .wafer, job: FabricatedRuns.job(steps: 12), stepTime: 0.1)
        #expect(try notes(record).isEmpty)
    }
}
