import Foundation
import Jobs
import PerformanceModel
import Report
import Runs
import Testing

/// A set of runs that reports are made of.
struct Specimen: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var runs: [RunRecord]

    func report() throws -> ComparisonReport {
        try ComparisonReport(
            runs: runs, jobFile: FabricatedRuns.jobFile,
            modelled: [
                ModelledFigures(
                    hardware: "dgx1-v100", backend: .cluster, workers: 8, step: ModelledSeconds(0.0123),
                    timeToTarget: ModelledSeconds(3.69), basis: "made up for a test"),
                ModelledFigures(
                    hardware: "a wafer", backend: .wafer, workers: 1, step: ModelledSeconds(0.0045),
                    timeToTarget: nil, basis: "made up for a test",
                    sensitivity: try JSONDecoder().decode(WaferSensitivity.self, from: Self.sensitivity)),
            ], scaling: Self.scaling, profiles: Self.profiles, host: .success(HostModelTests.host()), clock: .mlperf,
            generated: FabricatedRuns.start.addingTimeInterval(120))
    }

    private static let profiles: [String: HardwareProfile] = {
        guard let cluster = try? HardwareCatalogue.profile("dgx1-v100-16g") else { return [:] }
        return [cluster.name: cluster]
    }()

    /// What the performance model says of the fabricated job; the same for all.
    private static let scaling: [ModelledScaling] = {
        guard let cluster = try? HardwareCatalogue.profile("dgx1-v100-16g"),
            let scaling = ModelledScaling(
                job: FabricatedRuns.job(), cluster: cluster, wafer: try? HardwareCatalogue.profile("cs1"),
                vocabularySize: 2_048)
        else { return [] }
        return [scaling]
    }()

    private static let sensitivity = Data(
        """
        {"phase_modelled_hours": [40, 22.25], "modelled_hours": 62.25, "published_hours": 52, "rows": [
          {"name": "share of peak", "unit": "", "value": 0.33, "low": 0.25, "high": 0.9, "source": "made up",
           "modelled_hours_at_low": 82.125, "modelled_hours_at_high": 23.5},
          {"name": "memory", "unit": "GB", "value": 18, "low": 2, "high": 18, "source": "made up",
           "modelled_hours_at_high": 62.25}], "assumptions": ["made up"]}
        """.utf8)

    static let all: [Specimen] = [
        Specimen(testDescription: "a pair", runs: FabricatedRuns.pair()),
        Specimen(
            testDescription: "a pair with a target",
            runs: FabricatedRuns.pair(target: Target(quality: .maskedAccuracy(0.4)))),
        Specimen(
            testDescription: "a pair that missed its target",
            runs: FabricatedRuns.pair(target: Target(quality: .maskedLoss(0.1)))),
        Specimen(testDescription: "a pair of equals", runs: FabricatedRuns.pair(wafer: 0.1402, cluster: 0.1405)),
        Specimen(
            testDescription: "one run", runs: [FabricatedRuns.record("9c0ht5vw", backend: .wafer, stepTime: 0.128)]),
        Specimen(
            testDescription: "four runs",
            runs: FabricatedRuns.pair() + [
                FabricatedRuns.record("7aaaaaaa", backend: .cluster, workers: 4, stepTime: 0.15, seed: 5),
                FabricatedRuns.record("7bbbbbbb", backend: .cluster, workers: 2, stepTime: 0.19, hardware: "dgx1-v100"),
            ]),
        Specimen(
            testDescription: "a failed run",
            runs: [
                FabricatedRuns.record(
                    "4kq7x2mz", backend: .cluster, workers: 2, made: 120, stepTime: 0.141,
                    state: .failed(reason: "worker 1 was killed by signal 9 in step 120")),
                FabricatedRuns.pair()[1],
            ]),
        Specimen(
            testDescription: "a run that never began",
            runs: [FabricatedRuns.record("4kq7x2mz", backend: .cluster, made: 0, stepTime: 1, state: .queued)]),
        Specimen(testDescription: "several seeds", runs: FabricatedRuns.seeds()),
        Specimen(
            testDescription: "several seeds without a target, as a machine",
            runs: FabricatedRuns.seeds([42, 43], target: nil, hardware: "dgx1-v100-16g")),
        Specimen(
            testDescription: "a cluster that stands for two nodes",
            runs: [
                FabricatedRuns.record(
                    "7ccccccc", backend: .cluster, workers: 16, stepTime: 0.19, hardware: "dgx1-v100-16g")
            ]),
        Specimen(
            testDescription: "different jobs",
            runs: [
                FabricatedRuns.record("4kq7x2mz", backend: .cluster, workers: 2, stepTime: 0.1),
                FabricatedRuns.record("9c0ht5vw", backend: .wafer, job: FabricatedRuns.job(steps: 40), stepTime: 0.1),
            ]),
        Specimen(testDescription: "compressed gradients", runs: FabricatedRuns.compressed()),
        Specimen(testDescription: "a model with ReLU", runs: [FabricatedRuns.rectified()]),
    ]
}

@Suite("The report as HTML")
struct HTMLTests {
    @Test("each number in the HTML equals the JSON's, and is shown as its format rounds it", arguments: Specimen.all)
    func numbers(specimen: Specimen) throws {
        let report = try specimen.report()
        let json = try JSONTree(JSONRenderer(report).render())
        let figures = HTMLReading(html: HTMLRenderer(report).render()).figures
        #expect(!figures.isEmpty)
        for figure in figures {
            let value = try #require(json[figure.key]?.number, "nothing at \(figure.key)")
            #expect(Double(figure.value) == value, "\(figure.key)")
            #expect(Self.leadingDigits(figure.text, agreeWith: value), "\(figure.key): \(figure.text) for \(value)")
        }
    }

    /// Whether the significant digits that are shown are those of `value` in some unit, rounded.
    private static func leadingDigits(_ text: String, agreeWith value: Double) -> Bool {
        // Pairs of units, `12 min 5 s`, are checked by their own test.
        if text.contains(" min ") || text.contains(" h ") { return true }
        let digits = text.prefix { $0.isNumber || "−.,e-+".contains($0) }.replacingOccurrences(of: ",", with: "")
            .replacingOccurrences(of: "−", with: "-")
        guard let shown = Double(digits) else { return false }
        if value == 0 { return shown == 0 }
        let decimals = digits.split(separator: ".").dropFirst().first.map { $0.prefix { $0.isNumber }.count } ?? 0
        let exponent = digits.split(separator: "e").dropFirst().first.flatMap { Double($0) } ?? 0
        let rounding = 0.5000001 * pow(10, exponent - Double(decimals))
        let units = [1, 100, 1e3, 1e6, 1e9, 1 / 86_400.0, 0x1p-10, 0x1p-20, 0x1p-30, 0x1p-40]
        return units.contains { abs(value * $0 - shown) <= rounding }
    }

    @Test("outside of figures, charts, code and times there are no measured numbers", arguments: Specimen.all)
    func strayNumbers(specimen: Specimen) throws {
        let report = try specimen.report()
        let reading = HTMLReading(html: HTMLRenderer(report).render())
        var text = try reading.text(without: ["head", "data", "svg", "code", "time"])
        // What is not the report's own: names of runs and machines, messages, the job's words.
        for run in report.runs {
            let others = [run.label, run.failure].compactMap { $0 } + run.events.map(\.message)
            for other in others { text = text.replacingOccurrences(of: Self.escaped(other), with: "") }
            let machine = run.machine.map {
                [
                    $0.processor, $0.operatingSystem, $0.onednnVersion, $0.zeromqVersion, $0.wafermarkVersion,
                    $0.instructionSet,
                ]
            }
            for other in machine ?? [] { text = text.replacingOccurrences(of: Self.escaped(other), with: "") }
            text = text.replacingOccurrences(of: String(run.corpus?.digest.prefix(16) ?? "-"), with: "")
            text = text.replacingOccurrences(of: run.runId, with: "")
            text = text.replacingOccurrences(of: "\(run.workers)-worker", with: "")
        }
        for group in report.seedGroups {
            text = text.replacingOccurrences(of: Self.escaped(group.label), with: "")
        }
        for constant in [
            "SHA-256", "64 bits", "2,000 times", "95 %", "1 %", "95th percentile", "5th percentile", "90 %",
            "dgx1-v100-16g", "dgx1-v100", "cs1",
            "Phase 1", "Worker 0", "&#39;", "bfloat16", "bf16", "f32",
        ] {
            text = text.replacingOccurrences(of: constant, with: "")
        }
        text = text.replacing(#/Seed\s+42/#, with: "")
        let stray = text.matches(of: #/\S*\d\S*/#).map { String($0.output) }
        #expect(stray.isEmpty, "\(stray)")
    }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
            .replacingOccurrences(of: ">", with: "&gt;").replacingOccurrences(of: "'", with: "&#39;")
    }

    @Test("the page is whole: tags match, ids are unique, references lead somewhere", arguments: Specimen.all)
    func structure(specimen: Specimen) throws {
        let reading = HTMLReading(html: HTMLRenderer(try specimen.report()).render())
        #expect(reading.unbalanced.isEmpty)
        let ids = try reading.attribute("id")
        #expect(Set(ids).count == ids.count, "\(Dictionary(grouping: ids) { $0 }.filter { $0.value.count > 1 }.keys)")
        let references =
            try reading.attribute("aria-labelledby").flatMap { $0.split(separator: " ").map(String.init) }
            + reading.attribute("href").map { String($0.dropFirst()) }
        for reference in references { #expect(ids.contains(reference), "\(reference)") }
    }

    @Test("the page needs no network and no script", arguments: Specimen.all)
    func selfContained(specimen: Specimen) throws {
        let html = HTMLRenderer(try specimen.report()).render()
        for forbidden in ["<script", "src=", "http://", "https://", "@import", "javascript:", "<link", "onload"] {
            #expect(!html.contains(forbidden), "\(forbidden)")
        }
        #expect(html.utf8.count < 3_000_000)
    }

    @Test("the page can be read by those who don't see it", arguments: Specimen.all)
    func accessible(specimen: Specimen) throws {
        let html = HTMLRenderer(try specimen.report()).render()
        #expect(html.contains("<html lang=\"en\">"))
        #expect(html.matches(of: #/<h1[ >]/#).count == 1)
        for landmark in ["<header", "<nav aria-label", "<main>", "<footer>"] { #expect(html.contains(landmark)) }
        // Every picture has a title and a description, or is none for a reader.
        for picture in html.matches(of: #/<svg([^>]*)>/#) {
            #expect(picture.output.1.contains("role=\"img\"") || picture.output.1.contains("aria-hidden=\"true\""))
        }
        let pictures = html.matches(of: #/role="img"/#).count
        #expect(html.matches(of: #/<title id=/#).count == pictures)
        #expect(html.matches(of: #/<desc id=/#).count == pictures)
        // Every heading cell says what it heads, every table has a caption.
        for cell in html.matches(of: #/<th([ >][^>]*)/#) { #expect(cell.output.1.contains("scope=")) }
        #expect(html.matches(of: #/<table/#).count == html.matches(of: #/<caption/#).count)
    }

    @Test("B16: markup, terminal codes and formulas in names stay text in every format")
    func injection() throws {
        var records = FabricatedRuns.pair()
        let evil = "<script>alert(1)</script>\"'\u{1B}[31m&amp;\u{202E}"
        for index in records.indices {
            records[index].run.job.name = evil
            records[index].run.hardware = evil
            records[index].run.machine?.processor = evil
            records[index].events.append(
                RunEvent(time: FabricatedRuns.start, kind: .warning, message: evil + "\n=cmd|x"))
        }
        records[0].run.state = .failed(reason: evil)
        let report = try ComparisonReport(
            runs: records, jobFile: evil + "</code></pre>", generated: FabricatedRuns.start)
        let reading = HTMLReading(html: HTMLRenderer(report).render())
        #expect(!reading.html.contains("<script"))
        #expect(!reading.html.unicodeScalars.contains("\u{1B}"))
        #expect(!reading.html.unicodeScalars.contains("\u{202E}"))
        #expect(reading.html.contains("&lt;script&gt;"))
        #expect(reading.unbalanced.isEmpty)
        // What stands between fences is code, and stays so: nothing in it can end the fence.
        let markdown = MarkdownRenderer(report).render()
        #expect(markdown.matches(of: #/```/#).count == 2)
        let prose = markdown.replacing(#/```[\s\S]*?```/#, with: "")
        #expect(!prose.contains("<script"))
        #expect(!markdown.unicodeScalars.contains("\u{1B}"))
        #expect(!RunText.show(records[0]).unicodeScalars.contains("\u{1B}"))
        _ = try JSONTree(JSONRenderer(report).render())
    }

    @Test("text has a contrast of 4.5 to 1 at least, in light and in dark")
    func contrast() throws {
        let html = HTMLRenderer(try Specimen.all[0].report()).render()
        let style = try #require(html.firstMatch(of: #/<style>([\s\S]*?)</style>/#)).output.1
        let palettes = style.matches(of: #/:root \{([^}]*)\}/#).map { palette in
            Dictionary(
                palette.output.1.matches(of: #/--([a-z]+): #([0-9a-f]{3,6});/#).map {
                    (String($0.output.1), Self.luminance(String($0.output.2)))
                }
            ) { first, _ in first }
        }
        #expect(palettes.count == 3)
        for palette in palettes {
            let papers = try ["paper", "raised"].map { try #require(palette[$0]) }
            for ink in ["ink", "soft", "wafer", "cluster", "good", "bad", "neutral"] {
                let luminance = try #require(palette[ink])
                for paper in papers {
                    let ratio = (max(luminance, paper) + 0.05) / (min(luminance, paper) + 0.05)
                    #expect(ratio >= 4.5, "\(ink): \(ratio)")
                }
            }
        }
    }

    /// WCAG 2.2, relative luminance.
    private static func luminance(_ hex: String) -> Double {
        let digits = hex.count == 3 ? hex.flatMap { [$0, $0] } : Array(hex)
        let channels = stride(from: 0, to: 6, by: 2).map { index -> Double in
            let value = Double(Int(String(digits[index...index + 1]), radix: 16) ?? 0) / 255
            return value <= 0.04045 ? value / 12.92 : pow((value + 0.055) / 1.055, 2.4)
        }
        return 0.2126 * channels[0] + 0.7152 * channels[1] + 0.0722 * channels[2]
    }
}
