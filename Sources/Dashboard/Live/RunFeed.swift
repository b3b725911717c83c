import Foundation
import Jobs
import Report
import Runs

/// Follows one run through its record: each frame holds what is new since the frame before.
package struct RunFeed {
    private let id: RunID
    private let store: RunStore
    /// Enough of the newest steps to work out the pace.
    private var recent: [StepRecord] = []
    private var workers: [WorkerStepRecord] = []
    private var stepsSeen = 0
    private var eventsSeen = 0
    private var evaluationsSeen = 0
    private var last: Run?

    /// The most steps of a first frame: a curve needs no more.
    private static let firstSteps = 2_000

    /// A feed of run `id`, from its first step.
    package init(of id: RunID, in store: RunStore) {
        self.id = id
        self.store = store
    }

    /// What is new; nil where nothing is.
    ///
    /// - Throws: `RunStoreError`.
    package mutating func next() throws -> RunFrame? {
        let news = try store.record(of: id, stepsFrom: StepNumber(stepsSeen))
        let events = news.events.dropFirst(eventsSeen)
        let evaluations = news.evaluations.dropFirst(evaluationsSeen)
        guard news.run != last || !news.steps.isEmpty || !events.isEmpty || !evaluations.isEmpty else { return nil }
        if !news.workerSteps.isEmpty { workers = news.newestWorkerSteps }
        recent = Array((recent + news.steps).suffix(RunProgress.window + 1))
        if let step = news.steps.last?.step { stepsSeen = step.index + 1 }
        eventsSeen = news.events.count
        evaluationsSeen = news.evaluations.count
        last = news.run
        let progress = RunProgress(
            run: news.run, steps: recent, stepsMade: stepsSeen, evaluations: news.evaluations, workers: workers)
        return RunFrame(
            progress, steps: Self.thinned(news.steps), evaluations: Array(evaluations), events: Array(events))
    }

    /// Every so many of `steps`, the last one included, where they are too many to draw.
    private static func thinned(_ steps: [StepRecord]) -> [StepRecord] {
        guard steps.count > firstSteps else { return steps }
        let stride = (steps.count + firstSteps - 1) / firstSteps
        return steps.enumerated().filter { ($0.offset + 1) % stride == 0 || $0.offset == steps.count - 1 }.map(
            \.element)
    }
}
