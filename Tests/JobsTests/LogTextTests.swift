import Jobs
import Testing

@Suite("Log lines and times of day")
struct LogTextTests {
    @Test(
        "a moment is told in UTC, whatever its year",
        arguments: [
            (0.0, "1970-01-01T00:00:00Z"), (951_782_400, "2000-02-29T00:00:00Z"), (-1, "1969-12-31T23:59:59Z"),
            (4_107_542_399, "2100-02-28T23:59:59Z"), (4_107_542_400, "2100-03-01T00:00:00Z"),
            (1_795_000_000.999, "2026-11-18T11:06:40Z"), (-62_135_596_800, "0001-01-01T00:00:00Z"),
            (1e18, "9999-12-31T23:59:59Z"), (-.infinity, "0001-01-01T00:00:00Z"), (.nan, "1970-01-01T00:00:00Z"),
        ])
    func moments(unix: Double, text: String) {
        #expect(UTCText.seconds(unix) == text)
    }

    @Test("milliseconds are those that were measured")
    func milliseconds() {
        #expect(UTCText.milliseconds(1_795_000_000.123) == "2026-11-18T11:06:40.123Z")
        #expect(UTCText.milliseconds(1_795_000_000) == "2026-11-18T11:06:40.000Z")
        #expect(UTCText.milliseconds(-0.25) == "1969-12-31T23:59:59.750Z")
        #expect(UTCText.milliseconds(1.9999999) == "1970-01-01T00:00:02.000Z")
    }

    @Test("B16: what is in a message stays in it: quotes, line ends and escape codes make no second field or line")
    func injection() {
        let line = DiagnosticLine.json(
            at: 0, level: "info", message: "a\",\"level\":\"error\n\u{1B}[31m\\\u{7F}é",
            fields: [("run", "00000001"), ("rank", "3"), ("step", "x")])
        #expect(
            line == "{\"time\":\"1970-01-01T00:00:00.000Z\",\"level\":\"info\","
                + "\"message\":\"a\\\",\\\"level\\\":\\\"error\\u000a\\u001b[31m\\\\\\u007fé\","
                + "\"run\":\"00000001\",\"rank\":3,\"step\":\"x\"}")
    }

    @Test("a process writes plain lines, or objects that name its run and rank where its daemon wants them")
    func own() {
        let wanted = [
            DiagnosticLine.formatVariable: "json", DiagnosticLine.runVariable: "0123abcd",
            DiagnosticLine.rankVariable: "2",
        ]
        #expect(DiagnosticLine.own("oh", level: "error", environment: { _ in nil }) == "oh")
        #expect(
            DiagnosticLine.own("oh", level: "error", environment: { wanted[$0] }, unix: 0)
                == #"{"time":"1970-01-01T00:00:00.000Z","level":"error","message":"oh","run":"0123abcd","rank":2}"#)
    }

    @Test("numbers that JSON can't say, and what isn't there, have no key")
    func absent() {
        var object = JSONObjectText()
        object.add("a", Double.nan)
        object.add("b", String?.none)
        object.add("c", 1.5)
        object.add("d", true)
        #expect(object.text == #"{"c":1.5,"d":true}"#)
    }
}
