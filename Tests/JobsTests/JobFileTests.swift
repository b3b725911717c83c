import Foundation
import Jobs
import Testing

@Suite("A job file")
struct JobFileTests {
    @Test("gives the job that it describes, with the field's conventions where it is silent")
    func reading() throws {
        let job = try JobFile.parse(JobText.valid, name: "job.yaml")
        #expect(job.name == "sample")
        #expect(job.model == ModelShape(layers: 2, hidden: 64, heads: 4, intermediate: 256, positions: 64))
        #expect(job.corpus == CorpusSource(text: .synthetic(documents: 100, seed: 3), vocabulary: .trained(size: 512)))
        #expect(job.corpus.heldOut == 0.05)
        #expect(job.examples == ExampleSettings())
        #expect(job.optimizer == OptimizerSettings(kind: .adamw))
        #expect(job.phases.count == 1)
        #expect(job.phases[0].maskedPositions == 5)
        #expect(job.phases[0].microBatch == 4)
        #expect(job.phases[0].schedule == Schedule(peak: 1e-3, warmupSteps: 0, decay: .linear))
        #expect(job.target == nil)
        #expect(job.checkpoints == CheckpointSettings())
    }

    @Test("takes sizes by name, and by name with changes", arguments: ModelShape.named.map(\.name))
    func namedSizes(name: String) throws {
        let plain = try JobFile.parse(JobText.replacing("model", with: "model: \(name)"), name: "job.yaml")
        #expect(plain.model == ModelShape.named(name))
        let changed = try JobFile.parse(
            JobText.replacing("model", with: "model: {size: \(name), hidden_dropout: 0}"), name: "job.yaml")
        var expected = plain.model
        expected.hiddenDropout = 0
        #expect(changed.model == expected)
    }

    @Test("takes an activation; the usual one is not printed, and jobs stored without one have it")
    func activation() throws {
        let relu = try JobFile.parse(
            JobText.replacing("model", with: "model: {size: tiny, activation: relu}"), name: "job.yaml")
        #expect(relu.model.activation == .relu)
        #expect(try JobFile.decode(json: JobFile.json(relu)) == relu)
        #expect(try JSONDecoder().decode(Job.self, from: JSONEncoder().encode(relu)) == relu)
        var gelu = relu
        gelu.model.activation = .gelu
        #expect(!JobFile.json(gelu).contains("activation\""))
        #expect(try JSONDecoder().decode(Job.self, from: JSONEncoder().encode(gelu)) == gelu)
        #expect(
            JobText.problems(of: JobText.replacing("model", with: "model: {size: tiny, activation: rleu}")).count == 1)
    }

    @Test("takes an optimizer by name, a clip norm of none, and a target in either quality")
    func optionalSections() throws {
        let named = try JobFile.parse(JobText.adding("optimizer: lamb\ntarget: {mlm_loss: 3.5}"), name: "job.yaml")
        #expect(named.optimizer == OptimizerSettings(kind: .lamb))
        #expect(named.target == Target(quality: .maskedLoss(3.5)))
        let spelled = try JobFile.parse(
            JobText.adding("optimizer: {clip_norm: none, beta1: 0.8}\ntarget: {mlm_accuracy: 0.5, consecutive: 3}"),
            name: "job.yaml")
        #expect(spelled.optimizer == OptimizerSettings(kind: .adamw, beta1: 0.8, clipNorm: nil))
        #expect(spelled.target == Target(quality: .maskedAccuracy(0.5), consecutive: 3))
        let kept = try JobFile.parse(
            JobText.adding("checkpoints: {every_steps: 5, keep_last: 1, keep_best: mlm_loss}"), name: "job.yaml")
        #expect(kept.checkpoints == CheckpointSettings(everySteps: 5, keepLast: 1, keepBest: .maskedLoss))
        let none = try JobFile.parse(JobText.adding("checkpoints: {keep_best: none}"), name: "job.yaml")
        #expect(none.checkpoints == CheckpointSettings())
    }

    @Test("is read again from its own rendering to the same job", arguments: JobExample.allCases)
    func rendering(example: JobExample) throws {
        let job = try example.job()
        let again = try JobFile.parse(JobFile.render(job), name: "rendered", files: .unchecked)
        #expect(again == job)
        #expect(JobFile.render(again) == JobFile.render(job))
    }

    @Test("travels as JSON to the same job, seeds and awkward names included")
    func json() throws {
        var job = try JobExample.bertLargePubmed.job()
        job.seed = .max
        job.corpus = CorpusSource(
            text: .files([
                "/data/R & D/* [\u{1F9EC}] \"quoted\"\\.txt", "/data/tab\there\u{7F}\u{85}\u{2028}.gz",
            ]), vocabulary: .file("/data/vocab #1: final.txt"))
        job.examples = ExampleSettings(masking: .wholeWord, staticMasks: 10)
        job.optimizer.epsilon = 1e-6
        job.target = nil
        job.optimizer.clipNorm = nil
        job.checkpoints.keepBest = .maskedAccuracy
        let json = JobFile.json(job)
        #expect(!json.contains("\n"))
        #expect(try JobFile.decode(json: json) == job)
        #expect(try JobFile.parse(JobFile.render(job), name: "rendered", files: .unchecked) == job)
    }

    @Test("that ships with the package is the published recipe")
    func publishedRecipe() throws {
        let job = try JobExample.bertLargePubmed.job()
        #expect(job.model == ModelShape.named("large"))
        #expect(job.phases.map(\.globalBatch) == [65_536, 32_768])
        #expect(job.phases.map(\.steps) == [7_038, 1_563])
        #expect(job.phases.map(\.maskedPositions) == [20, 80])
        #expect(job.optimizer.kind == .lamb)
        let sequences = job.phases.map { $0.steps * $0.globalBatch }
        #expect(sequences == [461_242_368, 51_216_384])
    }

    @Test("has all its problems told at once, in the order of its lines")
    func everyProblem() {
        let text = """
            name: two words
            model: {layers: 2, hidden: 65, heads: 4, positions: 64}
            corpus:
              synthetic: {documents: 100}
              vocabulary: many.txt
              held_out: 0.9
            lanes: 3
            sed: 7
            phases:
              - sequence: 128
                global_batch: 16
                steps: ten
                learning_rate: .nan
            """
        let problems = JobText.problems(of: text)
        #expect(
            problems.map { "\($0.line ?? 0) \($0.key ?? "-")" } == [
                "1 seed", "1 name", "2 model.hidden", "6 corpus.held_out", "8 -", "10 phases[0].sequence",
                "11 phases[0].global_batch", "12 phases[0].steps", "13 phases[0].learning_rate",
            ])
    }

    @Test("has its problems printed one a line with file, line, key, what was found and what is allowed")
    func description() {
        #expect(throws: JobFileError.self) {
            try JobFile.parse(JobText.replacing("lanes", with: "lanes: 5"), name: "my.yaml")
        }
        let error = JobFileError.invalid(
            name: "my.yaml", problems: JobText.problems(of: JobText.replacing("lanes", with: "lanes: 5")))
        #expect(
            error.description
                == "my.yaml:10: phases[0].global_batch: found 16; allowed: a multiple of lanes (5)")
    }

    @Test("never prints a control character of its own", arguments: ["\u{1B}[31mred", "two\nlines", "\u{202E}right"])
    func escapes(name: String) {
        let error = JobFileError.invalid(
            name: name, problems: [JobProblem(line: 1, key: name, found: "x", allowed: "y")])
        #expect(!error.description.unicodeScalars.contains { $0.properties.generalCategory == .control })
        #expect(!error.description.contains("\u{202E}"))
    }
}
