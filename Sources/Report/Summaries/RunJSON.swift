import Foundation
import Jobs
import Runs

/// The JSON documents of `runs list --json` and `runs show --json`: snake_case keys, units and clocks in the keys,
/// times of day in ISO 8601; a key that is missing stands for what is not known.
public enum RunJSON {
    private struct List: Encodable {
        var runs: [Line]
    }

    private struct Line: Encodable {
        var runId: String
        var jobName: String
        var backend: Backend
        var workers: Int
        var hardware: String?
        var state: String
        var failure: String?
        var submitted: Date
        var started: Date?
        var ended: Date?
        var stepsMade: Int
        var stepsPlanned: Int
        var trainingHostSeconds: Double?
        var timeToTargetHostSeconds: Double?

        init(_ run: RunSummary) {
            runId = run.id.text
            jobName = run.jobName
            backend = run.backend
            workers = run.workers
            hardware = run.hardware
            state = run.state.name
            failure = if case .failed(let reason) = run.state { reason } else { nil }
            submitted = run.submitted
            started = run.started
            ended = run.ended
            stepsMade = run.stepsMade
            stepsPlanned = run.stepsPlanned
            trainingHostSeconds = finite(run.trainingTime?.seconds)
            timeToTargetHostSeconds = finite(run.timeToTarget?.seconds)
        }
    }

    private struct Show: Encodable {
        var job: JobFigures
        var run: RunFigures
    }

    /// `{"runs": [{"run_id": …}]}`, in the given order. Throws `ReportError.cannotEncode`.
    public static func list(_ runs: [RunSummary]) throws -> Data {
        try JSONRenderer.document(List(runs: runs.map(Line.init)))
    }

    private struct Events: Encodable {
        var runId: String
        var events: [EventFigures]
    }

    /// `{"run_id": …, "events": […]}`, oldest first. Throws `ReportError.cannotEncode`.
    public static func events(_ record: RunRecord) throws -> Data {
        try JSONRenderer.document(
            Events(runId: record.run.id.text, events: RunFigures(record, label: "").events))
    }

    /// `{"job": …, "run": …}`, both as in a report's document. Throws `ReportError.cannotEncode`.
    public static func show(_ record: RunRecord) throws -> Data {
        try JSONRenderer.document(
            Show(
                job: JobFigures(record.run.job, vocabularySize: record.run.corpus?.vocabularySize),
                run: RunFigures(record, label: record.run.backend == .wafer ? "Wafer" : "Cluster")))
    }
}
