import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("Text for terminals, and numbers for people")
struct TextTests {
    @Test("a list keeps within 80 columns, however long the job's name")
    func listWidth() throws {
        var records = FabricatedRuns.pair()
        records[0].run.job.name = String(repeating: "long-name-", count: 20)
        let text = RunText.list(records.map(RunSummary.init), now: FabricatedRuns.start.addingTimeInterval(4_000))
        let lines = text.split(separator: "\n")
        #expect(lines.count == 3)
        for line in lines { #expect(line.count <= 80) }
        #expect(lines[1].contains("…"))
        #expect(lines[1].contains("cluster×2"))
        #expect(lines[1].hasSuffix("1 h ago"))
    }

    @Test("an empty list says what makes a run")
    func emptyList() {
        #expect(RunText.list([], now: FabricatedRuns.start).contains("wafermark compare"))
    }

    @Test("a run is shown within 80 columns, with the clocks named")
    func show() {
        let text = RunText.show(FabricatedRuns.pair()[0])
        for line in text.split(separator: "\n") {
            #expect(line.count <= 80, "\(line)")
        }
        #expect(text.contains("(host clock)"))
        #expect(text.contains("Exposed communication"))
    }

    @Test(
        "a run's exchange of gradients is shown by algorithm and transport",
        arguments: [
            (.direct, .sharedMemory, "directly among all workers, in memory that workers share"),
            (.ring, .tcp, "around a ring of workers, over TCP"),
            (.star, .ipc, "through one worker as parameter server, over Unix sockets"),
        ] as [(CollectiveAlgorithm, Transport, String)])
    func exchange(algorithm: CollectiveAlgorithm, transport: Transport, words: String) {
        var record = FabricatedRuns.pair()[0]
        record.run.exchange = ExchangeSettings(algorithm: algorithm, transport: transport)
        let text = RunText.show(record).split(whereSeparator: \.isWhitespace).joined(separator: " ")
        #expect(text.contains("Exchange " + words), "\(text)")
        record.run.workers = 1
        #expect(!RunText.show(record).contains("Exchange"))
    }

    @Test("numbers are aligned to the right, text to the left, and no line ends in spaces")
    func table() {
        let text = TextTable(
            [TextTable.Column("NAME"), TextTable.Column("N", isNumeric: true)],
            rows: [["a", "1"], ["bc\u{7}", "1,234"]]
        ).text()
        #expect(text == "NAME         N\na            1\nbc\\u{7}  1,234\n")
    }

    @Test(
        "durations are told in the unit that reads best",
        arguments: [
            (0, "0 s"), (4.2e-10, "0.420 ns"), (3.21e-6, "3.21 µs"), (0.000593, "593 µs"), (0.00667, "6.67 ms"),
            (0.128, "128 ms"), (0.9996, "1.00 s"),
            (9.994, "9.99 s"), (9.996, "10.0 s"), (44.26, "44.3 s"), (119.96, "2 min 0 s"), (725, "12 min 5 s"),
            (7_199.6, "2 h 0 min"), (187_200, "2.2 days"), (.nan, "–"), (-0.5, "−500 ms"),
        ] as [(Double, String)])
    func durations(seconds: Double, text: String) {
        #expect(FigureFormat.duration.text(seconds) == text)
    }

    @Test(
        "numbers have commas between thousands and no locale",
        arguments: [
            (FigureFormat.count, 1_234_567, "1,234,567"), (.count, 999, "999"), (.share, 0.4437, "44.4 %"),
            (.percent, 0.95, "95 %"), (.nats, 2.83741, "2.8374"), (.ratio, 1.0949, "1.09×"),
            (.rate, 25_036.4, "25,036"),
            (.rate, 215.83, "215.8"), (.bytes, 14_155_776, "13.5 MiB"), (.bytes, 12, "12 B"),
            (.significant, 0.001, "0.001"),
            (.significant, 0.00025, "2.50e-4"), (.significant, 1, "1"), (.milliseconds(decimals: 1), 0.00667, "6.7 ms"),
            (.seconds(decimals: 1), 1_234.56, "1,234.6 s"), (.count, -0.2, "0"),
        ] as [(FigureFormat, Double, String)])
    func numbers(format: FigureFormat, value: Double, text: String) {
        #expect(format.text(value) == text)
    }

    @Test(
        "axes are divided by round numbers",
        arguments: [
            (0, 48.7, 6, [0, 10, 20, 30, 40, 50]), (0, 300, 6, [0, 50, 100, 150, 200, 250, 300]),
            (2.7, 8.3, 5, [2, 3, 4, 5, 6, 7, 8, 9]), (0, 0.3, 4, [0, 0.1, 0.2, 0.3]),
            (-1, 1, 5, [-1, -0.5, 0, 0.5, 1]),
        ] as [(Double, Double, Int, [Double])])
    func ticks(low: Double, high: Double, count: Int, expected: [Double]) {
        let values = Ticks(from: low, through: high, about: count).values
        #expect(values.count == expected.count)
        for (value, wanted) in zip(values, expected) { #expect(abs(value - wanted) < 1e-12) }
    }

    @Test(
        "an axis of one value, of none, or of no numbers still has two ends",
        arguments: [(5, 5), (0, 0), (.nan, 1), (0, .infinity), (1e-300, 1e-300), (-3, -3)] as [(Double, Double)])
    func degenerateTicks(low: Double, high: Double) {
        let ticks = Ticks(from: low, through: high, about: 5)
        #expect(ticks.values.count >= 2)
        #expect(ticks.values.count < 40)
        #expect(ticks.range.lowerBound < ticks.range.upperBound)
        #expect(ticks.labels().allSatisfy { !$0.isEmpty })
    }
}
