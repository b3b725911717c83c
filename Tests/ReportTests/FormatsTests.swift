import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("The report as JSON, CSV and Markdown")
struct FormatsTests {
    @Test("every document fulfils the schema", arguments: Specimen.all)
    func schema(specimen: Specimen) throws {
        let checker = SchemaChecker(root: try JSONTree(JSONRenderer.schema))
        let document = try JSONTree(JSONRenderer(specimen.report()).render())
        #expect(checker.complaints(about: document).isEmpty, "\(checker.complaints(about: document))")
    }

    @Test("the schema refuses what is not a report")
    func schemaRefuses() throws {
        let checker = SchemaChecker(root: try JSONTree(JSONRenderer.schema))
        var document = try #require(try JSONTree(JSONRenderer(Specimen.all[0].report()).render()).object)
        document["run_count"] = .text("two")
        document["surprise"] = .bool(true)
        document["answer"] = nil
        let complaints = checker.complaints(about: .object(document))
        #expect(complaints.count == 3, "\(complaints)")
    }

    @Test("every property of the schema says what it is")
    func schemaDocuments() throws {
        let schema = try JSONTree(JSONRenderer.schema)
        var undocumented: [String] = []
        func visit(_ node: JSONTree, _ place: String) {
            for (name, property) in node.object?["properties"]?.object ?? [:] {
                if property.object?["description"] == nil, property.object?["$ref"] == nil {
                    undocumented.append("\(place)/\(name)")
                }
                visit(property, "\(place)/\(name)")
            }
            if let items = node.object?["items"] { visit(items, place) }
        }
        visit(schema, "")
        for (name, definition) in schema["/$defs"]?.object ?? [:] { visit(definition, name) }
        #expect(undocumented.isEmpty)
    }

    @Test("the same records make the same documents")
    func deterministic() throws {
        for format in ReportFormat.allCases {
            let first = try ReportWriter(Specimen.all[0].report()).render(format)
            let second = try ReportWriter(Specimen.all[0].report()).render(format)
            #expect(first == second)
        }
    }

    @Test("the parts of a step add up to it, and their shares to one")
    func partsAddUp() throws {
        for run in try Specimen.all[0].report().runs {
            let parts = try #require(run.stepParts)
            #expect(abs(parts.all.reduce(0) { $0 + $1.seconds } - parts.totalHostSeconds) < 1e-12)
            #expect(abs(parts.shares.values.reduce(0, +) - 1) < 1e-12)
        }
    }

    @Test("many steps are thinned in JSON, first and last kept, and whole in the CSV of steps")
    func thinned() throws {
        let record = FabricatedRuns.record(
            "9c0ht5vw", backend: .wafer, job: FabricatedRuns.job(steps: 7_001), stepTime: 0.01)
        let report = try ComparisonReport(runs: [record], generated: FabricatedRuns.start)
        let series = report.runs[0].series
        #expect(series.everySteps == 4)
        #expect(series.step.count <= 2_000)
        #expect((series.step.first, series.step.last) == (0, 7_000))
        #expect(CSVRenderer.steps([StepTable(record)]).split(separator: "\r\n").count == 7_002)
        #expect(HTMLRenderer(report).render().utf8.count < 3_000_000)
    }

    @Test(
        "B16: a text that a spreadsheet takes for a formula is disarmed, a number is not",
        arguments: [
            ("=cmd|' /C calc'!A0", "'=cmd|' /C calc'!A0"), ("+1+2", "'+1+2"), ("@SUM(A1)", "'@SUM(A1)"),
            ("-x", "'-x"), ("-1.5", "-1.5"), ("plain", "plain"), ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("\t=1", "'\t=1"), ("two\nlines", "\"two\nlines\""),
        ])
    func formula(text: String, field: String) throws {
        var records = FabricatedRuns.pair()
        records[0].run.hardware = text
        // The hardware's name is the end of the label; a label alone is tested through the field's own rule.
        #expect(CSVRenderer.field(text) == field)
        let csv = CSVRenderer(try ComparisonReport(runs: records, generated: FabricatedRuns.start)).render()
        for line in csv.split(separator: "\r\n") { #expect(!"=+@".contains(line.first ?? " ")) }
    }

    @Test("the CSV has each figure once a run, with unit and clock")
    func csv() throws {
        let lines = CSVRenderer(try Specimen.all[0].report()).render().split(separator: "\r\n")
        #expect(lines[0] == "run_id,label,backend,workers,figure,value,unit,clock")
        let times = lines.filter { $0.contains(",training_host_seconds,") }
        #expect(times.count == 2)
        #expect(times.allSatisfy { $0.hasSuffix(",s,host") })
    }

    @Test("Markdown keeps names from becoming markup")
    func markdown() throws {
        var records = FabricatedRuns.pair()
        records[0].run.hardware = "a|b*c_d[e](f)`g`"
        let text = MarkdownRenderer(try ComparisonReport(runs: records, generated: FabricatedRuns.start)).render()
        #expect(text.contains("a\\|b\\*c\\_d\\[e\\](f)\\`g\\`"))
        #expect(text.contains("| Training time (host clock, evaluations included) |"))
        #expect(text.contains("bit-identical"))
    }

    @Test("files appear in a folder that is made, and a folder that can't be made is named")
    func writer() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("report-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let specimen = Specimen.all[0]
        let paths = try ReportWriter(specimen.report(), steps: specimen.runs.map(StepTable.init))
            .write(to: folder.path + "/new")
        #expect(
            paths.map { URL(fileURLWithPath: $0).lastPathComponent }
                == ["report.html", "report.json", "report.csv", "report.md", "steps.csv"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path + "/new").count == 5)
        let error = #expect(throws: ReportError.self) {
            try ReportWriter(specimen.report()).write(to: paths[0] + "/below-a-file")
        }
        #expect(error?.description.contains(paths[0]) == true)
    }

    @Test("compare --json has every promised key, null where nothing is known")
    func summary() throws {
        let report = try Specimen.all[0].report()
        let document = try JSONTree(ComparisonSummary(report, reportPath: "/tmp/report.html").json())
        #expect(document["/report_path"] == .text("/tmp/report.html"))
        #expect(document["/bit_identical"] == .bool(true))
        let keys = [
            "run_id", "steps", "host_seconds", "sequences_per_second", "first_loss", "final_loss", "final_mlm_accuracy",
            "weights_digest",
        ]
        for side in ["cluster", "wafer"] {
            for key in keys {
                let value = try #require(document["/\(side)/\(key)"])
                #expect(value != .null)
            }
        }
        let failed = try JSONTree(ComparisonSummary(Specimen.all[6].report(), reportPath: nil).json())
        #expect(failed["/bit_identical"] == .null)
        #expect(failed["/cluster/weights_digest"] == .null)
        #expect(failed["/cluster/state"] == .text("failed"))
        let alone = try JSONTree(ComparisonSummary(Specimen.all[4].report(), reportPath: nil).json())
        #expect(alone["/cluster"] == .null)
    }

    @Test("runs list and show as JSON")
    func runJSON() throws {
        let record = FabricatedRuns.pair()[0]
        let list = try JSONTree(RunJSON.list([RunSummary(record)]))
        #expect(list["/runs/0/run_id"] == .text("4kq7x2mz"))
        #expect(list["/runs/0/steps_made"] == .number(300))
        #expect(list["/runs/0/state"] == .text("finished"))
        #expect(try JSONTree(RunJSON.list([])) == .object(["runs": .list([])]))
        let show = try JSONTree(RunJSON.show(record))
        #expect(show["/run/steps_made"] == .number(300))
        #expect(show["/job/seed"] == .number(42))
    }
}
