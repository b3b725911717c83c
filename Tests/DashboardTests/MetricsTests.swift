import Dashboard
import Foundation
import Jobs
import Report
import Runs
import Testing

@Suite("Metrics")
struct MetricsTests {
    private func run(_ name: String = "demo") throws -> Run {
        var job = try JobExample.demo.job()
        job.name = name
        return Run(
            id: try #require(RunID("0123abcd")), job: job, backend: .cluster, workers: 2, hardware: nil,
            submitted: Date(timeIntervalSince1970: 0))
    }

    /// The samples of a page, by name and labels.
    private func samples(_ text: String) -> [String: String] {
        Dictionary(
            uniqueKeysWithValues: text.split(separator: "\n").filter { !$0.hasPrefix("#") }.compactMap { line in
                line.lastIndex(of: " ").map { (String(line[..<$0]), String(line[line.index(after: $0)...])) }
            })
    }

    @Test("every state is counted, those without runs as 0")
    func states() throws {
        var failed = try run()
        failed.state = .failed(reason: "x")
        let runs = [RunSummary(RunRecord(run: failed)), RunSummary(RunRecord(run: try run()))]
        let samples = samples(Metrics(runs: runs, live: nil, version: "1.2").text)
        #expect(samples["wafermark_runs{state=\"failed\"}"] == "1.0")
        #expect(samples["wafermark_runs{state=\"queued\"}"] == "1.0")
        #expect(samples["wafermark_runs{state=\"finished\"}"] == "0.0")
        #expect(samples["wafermark_info{version=\"1.2\"}"] == "1.0")
        #expect(samples.keys.allSatisfy { !$0.hasPrefix("wafermark_run_") })
    }

    @Test("the run under way has its figures, and hostile names are escaped")
    func live() throws {
        let step = StepRecord(
            step: StepNumber(4), loss: .nan, maskedLoss: 1, nextSentenceLoss: 0, maskedAccuracy: 0, learningRate: 1,
            gradientNorm: 1, sequences: 8, tokens: 64, elapsed: HostSeconds(1), duration: HostSeconds(0.5))
        let worker = WorkerStepRecord(
            step: StepNumber(4), rank: WorkerRank(1), input: .zero, compute: HostSeconds(0.25),
            exposedCommunication: .zero, waiting: .zero, optimizer: .zero, duration: HostSeconds(0.5), sent: Bytes(7))
        let progress = RunProgress(run: try run("a\"b\\c\nd"), steps: [step], stepsMade: 5, workers: [worker])
        let text = Metrics(runs: [], live: progress, version: "1").text
        let samples = samples(text)
        let labels = "backend=\"cluster\",job=\"a\\\"b\\\\c\\nd\""
        #expect(samples["wafermark_run_steps{\(labels),run=\"0123abcd\"}"] == "5.0")
        #expect(samples["wafermark_run_loss_nats{\(labels),run=\"0123abcd\"}"] == "NaN")
        #expect(samples["wafermark_run_sequences_per_host_second{\(labels),run=\"0123abcd\"}"] == "16.0")
        #expect(
            samples["wafermark_worker_step_host_seconds{\(labels),part=\"compute\",rank=\"1\",run=\"0123abcd\"}"]
                == "0.25")
        #expect(samples["wafermark_worker_step_sent_bytes{\(labels),rank=\"1\",run=\"0123abcd\"}"] == "7.0")
        #expect(text.hasSuffix("\n"))
    }
}
