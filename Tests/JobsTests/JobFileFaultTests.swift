import Foundation
import Jobs
import Testing

@Suite("Bad job files")
struct JobFileFaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var name: String
        var text: String
        /// Parts of the one line that must be said.
        var says: [String]
        var testDescription: String { name }
    }

    private static func field(_ key: String, _ line: String, says: String...) -> Case {
        Case(name: line, text: JobText.replacing(key, with: line), says: says)
    }

    static let texts: [Case] = [
        Case(name: "empty", text: "", says: ["an empty file"]),
        Case(name: "only a comment", text: "# nothing\n", says: ["an empty file"]),
        Case(name: "not the format", text: "{\"name\": ", says: ["not YAML"]),
        Case(name: "a list", text: "- a\n- b\n", says: ["a list of 2"]),
        Case(name: "prose", text: "Dear reader\n", says: ["Dear reader"]),
        Case(name: "a tab", text: "name: x\n\tlanes: 4\n", says: [":2:", "not YAML"]),
        Case(name: "a second document", text: JobText.valid + "\n---\nname: b\n", says: ["a second document"]),
        Case(name: "duplicate key", text: JobText.adding("lanes: 8"), says: [":6: lanes", "more than once"]),
        Case(
            name: "duplicate nested key", text: JobText.adding("optimizer: {beta1: 0.9, beta1: 0.8}"),
            says: [":13: beta1", "more than once"]),
        Case(
            name: "unknown key", text: JobText.adding("lnaes: 8"), says: [":13:", "'lnaes'", "did you mean 'lanes'?"]),
        Case(name: "wrong case", text: JobText.adding("Optimizer: lamb"), says: [":13:", "did you mean 'optimizer'?"]),
        Case(
            name: "unknown nested key", text: JobText.adding("evaluation: {every-steps: 5}"),
            says: [":13: evaluation", "did you mean 'every_steps'?"]),
        Case(
            name: "unknown without a near one", text: JobText.adding("zzz: 8"), says: ["'zzz'", "allowed: name, model"]),
        Case(name: "NUL", text: "name: a\nmodel: \0tiny\n", says: [":2:", "NUL"]),
        Case(name: "terminal escape", text: "name: \u{1B}[2J\n", says: ["does not take"]),
        Case(name: "anchor", text: JobText.replacing("lanes", with: "lanes: &n 4"), says: [":6:", "an anchor"]),
        Case(name: "alias", text: JobText.adding("checkpoints: *n"), says: [":13:", "alias"]),
        Case(
            name: "misspelt measure", text: JobText.adding("checkpoints: {keep_best: mlm_acuracy}"),
            says: [":13: checkpoints.keep_best", "did you mean 'mlm_accuracy'?"]),
        Case(
            name: "a flag for a measure", text: JobText.adding("checkpoints: {keep_best: true}"),
            says: [":13: checkpoints.keep_best", "mlm_accuracy, mlm_loss"]),
        Case(name: "key that is a list", text: JobText.adding("? [a, b]\n: 3"), says: [":13:", "not a word"]),
    ]

    @Test("B1: are refused with one line that says where and what", arguments: texts)
    func refused(bad: Case) {
        let problems = JobText.problems(of: bad.text)
        #expect(problems.count == 1, "\(problems)")
        let line = JobFileError.invalid(name: "job.yaml", problems: problems).description
        #expect(!line.contains("\n"))
        for part in bad.says { #expect(line.contains(part), "\(line)") }
    }

    static let values: [Case] = [
        field("lanes", "lanes: 0", says: ":6: lanes: found 0; allowed: 1 to 4096"),
        field("lanes", "lanes: -1", says: ":6: lanes: found -1"),
        field("lanes", "lanes: 1.5", says: ":6: lanes: found 1.5; allowed: a whole number"),
        field("lanes", "lanes: 1e9", says: ":6: lanes: found 1e9; allowed: a whole number"),
        field("lanes", "lanes: \"8 \"", says: ":6: lanes: found the text '8 '; allowed: a whole number"),
        field("lanes", "lanes:", says: ":6: lanes: found nothing"),
        field("lanes", "lanes: [4]", says: ":6: lanes: found a list of 1"),
        field("lanes", "lanes: 99999999999999999999", says: ":6: lanes:", "a whole number from"),
        field("lanes", "lanes: 3", says: ":10: phases[0].global_batch: found 16; allowed: a multiple of lanes (3)"),
        field("lanes", "lanes: 32", says: "a multiple of lanes (32)"),
        field("global_batch", "global_batch: 0", says: ":10: phases[0].global_batch: found 0"),
        field("sequence", "sequence: 0", says: ":9: phases[0].sequence: found 0"),
        field(
            "sequence", "sequence: 65",
            says: ":9: phases[0].sequence: found 65; allowed: at most the model's positions (64)"),
        field("steps", "steps: 0", says: ":11: phases[0].steps"),
        field("steps", "steps: 5\n    warmup_steps: 6", says: ":12: phases[0].warmup_steps: found 6"),
        field(
            "steps", "steps: 5\n    masked_positions: 33",
            says: ":12: phases[0].masked_positions: found 33; allowed: fewer than the sequence (32)"),
        field("steps", "steps: 5\n    micro_batch: 5", says: ":12: phases[0].micro_batch: found 5", "(4)"),
        field("steps", "steps: 5\n    decay: linaer", says: ":12: phases[0].decay", "did you mean 'linear'?"),
        field(
            "learning_rate", "learning_rate: NaN",
            says: ":12: phases[0].learning_rate: found NaN; allowed: a finite number"),
        field("learning_rate", "learning_rate: .inf", says: "a finite number"),
        field("learning_rate", "learning_rate: 1e400", says: "a finite number"),
        field("learning_rate", "learning_rate: -1e-3", says: "found -0.001; allowed: above 0.0"),
        field("learning_rate", "learning_rate: 1,5", says: "found 1,5; allowed: a number"),
        field("learning_rate", "learning_rate: 0x10", says: "found 0x10"),
        field("seed", "seed: -1", says: ":7: seed: found -1; allowed: a whole number from 0 to 18446744073709551615"),
        field("seed", "seed: 18446744073709551616", says: ":7: seed"),
        field("seed", "# no seed", says: "seed: found nothing", "this key is required"),
        field("name", "name: ../../etc/passwd", says: ":1: name"),
        field("name", "name: \"\"", says: ":1: name"),
        field("vocabulary", "vocabulary: 10", says: ":5: corpus.vocabulary: found 10"),
        field("vocabulary", "vocabulary: 8192.5", says: ":5: corpus.vocabulary: found 8192.5"),
        field("vocabulary", "vocabulary: 512\n  held_out: 0", says: ":6: corpus.held_out"),
        field("vocabulary", "vocabulary: 512\n  held_out: 0.51", says: ":6: corpus.held_out"),
        field("vocabulary", "vocabulary: 512\n  text: a.txt", says: "both 'text' and 'synthetic'"),
        field("synthetic", "held_out: 0.1", says: ":4: corpus: found no text"),
        field("synthetic", "text: []", says: ":4: corpus.text: found an empty list"),
        field("model", "model: huge", says: ":2: model: found 'huge'; allowed: tiny, mini"),
        field("model", "model: Smal", says: "did you mean 'small'?"),
        field(
            "model", "model: {layers: 2, hidden: 64, heads: 3}",
            says: ":2: model.hidden: found 64; allowed: a multiple of heads (3)"),
        field(
            "model", "model: {layers: 2, hidden: 72, heads: 4}",
            says: ":2: model.hidden: found 72; allowed: a multiple of 16"),
        field("model", "model: {layers: 9223372036854775807, hidden: 64, heads: 4}", says: ":2: model.layers"),
        field("model", "model: {layers: 2, hidden: 9223372036854775807, heads: 1}", says: ":2: model.hidden"),
        field("model", "model: {size: tny}", says: ":2: model.size: found 'tny'; allowed: did you mean 'tiny'?"),
        field("model", "model: {size: tiny, attention_dropout: 1}", says: ":2: model.attention_dropout"),
        Case(
            name: "target above 1", text: JobText.adding("target: {mlm_accuracy: 1.01}"),
            says: [":13: target.mlm_accuracy: found 1.01"]),
        Case(name: "two targets", text: JobText.adding("target: {mlm_accuracy: 0.5, mlm_loss: 2}"), says: ["both"]),
        Case(
            name: "no target", text: JobText.adding("target: {consecutive: 2}"), says: [":13: target: found no quality"]
        ),
        Case(
            name: "beta of 1", text: JobText.adding("optimizer: {beta2: 1}"),
            says: [":13: optimizer.beta2: found 1.0; allowed: 0.0 to below 1.0"]),
        Case(name: "unknown optimizer", text: JobText.adding("optimizer: adam"), says: ["did you mean 'adamw'?"]),
        Case(
            name: "yes for true", text: JobText.adding("examples: {next_sentence: yes}"),
            says: ["found yes; allowed: true or false"]),
    ]

    @Test(
        "B2: values that are impossible are refused with line, key, what was found and what is allowed",
        arguments: values)
    func impossible(bad: Case) {
        let problems = JobText.problems(of: bad.text)
        #expect(problems.count == 1, "\(problems)")
        let line = JobFileError.invalid(name: "job.yaml", problems: problems).description
        for part in bad.says { #expect(line.contains(part), "\(line)") }
    }

    @Test("B1: a byte-order mark, CRLF and underscores in numbers do no harm")
    func harmless() throws {
        let plain = try JobFile.parse(JobText.valid, name: "job.yaml")
        let text = "\u{FEFF}" + JobText.replacing("vocabulary", with: "vocabulary: 5_12").replacing("\n", with: "\r\n")
        #expect(try JobFile.parse(text, name: "job.yaml") == plain)
    }

    @Test(
        "B1: bytes that are no text are refused",
        arguments: [
            ([0xFF, 0xFE, 0x6E, 0x00], "UTF-16"), ([0x6E, 0x0A, 0xC3, 0x28], "not UTF-8"),
            ([0x7F, 0x45, 0x4C, 0x46, 0x00], "NUL"),
        ] as [([UInt8], String)])
    func bytes(bytes: [UInt8], says: String) throws {
        let problems = JobText.problems(of: bytes)
        #expect(problems.count == 1)
        #expect(try #require(problems.first).found.contains(says))
    }

    @Test(
        "B1: nesting without end and aliases without end are refused before they are followed",
        arguments: [
            String(repeating: "[", count: 10_000),
            String(repeating: "{a: ", count: 10_000),
            String(repeating: "- ", count: 10_000) + "x",
            String(repeating: "? ", count: 10_000) + "x",
            (0..<10_000).map { String(repeating: " ", count: $0) + "a:" }.joined(separator: "\n"),
            "a0: &a0 [x]\n"
                + (1..<60).map { "? [*a\($0 - 1), *a\($0 - 1)]\n: &a\($0) [*a\($0 - 1), *a\($0 - 1)]\n" }.joined(),
        ])
    func bombs(text: String) {
        #expect(JobText.problems(of: text).count == 1)
    }

    @Test("B1: a text of more than a mebibyte is refused")
    func tooLong() {
        let problems = JobText.problems(of: [UInt8](repeating: UInt8(ascii: "#"), count: (1 << 20) + 1))
        #expect(problems.map(\.allowed) == ["at most 1048576 bytes"])
    }

    @Test("B1: random damage to a valid file gives a job or problems, never a trap")
    func damaged() {
        var random = CounterRandom(seed: 1, purpose: .syntheticText)
        let valid = Array(JobExample.demo.text.utf8)
        for _ in 0..<500 {
            var bytes = valid
            for _ in 0...random.nextIndex(below: 8) {
                switch random.nextIndex(below: 3) {
                case 0: bytes[random.nextIndex(below: bytes.count)] = UInt8(random.nextIndex(below: 256))
                case 1: bytes.removeSubrange(0..<random.nextIndex(below: 40))
                default:
                    bytes.insert(
                        Array("[{&*!|>'\"%@`:-?#\n".utf8)[random.nextIndex(below: 17)],
                        at: random.nextIndex(below: bytes.count))
                }
            }
            for problem in JobText.problems(of: bytes) { #expect(!problem.found.isEmpty && !problem.allowed.isEmpty) }
        }
    }

    @Test("the wire's JSON is held to the same rules")
    func wire() throws {
        let json = JobFile.json(try JobFile.parse(JobText.valid, name: "job.yaml"))
        #expect(throws: JobFileError.self) {
            try JobFile.decode(json: json.replacing("\"lanes\":4", with: "\"lanes\":5"))
        }
        #expect(throws: JobFileError.self) {
            try JobFile.decode(json: json.replacing("\"seed\":7", with: "\"seed\":\"7\""))
        }
        #expect(throws: JobFileError.self) { try JobFile.decode(json: String(json.dropLast())) }
    }
}
