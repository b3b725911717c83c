import Corpus
import Foundation
import Jobs
import Testing
import Training

@Suite("Training on a dataset")
struct DatasetTrainingTests {
    @Test("gives the same bits on one process and two, and lasts over the end of an epoch")
    func processes() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(steps: 30)
        let corpus = TextCorpus(
            text: .synthetic(documents: 40, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        job.corpus = .text(corpus)
        let path = folder.path + "/dataset"
        let source = try DatasetStepSource(
            dataset: DatasetPreparation.prepare(DatasetRequest(corpus: corpus, for: job), into: path), job: job)
        let plan = try TrainingPlan(job: job, vocabularySize: source.vocabularySize)
        let whole = try train(Trainer(plan: plan, source: source, threads: 2))
        let parts = try train([
            try Trainer(plan: plan, source: source, lanes: 0..<3, threads: 2),
            try Trainer(plan: plan, source: source, lanes: 3..<4, threads: 1),
        ])
        #expect(parts == [whole, whole])
        #expect(Set(whole.losses).count == whole.losses.count)
    }

    @Test("a step's lanes hold every example of its batch once, and about as many tokens as each other")
    func dealing() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(steps: 6)
        job.lanes = 4
        job.examples.shortSequenceShare = 0.8
        for index in job.phases.indices { job.phases[index].globalBatch = 32 }
        let corpus = TextCorpus(
            text: .synthetic(documents: 60, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        job.corpus = .text(corpus)
        let source = try DatasetStepSource(
            dataset: DatasetPreparation.prepare(DatasetRequest(corpus: corpus, for: job), into: folder.path + "/data"),
            job: job)
        let plan = try TrainingPlan(job: job, vocabularySize: source.vocabularySize)
        let step = try plan.step(StepNumber(1))
        let reader = try ExampleReader(source.dataset, seed: job.seed, examples: job.examples)
        let sequence = step.phase.sequence
        let expected = try (0..<32).map { example in
            let (number, epoch) = try source.dataset.number(
                at: step.firstPosition + UInt64(example), sequence: sequence, seed: job.seed)
            return try reader.length(sequence: sequence, split: .training, number: number, epoch: epoch)
        }
        let lanes = try (0..<4).map { lane in
            try step.microBatches(lane: lane).flatMap { try source.trainingBatch(of: step, examples: $0).lengths }
        }
        #expect(lanes.flatMap { $0 }.map(Int.init).sorted() == expected.sorted())
        let tokens = lanes.map { $0.reduce(0) { $0 + Int($1) } }
        let blind = (0..<4).map { expected[8 * $0..<8 * ($0 + 1)].reduce(0, +) }
        func spread(_ values: [Int]) -> Int { (values.max() ?? 0) - (values.min() ?? 0) }
        #expect(spread(tokens) * 3 < spread(blind), "\(tokens) against \(blind)")
    }

    @Test("a job that asks a dataset for what it doesn't hold is refused with the key")
    func unfit() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(steps: 6)
        let corpus = TextCorpus(
            text: .synthetic(documents: 40, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        let dataset = try DatasetPreparation.prepare(
            DatasetRequest(corpus: corpus, for: job), into: folder.path + "/dataset")
        _ = try DatasetStepSource(dataset: dataset, job: job)
        job.examples.masking = .span
        _ = try DatasetStepSource(dataset: dataset, job: job)
        job.examples.nextSentence = false
        #expect(throws: CorpusError.self) { try DatasetStepSource(dataset: dataset, job: job) }
        job = Sample.job(steps: 6)
        job.phases[0].sequence = 48
        #expect(throws: CorpusError.self) { try DatasetStepSource(dataset: dataset, job: job) }
    }

    @Test("a model measured on a text file gives shares within their intervals, the same on any number of threads")
    func corpusEvaluation() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(steps: 2)
        let corpus = TextCorpus(
            text: .synthetic(documents: 40, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        job.corpus = .text(corpus)
        let path = folder.path + "/dataset"
        let dataset = try DatasetPreparation.prepare(DatasetRequest(corpus: corpus, for: job), into: path)
        let trainer = try Trainer(
            plan: TrainingPlan(job: job, vocabularySize: dataset.vocabulary.count),
            source: DatasetStepSource(dataset: dataset, job: job), threads: 1)
        try trainer.exportModel(to: folder.path + "/model", vocabulary: dataset.vocabulary.tokens)
        let text = (0..<30).map { document in
            (0..<4).map { "the patients of group \(document) received dose \($0) of the drug .\n" }.joined()
        }.joined(separator: "\n")
        try text.write(toFile: folder.path + "/text.txt", atomically: true, encoding: .utf8)

        let one = try CorpusEvaluation.run(
            model: folder.path + "/model", corpus: [folder.path + "/text.txt"], sequence: 32, threads: 1)
        let two = try CorpusEvaluation.run(
            model: folder.path + "/model", corpus: [folder.path + "/text.txt"], sequence: 32, threads: 2)
        #expect(one == two)
        #expect(one.documents == 30)
        #expect(one.mlmAccuracy.low <= one.mlmAccuracy.value && one.mlmAccuracy.value <= one.mlmAccuracy.high)
        // Weights that have learned nothing spread their guess over all of the vocabulary.
        #expect(abs(one.mlmLoss.value - log(500.0)) < 0.5)
    }
}
