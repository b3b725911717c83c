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
        job.corpus = CorpusSource(
            text: .synthetic(documents: 40, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        let path = folder.path + "/dataset"
        try DatasetPreparation.prepare(DatasetRequest(job: job), into: path)
        let source = DatasetStepSource(dataset: try Dataset(opening: path), seed: job.seed)
        let plan = try TrainingPlan(job: job, vocabularySize: source.vocabularySize)
        let whole = try train(Trainer(plan: plan, source: source, threads: 2))
        let parts = try train([
            try Trainer(plan: plan, source: source, lanes: 0..<3, threads: 2),
            try Trainer(plan: plan, source: source, lanes: 3..<4, threads: 1),
        ])
        #expect(parts == [whole, whole])
        #expect(Set(whole.losses).count == whole.losses.count)
    }

    @Test("a model measured on a text file gives shares within their intervals, the same on any number of threads")
    func corpusEvaluation() throws {
        let folder = try TemporaryFolder()
        var job = Sample.job(steps: 2)
        job.corpus = CorpusSource(
            text: .synthetic(documents: 40, seed: 5), vocabulary: .trained(size: 500), heldOut: 0.2)
        let path = folder.path + "/dataset"
        try DatasetPreparation.prepare(DatasetRequest(job: job), into: path)
        let dataset = try Dataset(opening: path)
        let trainer = try Trainer(
            plan: TrainingPlan(job: job, vocabularySize: dataset.vocabulary.count),
            source: DatasetStepSource(dataset: dataset, seed: 1), threads: 1)
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
