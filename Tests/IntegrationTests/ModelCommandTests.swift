import Foundation
import TestSupport
import Testing

@Suite("Commands of the performance model")
struct ModelCommandTests {
    private static let header =
        "id,stack,hardware,model,sequence_length,masked_per_sequence,precision,nodes,gpus_per_node,micro_batch,"
        + "accumulation,optimizer,sequences_per_second,source"

    private static func cases(_ rows: String...) -> String { ([header] + rows).joined(separator: "\n") + "\n" }

    private static let row = "a,pytorch-20.06,dgx1-v100-16g,bert-large,128,20,fp16,1,8,16,512,lamb,1236,somebody"

    private func expectEightyColumns(_ text: String) {
        for line in text.split(separator: "\n") { #expect(line.count <= 80, "\(line)") }
    }

    @Test("predict prints one JSON document whose parts add up, and text within 80 columns")
    func predict() throws {
        let arguments = ["predict", "bert-large-pubmed", "--hardware", "dgx1-v100-16g", "--nodes", "4"]
        let json = try Program.run(arguments + ["--json"]).json()
        let breakdown = try #require(json["breakdown"] as? [String: Double])
        let step = try #require(json["step_seconds"] as? Double)
        #expect(abs(breakdown.values.reduce(0, +) - step) < 1e-9 * step)
        for key in [
            "sequences_per_second", "scaling_efficiency", "time_seconds", "low_seconds", "high_seconds",
            "energy_kilowatt_hours", "cost_us_dollars",
        ] { #expect(json[key] is Double, "\(key)") }
        #expect(json["bound_by"] is String)
        #expect(json["workers"] as? Int == 32)
        expectEightyColumns(try Program.run(arguments).standardOutput)
    }

    @Test("a figure outside the calibrated range is marked, and refused with --strict")
    func strict() throws {
        let arguments = ["predict", "bert-large-pubmed", "--hardware", "dgx-h100"]
        #expect(try Program.run(arguments).standardOutput.contains("EXTRAPOLATED"))
        #expect(try Program.run(arguments + ["--json"]).json()["extrapolated"] as? Bool == true)
        let refused = try Program.run(arguments + ["--strict"])
        #expect(refused.status == 2 && refused.standardOutput.isEmpty)
    }

    @Test("without a calibrated host no host time is predicted")
    func host() throws {
        let folder = try TemporaryFolder()
        let outcome = try Program.run(["predict", "demo", "--hardware", "host", "--state", folder.path + "/s"])
        #expect(outcome.status == 2 && outcome.standardError.contains("wafermark calibrate"))
    }

    @Test("place streams weights, and says what zeros save and what the hours rest on")
    func streaming() throws {
        let arguments = ["place", "bert-large-pubmed", "--hardware", "cs2", "--execution", "streaming"]
        let json = try Program.run(arguments + ["--sparsity", "0.5", "--sensitivity", "--json"]).json()
        #expect(json["execution"] as? String == "streaming")
        let (formula, replay) = (json["formula_seconds"] as? Double ?? 0, json["replayed_seconds"] as? Double ?? 0)
        #expect(formula > 0 && abs(replay / formula - 1) < 0.02)
        let sparsity = try #require(json["sparsity"] as? [String: Any])
        #expect(sparsity["saved_share"] as? Double ?? 0 > 0.1)
        let sensitivity = try #require(json["sensitivity"] as? [String: Any])
        #expect((sensitivity["rows"] as? [Any])?.count ?? 0 > 8)
        expectEightyColumns(try Program.run(arguments + ["--sensitivity"]).standardOutput)
        expectEightyColumns(
            try Program.run(["predict"] + arguments.dropFirst() + ["--sparsity", "0.75"]).standardOutput)
    }

    @Test(
        "what a wafer can't do, and what isn't meant for a cluster, is refused with what is wrong",
        arguments: [
            (["place", "bert-large-pubmed", "--hardware", "cs1", "--execution", "streaming"], "no weight streaming"),
            (["place", "bert-large-pubmed", "--hardware", "cs1", "--replicas", "9"], "GB are missing"),
            (["place", "bert-large-pubmed", "--hardware", "cs1", "--sparsity", "1"], "--sparsity is 1"),
            (["predict", "demo", "--hardware", "dgx-h100", "--execution", "streaming"], "is a cluster"),
            (["predict", "demo", "--hardware", "dgx-h100", "--sensitivity"], "is a cluster"),
            (
                [
                    "place", "bert-large-pubmed", "--hardware", "cs2", "--execution", "streaming", "--svg",
                    "/nowhere.svg",
                ], "no floor plan"
            ),
            (["launch", "cluster", "job.yaml", "--bucket-mebibytes", "0"], "--bucket-mebibytes is 0"),
        ])
    func refusals(arguments: [String], words: String) throws {
        let outcome = try Program.run(arguments)
        #expect(outcome.standardError.contains(words), "\(outcome.standardError)")
        #expect(outcome.status == 2 && outcome.standardOutput.isEmpty)
    }

    @Test("a sweep predicts every combination")
    func sweep() throws {
        let json = try Program.run([
            "predict", "bert-large-pubmed", "--hardware", "dgx1-v100-16g", "--sweep", "nodes=1..8x2", "--sweep",
            "stack=pytorch-20.06,tf-19.08", "--json",
        ]).json()
        #expect((json["configurations"] as? [Any])?.count == 8)
    }

    @Test("validate prints the rows and statistics that its help names, and a page with a scatter plot")
    func validate() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Self.cases(Self.row), to: "cases.csv")
        let page = folder.path + "/page.html"
        let json = try Program.run(["validate", "--cases", file, "--json", "--html", page]).json()
        let rows = try #require(json["rows"] as? [[String: Any]])
        #expect(
            Set(rows[0].keys).isSuperset(of: [
                "id", "published_sequences_per_second", "predicted_sequences_per_second", "low", "high",
                "error_percent", "extrapolated",
            ]))
        for key in [
            "mean_absolute_error_percent", "median_absolute_error_percent", "interval_coverage_percent",
        ] { #expect(json[key] is Double || json[key] is Int, "\(key)") }
        #expect(try String(contentsOfFile: page, encoding: .utf8).contains("<svg"))
        expectEightyColumns(try Program.run(["validate", "--cases", file]).standardOutput)
    }

    @Test("a bad table exits with 2 and names file, line and column")
    func badTable() throws {
        let folder = try TemporaryFolder()
        let file = try folder.write(Self.cases(Self.row.replacing(",1236,", with: ",\"1,236\",")), to: "cases.csv")
        let outcome = try Program.run(["validate", "--cases", file])
        #expect(outcome.status == 2)
        #expect(outcome.standardError.contains("cases.csv:2: sequences_per_second: found '1,236'"))
    }

    @Test("fit refuses more constants than rows, and says how well it knows those that it found")
    func fit() throws {
        let folder = try TemporaryFolder()
        let rows = [1, 2, 4, 8].map {
            "r\($0),new-1.0,dgx1-v100-16g,bert-large,128,20,fp16,1,1,\(8 * $0),1,lamb,\(90 + 8 * $0),x"
        }
        let file = try folder.write(([Self.header] + rows).joined(separator: "\n") + "\n", to: "cases.csv")
        let json = try Program.run([
            "fit", "--cases", file, "--no-cross-validation", "--out", folder.path + "/c", "--json",
        ])
        .json()
        let constants = try #require(json["constants"] as? [[String: Any]])
        #expect(!constants.isEmpty && constants.count <= 4)
        #expect(constants.allSatisfy { $0["standard_error_percent"] is Double })
        let again = try Program.run(["validate", "--cases", file, "--constants", folder.path + "/c", "--json"]).json()
        let error = try #require(again["mean_absolute_error_percent"] as? Double)
        #expect(error < 15)
        let one = try folder.write(
            Self.cases("p,s1,dgx1-v100-16g,bert-large,128,20,fp16,1,1,8,1,lamb,90,x"), to: "one.csv")
        #expect(try Program.run(["fit", "--cases", one, "--no-cross-validation"]).status == 0)
    }

    @Test("explain recomputes what it explains, and suggests a name for one that there isn't")
    func explain() throws {
        let arguments = ["explain", "bert-large-pubmed", "--hardware", "dgx2-v100", "--figure"]
        let json = try Program.run(arguments + ["step_seconds", "--json"]).json()
        let (value, again) = (try #require(json["value"] as? Double), try #require(json["recomputed"] as? Double))
        #expect(abs(value - again) <= 1e-9 * value)
        expectEightyColumns(try Program.run(arguments + ["step_seconds"]).standardOutput)
        let unknown = try Program.run(arguments + ["step_second"])
        #expect(unknown.status == 2 && unknown.standardError.contains("step_seconds"))
    }

    @Test("hardware show of this machine says how to calibrate it where that was not done")
    func hardwareShowHost() throws {
        let folder = try TemporaryFolder()
        let outcome = try Program.run(["hardware", "show", "host", "--state", folder.path])
        #expect(outcome.status == 2 && outcome.standardError.contains("wafermark calibrate"))
    }

    @Test("hardware check takes a profile that show prints, and refuses one that is wrong by its line")
    func hardwareCheck() throws {
        let folder = try TemporaryFolder()
        let text = try Program.run(["hardware", "show", "dgx1-v100-16g"]).standardOutput
        let good = try folder.write(text, to: "mine.yaml")
        #expect(try Program.run(["hardware", "check", good]).status == 0)
        let bad = try folder.write(text.replacing("value: 80,", with: "value: eighty,"), to: "bad.yaml")
        let outcome = try Program.run(["hardware", "check", bad])
        #expect(outcome.status == 2 && outcome.standardError.contains("device.multiprocessors.value"))
    }
}
